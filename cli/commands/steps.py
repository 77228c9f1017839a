"""`ktrdr train | backtest`: a step outside any research."""

from typing import Annotated, Any

import typer

from cli.commands.operations import see_through
from cli.render.operations import print_started
from cli.session import JsonOption, Session, refusals, session_of

FollowOption = Annotated[bool, typer.Option("--follow", "-f", help="Follow it to its end.")]


def train(
    context: typer.Context,
    strategy: Annotated[str, typer.Argument(help="Name of a strategy file.")],
    symbol: Annotated[
        str | None, typer.Option(help="SP500, NASDAQ or one of your own symbols.")
    ] = None,
    timeframe: Annotated[
        str | None, typer.Option(help="Length of a bar; 1d for the built-in symbols.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Random seed; the same seed gives the same model.")
    ] = None,
    priority: Annotated[int | None, typer.Option(help="1 to 5; 1 goes first.")] = None,
    owner: Annotated[str | None, typer.Option(help="Owner of the training.")] = None,
    follow: FollowOption = False,
    as_json: JsonOption = False,
) -> None:
    """Train the model of a strategy."""
    session = session_of(context, as_json)
    request = _given(
        strategy_name=strategy,
        symbol=symbol,
        timeframe=timeframe,
        seed=seed,
        priority=priority,
        owner=owner,
    )
    with refusals(session.as_json):
        started = session.api().train(request)
    _started(session, started, follow=follow)


def backtest(
    context: typer.Context,
    training_id: Annotated[
        str, typer.Argument(metavar="TRAINING_ID", help="Operation ID of a finished training.")
    ],
    priority: Annotated[int | None, typer.Option(help="1 to 5; 1 goes first.")] = None,
    owner: Annotated[str | None, typer.Option(help="Owner of the backtest.")] = None,
    follow: FollowOption = False,
    as_json: JsonOption = False,
) -> None:
    """Backtest a finished training on the holdout."""
    session = session_of(context, as_json)
    request = _given(training_id=training_id, priority=priority, owner=owner)
    with refusals(session.as_json):
        started = session.api().backtest(request)
    _started(session, started, follow=follow)


def _given(**request: Any) -> dict[str, Any]:
    return {name: value for name, value in request.items() if value is not None}


def _started(session: Session, started: dict[str, Any], *, follow: bool) -> None:
    if follow:
        see_through(session, started["operation_id"])
    else:
        session.answer(started, print_started)
