"""How bars look in a terminal."""

from rich.console import Console
from rich.markup import escape

from cli.local_answers import AvailableBars, Finding, ImportedBars, ReadableBars
from cli.render.terminal.tables import print_rows
from quant.messages.data import DataInfo
from quant.wording import format_count


def print_bars(console: Console, available: list[AvailableBars]) -> None:
    """Print the available bars, and where they are."""
    print_rows(
        console,
        ("Symbol", "Timeframe", "File"),
        (
            (bars.symbol, bars.timeframe, "built in" if bars.built_in else bars.path or "")
            for bars in available
        ),
    )


def print_findings(console: Console, findings: list[Finding]) -> None:
    """Print a description of the bars, or their error."""
    for finding in findings:
        where = escape(f" ({finding.path})" if finding.path else "")
        if finding.error:
            console.print(f"[red]✗[/red] {escape(finding.error)}{where}", soft_wrap=True)
        if finding.warning:
            console.print(f"[yellow]![/yellow] {escape(finding.warning)}{where}", soft_wrap=True)
        if isinstance(finding, ReadableBars):
            described = escape(_describe(finding))
            console.print(f"[green]✓[/green] {described}{where}", soft_wrap=True)
            for remark in finding.remarks:
                console.print("[yellow]![/yellow] " + escape(remark), soft_wrap=True)


def print_imported(console: Console, imported: ImportedBars) -> None:
    """Print what was imported, how it was understood, and where it is."""
    done = "Imported" if imported.stored else "Would import"
    console.print(f"{done} {_describe(imported)}", markup=False, soft_wrap=True)
    for note in imported.notes:
        console.print(note, markup=False, soft_wrap=True)
    for remark in imported.remarks:
        console.print("[yellow]![/yellow] " + escape(remark), soft_wrap=True)
    console.print(
        f"File: {imported.path}" if imported.stored else "Nothing was stored (--dry-run).",
        markup=False,
        soft_wrap=True,
    )
    if imported.watches:
        console.print(
            f"Looked at now by {format_count(len(imported.watches), 'watch', 'watches')}.",
            markup=False,
        )


def _describe(info: DataInfo) -> str:
    return (
        f"{info.symbol} {info.timeframe}: {info.bars:,} bars, {info.start} to {info.end}, "
        f"holdout from {info.holdout_start}"
    )
