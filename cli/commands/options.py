"""Options that several commands share."""

from typing import Annotated

import typer
from pydantic import BaseModel

from api.steps.schemas import TrainingRequest
from workflows.interface.messages import ResearchRequest


def show_default(model: type[BaseModel], field: str) -> str:
    """Return the default that the API has for a field, for the help of an option.

    The option itself has none: what is not typed is not sent.
    """
    return str(model.model_fields[field].default)


ID_HELP = "In full, a unique beginning, its short end such as 5b290c3f, or `last`."

OperationArgument = Annotated[str, typer.Argument(metavar="OPERATION_ID", help=ID_HELP)]
StatusFilter = Annotated[
    str | None,
    typer.Option(
        "--status",
        "-s",
        help="Only this status: pending, running, completed, failed or cancelled.",
    ),
]
OwnerFilter = Annotated[str | None, typer.Option("--owner", help="Only this owner.")]
LimitOption = Annotated[
    int, typer.Option("--limit", "-l", "-n", min=1, max=1000, help="Maximum rows.")
]
StrategyOption = Annotated[
    str | None, typer.Option("--strategy", "-s", help="Name of a strategy file; skips the design.")
]
SymbolOption = Annotated[
    str | None,
    typer.Option(
        help="SP500, NASDAQ or one of your own symbols.",
        show_default=show_default(ResearchRequest, "symbol"),
    ),
]
SymbolsOption = Annotated[
    str | None,
    typer.Option(
        metavar="A,B,...",
        help="Several symbols: one model learns from all, and one account trades them.",
    ),
]
UniverseOption = Annotated[
    str | None, typer.Option(help="Name of a list of symbols in the directory of universes.")
]
TimeframeOption = Annotated[
    str | None,
    typer.Option(
        help="Length of a bar; 1d for the built-in symbols.",
        show_default=show_default(ResearchRequest, "timeframe"),
    ),
]
TrialsOption = Annotated[
    int | None,
    typer.Option(
        help="Number of candidates to try.", show_default=show_default(ResearchRequest, "trials")
    ),
]
StartOption = Annotated[
    str | None, typer.Option(metavar="YYYY-MM-DD", help="First day of the bars.")
]
EndOption = Annotated[str | None, typer.Option(metavar="YYYY-MM-DD", help="Last day of the bars.")]
SeedOption = Annotated[
    int | None,
    typer.Option(
        help="Random seed; the same seed gives the same result.", show_default="a new one each time"
    ),
]
TrainingSeedOption = Annotated[
    int | None,
    typer.Option(
        help="Random seed; the same seed gives the same result.",
        show_default=show_default(TrainingRequest, "seed"),
    ),
]
PriorityOption = Annotated[
    int | None,
    typer.Option(
        help="1 to 5; 1 goes first.", show_default=show_default(ResearchRequest, "priority")
    ),
]
OwnerOption = Annotated[
    str | None,
    typer.Option(
        help="Owner of what is started.",
        show_default=f"that of the API key, or {show_default(ResearchRequest, 'owner')}",
    ),
]
FollowOption = Annotated[bool, typer.Option("--follow", "-f", help="Follow it to its end.")]
