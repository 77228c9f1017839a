"""How bars look in a terminal."""

from typing import Any

from rich.console import Console
from rich.markup import escape

from cli.render.tables import print_rows


def print_bars(console: Console, entries: list[dict[str, Any]]) -> None:
    """Print the available bars, and where they are."""
    print_rows(
        console,
        ("Symbol", "Timeframe", "File"),
        (
            (
                entry["symbol"],
                entry["timeframe"],
                "built in" if entry["built_in"] else entry["path"],
            )
            for entry in entries
        ),
    )


def print_findings(console: Console, findings: list[dict[str, Any]]) -> None:
    """Print a description of the bars, or their error."""
    for finding in findings:
        where = escape(f" ({finding['path']})" if finding["path"] else "")
        if finding["error"]:
            console.print(f"[red]✗[/red] {escape(finding['error'])}{where}", soft_wrap=True)
        elif finding["warning"]:
            console.print(f"[yellow]![/yellow] {escape(finding['warning'])}{where}", soft_wrap=True)
        else:
            described = escape(_described(finding))
            console.print(f"[green]✓[/green] {described}{where}", soft_wrap=True)
        for remark in finding.get("remarks", ()):
            console.print("[yellow]![/yellow] " + escape(remark), soft_wrap=True)


def print_imported(console: Console, info: dict[str, Any]) -> None:
    """Print what was imported, and where it is."""
    console.print(f"Imported {_described(info)}", markup=False, soft_wrap=True)
    console.print(f"File: {info['path']}", markup=False, soft_wrap=True)


def _described(info: dict[str, Any]) -> str:
    return (
        f"{info['symbol']} {info['timeframe']}: {info['bars']:,} bars, {info['start']} to "
        f"{info['end']}, holdout from {info['holdout_start']}"
    )
