"""How strategy files look in a terminal."""

from pathlib import Path

from rich.console import Console

from api.schemas import ListedStrategy
from cli.render.terminal.prose import print_prose
from cli.render.terminal.tables import print_rows
from cli.service.transport import ApiRefused
from quant.messages.strategy import StrategySpec


def print_strategies(console: Console, strategies: list[ListedStrategy]) -> None:
    """Print the strategy files; an invalid one with the reason."""
    print_rows(
        console,
        ("Name", "From", "Description"),
        (
            (
                entry.name,
                "built in" if entry.built_in else "yours",
                f"invalid: {entry.invalid}" if entry.invalid else entry.description,
            )
            for entry in strategies
        ),
    )


def print_valid(console: Console, strategy: StrategySpec) -> None:
    """Print that a strategy file is valid."""
    console.print(f"{strategy.name} is valid.", markup=False)


def print_problems(console: Console, file: Path, refusal: ApiRefused) -> None:
    """Print what is wrong with a strategy file, as a compiler does: one problem a line."""
    problems = [each for each in refusal.problems if each.line is not None]
    for each in problems:
        print_prose(console, f"{file}:{each.line}: {each.field}: {each.message}", style="red")
    if not problems:
        print_prose(console, f"{file}: {refusal.message}", style="red")
