"""`ktrdr train | backtest`: a step outside any research."""

from typing import Annotated

import typer

from api.steps.schemas import StepStarted
from cli.answer import Answer
from cli.client import omit_none
from cli.commands.operations import follow_and_exit
from cli.commands.options import (
    FollowOption,
    OwnerOption,
    PriorityOption,
    SeedOption,
    SymbolOption,
    TimeframeOption,
)
from cli.render.operations import print_started
from cli.session import JsonOption, Session, report_errors, session_of


def train(
    context: typer.Context,
    strategy: Annotated[str, typer.Argument(help="Name of a strategy file.")],
    symbol: SymbolOption = None,
    timeframe: TimeframeOption = None,
    seed: SeedOption = None,
    priority: PriorityOption = None,
    owner: OwnerOption = None,
    follow: FollowOption = False,
    as_json: JsonOption = False,
) -> None:
    """Train the model of a strategy."""
    session = session_of(context, as_json)
    request = omit_none(
        strategy_name=strategy,
        symbol=symbol,
        timeframe=timeframe,
        seed=seed,
        priority=priority,
        owner=owner,
    )
    with report_errors(session.as_json):
        started = session.api().train(request)
    _report_start(session, started, follow=follow)


def backtest(
    context: typer.Context,
    training_id: Annotated[
        str, typer.Argument(metavar="TRAINING_ID", help="Operation ID of a finished training.")
    ],
    priority: PriorityOption = None,
    owner: OwnerOption = None,
    follow: FollowOption = False,
    as_json: JsonOption = False,
) -> None:
    """Backtest a finished training on the holdout."""
    session = session_of(context, as_json)
    request = omit_none(training_id=training_id, priority=priority, owner=owner)
    with report_errors(session.as_json):
        started = session.api().backtest(request)
    _report_start(session, started, follow=follow)


def _report_start(session: Session, started: Answer[StepStarted], *, follow: bool) -> None:
    if follow:
        follow_and_exit(session, started.model.operation_id)
    else:
        session.answer(started, print_started)
