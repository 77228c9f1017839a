"""Options that several commands share."""

from typing import Annotated

import typer

StrategyOption = Annotated[
    str | None, typer.Option("--strategy", "-s", help="Name of a strategy file; skips the design.")
]
SymbolOption = Annotated[str | None, typer.Option(help="SP500, NASDAQ or one of your own symbols.")]
TimeframeOption = Annotated[
    str | None, typer.Option(help="Length of a bar; 1d for the built-in symbols.")
]
StartOption = Annotated[
    str | None, typer.Option(metavar="YYYY-MM-DD", help="First day of the bars.")
]
EndOption = Annotated[str | None, typer.Option(metavar="YYYY-MM-DD", help="Last day of the bars.")]
TrialsOption = Annotated[int | None, typer.Option(help="Number of candidates to try.")]
SeedOption = Annotated[
    int | None,
    typer.Option(
        help="Random seed; the same seed gives the same result. Default: a new one each time."
    ),
]
PriorityOption = Annotated[int | None, typer.Option(help="1 to 5; 1 goes first.")]
OwnerOption = Annotated[str | None, typer.Option(help="Owner of what is started.")]
FollowOption = Annotated[bool, typer.Option("--follow", "-f", help="Follow it to its end.")]
