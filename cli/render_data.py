"""How bars look in a terminal."""

from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table


def print_bars(console: Console, entries: list[dict[str, Any]]) -> None:
    """Print which bars there are."""
    table = Table("Symbol", "Timeframe", "File", box=None, pad_edge=False)
    for entry in entries:
        file = "built in" if entry["built_in"] else entry["file"]
        table.add_row(escape(entry["symbol"]), entry["timeframe"], escape(file))
    console.print(table)


def print_findings(console: Console, findings: list[dict[str, Any]]) -> None:
    """Print what bars are, or what is wrong with them."""
    for finding in findings:
        if finding["error"]:
            console.print(f"[red]✗[/red] {escape(finding['error'])}", soft_wrap=True)
        else:
            console.print("[green]✓[/green] " + escape(_described(finding)), soft_wrap=True)
        for remark in finding.get("remarks", ()):
            console.print("[yellow]![/yellow] " + escape(remark), soft_wrap=True)


def print_imported(console: Console, info: dict[str, Any]) -> None:
    """Print what was imported."""
    console.print(f"Imported {_described(info)}", markup=False, soft_wrap=True)


def _described(info: dict[str, Any]) -> str:
    return (
        f"{info['symbol']} {info['timeframe']}: {info['bars']:,} bars, {info['start']} to "
        f"{info['end']}, holdout from {info['holdout_start']}"
    )
