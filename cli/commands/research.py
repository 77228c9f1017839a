"""`ktrdr research`: start a research, and follow it on request."""

import time
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from cli.answer import Answer
from cli.client import Api, omit_none
from cli.commands.options import (
    OwnerOption,
    PriorityOption,
    SeedOption,
    StrategyOption,
    SymbolOption,
    TimeframeOption,
    TrialsOption,
    show_default,
)
from cli.follow import follow_to_end
from cli.hints import start_stack
from cli.links import keep_working
from cli.local_answers import ResearchStarted
from cli.render.operations import (
    print_addresses,
    print_cancelled,
    print_outcome,
    print_started,
    print_times,
    read_result,
)
from cli.render.suggestions import print_suggestions, suggest_next
from cli.session import FAILED, INTERRUPTED, JsonOption, Session, report_errors, session_of
from cli.stack import Stack
from quant.verdict.gates import BacktestLimits, TrainingLimits
from workflows.contract import OperationInfo, OperationStatus
from workflows.messages import ResearchRequest, ResearchResult


def research(
    context: typer.Context,
    goal: Annotated[str | None, typer.Argument(help="What to look for, in words.")] = None,
    strategy: StrategyOption = None,
    symbol: SymbolOption = None,
    timeframe: TimeframeOption = None,
    trials: TrialsOption = None,
    seed: SeedOption = None,
    designer: Annotated[
        str | None,
        typer.Option(
            help="`search`, or `llm` for a language model.",
            show_default=show_default(ResearchRequest, "designer"),
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            "-m",
            help="Language model, as provider:model.",
            show_default="KTRDR_LLM_MODEL of the API",
        ),
    ] = None,
    max_cost: Annotated[
        float | None,
        typer.Option(
            "--max-cost",
            help="Cost limit for the language model, in US dollars.",
            show_default="what is left of the day's budget",
        ),
    ] = None,
    memory: Annotated[
        bool | None,
        typer.Option(
            "--memory/--no-memory",
            help="Start from earlier trials on the same bars.",
            show_default="only without a seed",
        ),
    ] = None,
    priority: PriorityOption = None,
    owner: OwnerOption = None,
    min_trades: Annotated[
        int | None,
        typer.Option(
            help="Gate: minimum round trips on the holdout.",
            show_default=show_default(BacktestLimits, "trades"),
        ),
    ] = None,
    max_drawdown: Annotated[
        float | None,
        typer.Option(
            help="Gate: maximum drawdown on the holdout, as a fraction.",
            show_default=show_default(BacktestLimits, "max_drawdown"),
        ),
    ] = None,
    min_sharpe: Annotated[
        float | None,
        typer.Option(
            help="Gate: minimum Sharpe ratio in walk-forward.",
            show_default=show_default(TrainingLimits, "sharpe"),
        ),
    ] = None,
    max_excess_log_loss: Annotated[
        float | None,
        typer.Option(
            help="Gate: maximum log loss above that of the base rate.",
            show_default=show_default(TrainingLimits, "excess_log_loss"),
        ),
    ] = None,
    bypass_gates: Annotated[
        bool, typer.Option("--bypass-gates", help="Continue even if a gate rejects.")
    ] = False,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Follow it to its end; Ctrl-C cancels it.")
    ] = False,
    embedded: Annotated[
        bool, typer.Option("--embedded", help="Start the embedded stack for this research only.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Start a research. Without a goal or a strategy, it searches freely."""
    session = session_of(context, as_json)
    training = omit_none(sharpe=min_sharpe, excess_log_loss=max_excess_log_loss)
    backtest = omit_none(trades=min_trades, max_drawdown=max_drawdown)
    request = omit_none(
        brief=goal,
        strategy=strategy,
        symbol=symbol,
        timeframe=timeframe,
        trials=trials,
        seed=seed,
        designer=designer,
        model=model,
        max_cost=max_cost,
        memory=memory,
        priority=priority,
        owner=owner,
        gates=omit_none(training=training or None, backtest=backtest or None) or None,
        bypass_gates=bypass_gates or None,
    )
    with report_errors(session.as_json):
        if embedded:
            operation = _run_in_own_stack(session, request)
        elif follow:
            operation = _start_and_follow(session, session.api(), request)
            session.answer(operation, print_outcome)
            if not session.as_json:
                print_suggestions(session.stderr, *suggest_next(operation.model))
        else:
            _start(session, request)
            return
    if operation.model.status is OperationStatus.FAILED:
        raise typer.Exit(FAILED)


def _start(session: Session, request: Mapping[str, Any]) -> None:
    operation_id = session.api().trigger(request).model.operation_id
    session.answer(Answer.own(ResearchStarted(operation_id=operation_id)), print_started)


def _start_and_follow(
    session: Session, api: Api, request: Mapping[str, Any]
) -> Answer[OperationInfo]:
    """Start a research and follow it to its end; Ctrl-C cancels it."""
    operation_id = api.trigger(request).model.operation_id
    session.stderr.print(f"Started {operation_id}", markup=False)
    try:
        return follow_to_end(api, operation_id, session.stderr)
    except KeyboardInterrupt:
        cancelled = api.cancel(operation_id, reason="interrupted")
        print_cancelled(session.stderr, cancelled.model)
        raise typer.Exit(INTERRUPTED) from None


def seconds_by_phase(operation: OperationInfo) -> dict[str, float]:
    """Return how long a research that has ended was in each of its phases."""
    ends = [entered.started_at for entered in operation.phases[1:]] + [operation.completed_at]
    return {
        entered.phase: (end - entered.started_at).total_seconds()
        for entered, end in zip(operation.phases, ends, strict=False)
        if end is not None
    }


def _run_in_own_stack(session: Session, request: Mapping[str, Any]) -> Answer[OperationInfo]:
    """Start the stack, follow one research to its end, and stop the stack."""
    began = time.monotonic()
    session.stderr.print("Starting Temporal, worker and API ...")
    with Stack(session.settings) as stack:
        seconds = {"stack start": time.monotonic() - began}
        if not session.as_json:
            # They work until the research has ended.
            print_addresses(session.stderr, keep_working(stack.addresses()))
        api = session.api(stack.api)
        operation = _start_and_follow(session, api, request)
        session.answer(operation, print_outcome)
        if not session.as_json:
            result = read_result(operation.model)
            if isinstance(result, ResearchResult):
                report = f"{session.settings.artifacts_url}/{result.report_path}"
                session.console.print(f"\nReport: {report}", markup=False, soft_wrap=True)
        session.stderr.print("Stopping ...")
    if not session.as_json:
        seconds |= seconds_by_phase(operation.model)
        print_times(session.stderr, seconds, time.monotonic() - began)
        # The stack is gone, and what comes next needs one.
        print_suggestions(session.stderr, start_stack(), *suggest_next(operation.model))
    return operation
