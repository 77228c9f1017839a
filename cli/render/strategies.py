"""How strategy files look in a terminal."""

from rich.console import Console

from api.schemas import ListedStrategy
from cli.render.tables import print_rows
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
