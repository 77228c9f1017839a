"""How the command says what a research is about, and what of the request has no effect."""

from collections.abc import Collection

from rich.console import Console

from quant.messages.understood import Understood


def print_understood(
    console: Console, understood: Understood | None, warnings: Collection[str]
) -> None:
    """Print what a research was understood to be about, and what of the request has no effect."""
    if understood is not None:
        console.print(f"Understood: {understood.sentence}", markup=False)
    for warning in warnings:
        console.print(f"Warning: {warning}", style="yellow", markup=False)
