"""`ktrdr train | backtest`: a step outside any research."""

from typing import Annotated

import typer

from api.steps.schemas import StepStarted
from cli.answer import Answer
from cli.commands.operations import follow_and_exit
from cli.commands.options import (
    ID_HELP,
    EndOption,
    FollowOption,
    OwnerOption,
    PriorityOption,
    StartOption,
    SymbolOption,
    TimeframeOption,
    TrainingSeedOption,
)
from cli.input.ids import resolve_id
from cli.render.operations import print_step_started
from cli.service.client import omit_none
from cli.session import JsonOption, Session, report_errors, session_of
from workflows.interface.contract import OperationType


def train(
    context: typer.Context,
    strategy: Annotated[str, typer.Argument(help="Name of a strategy file.")],
    symbol: SymbolOption = None,
    timeframe: TimeframeOption = None,
    start: StartOption = None,
    end: EndOption = None,
    seed: TrainingSeedOption = None,
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
        start_date=start,
        end_date=end,
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
        str, typer.Argument(metavar="TRAINING_ID", help=f"A finished training. {ID_HELP}")
    ],
    start: StartOption = None,
    end: EndOption = None,
    capital: Annotated[
        float | None, typer.Option(help="Money that the account starts with.")
    ] = None,
    commission: Annotated[
        float | None, typer.Option(help="Fraction of what is traded; else the strategy's own.")
    ] = None,
    slippage: Annotated[
        float | None, typer.Option(help="Fraction of the price; else the strategy's own.")
    ] = None,
    priority: PriorityOption = None,
    owner: OwnerOption = None,
    follow: FollowOption = False,
    as_json: JsonOption = False,
) -> None:
    """Backtest a finished training, on the holdout or on days of your choice."""
    session = session_of(context, as_json)
    with report_errors(session.as_json):
        api = session.api()
        meant = resolve_id(api, training_id, OperationType.TRAINING)
        request = omit_none(
            training_id=meant,
            start_date=start,
            end_date=end,
            initial_capital=capital,
            commission=commission,
            slippage=slippage,
            priority=priority,
            owner=owner,
        )
        started = api.backtest(request)
    _report_start(session, started, follow=follow)


def _report_start(session: Session, started: Answer[StepStarted], *, follow: bool) -> None:
    if follow:
        follow_and_exit(session, started.model.operation_id)
    else:
        session.answer(started, print_step_started)
