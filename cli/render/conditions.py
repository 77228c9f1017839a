"""How the conditions of a verdict look in a terminal."""

from collections.abc import Sequence

from rich.console import Console

from cli.render.terminal.tables import print_rows
from quant.messages.evidence import Criterion
from quant.verdict.criteria import format_limit, format_value


def print_conditions(console: Console, conditions: Sequence[Criterion]) -> None:
    """Print the conditions of the verdict `promising` as a table, each with value and limit."""
    if not conditions:
        return
    met = sum(condition.passed for condition in conditions)
    console.print(f"Conditions of promising: {met} of {len(conditions)} met", style="bold")
    print_rows(
        console,
        ("", "Condition", "Value", "Limit"),
        (
            (
                "met" if condition.passed else "not met",
                condition.title,
                format_value(condition),
                format_limit(condition),
            )
            for condition in conditions
        ),
        title=1,
    )
