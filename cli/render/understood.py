"""How the command says what a research is about, and what of the request has no effect."""

from collections.abc import Collection

from rich.console import Console

from api.agent.schemas import ResearchCost
from cli.input.labels import Labels
from quant.messages.understood import Understood


def print_understood(
    console: Console,
    understood: Understood | None,
    warnings: Collection[str],
    labels: Labels | None = None,
) -> None:
    """Print what a research was understood to be about, and what of the request has no effect.

    Args:
        console: Where to print.
        understood: What the research is about, if it is one.
        warnings: Sentences that quote fields of the request.
        labels: What people type for these fields.
    """
    if understood is not None:
        console.print(f"Understood: {understood.sentence}", markup=False)
    for warning in warnings:
        said = labels.rename(warning) if labels else warning
        console.print(f"Warning: {said}", style="yellow", markup=False)


def print_cost(console: Console, cost: ResearchCost) -> None:
    """Print how many trials and which look at the holdout a research would use up."""
    market = f"{', '.join(cost.symbols)} {cost.timeframe}"
    console.print(
        f"Costs: up to {cost.trials:,} trials on {market}, after {cost.trials_ever:,} until now; "
        f"look number {cost.look:,} at its holdout, if it gets that far.",
        markup=False,
    )
    console.print("Nothing was started.", markup=False)
