"""`ktrdr research`: start a research, and follow it on request."""

import time
from datetime import datetime
from typing import Annotated, Any

import typer

from cli.client import Api
from cli.follow import follow as watch
from cli.render.operations import (
    print_addresses,
    print_cancelled,
    print_outcome,
    print_started,
    print_times,
)
from cli.session import FAILED, INTERRUPTED, JsonOption, Session, refusals, session_of
from cli.stack import Stack


def research(
    context: typer.Context,
    goal: Annotated[str | None, typer.Argument(help="What to look for, in words.")] = None,
    strategy: Annotated[
        str | None,
        typer.Option("--strategy", "-s", help="Name of a strategy file; skips the design."),
    ] = None,
    symbol: Annotated[
        str | None, typer.Option(help="SP500, NASDAQ or one of your own symbols.")
    ] = None,
    timeframe: Annotated[
        str | None, typer.Option(help="Length of a bar; 1d for the built-in symbols.")
    ] = None,
    trials: Annotated[int | None, typer.Option(help="Number of candidates to try.")] = None,
    seed: Annotated[
        int | None, typer.Option(help="Random seed; the same seed gives the same result.")
    ] = None,
    designer: Annotated[
        str | None, typer.Option(help="`search`, or `llm` for a language model.")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option("--model", "-m", help="Language model, as provider:model."),
    ] = None,
    max_cost: Annotated[
        float | None,
        typer.Option("--max-cost", help="Cost limit for the language model, in US dollars."),
    ] = None,
    memory: Annotated[
        bool | None,
        typer.Option(
            "--memory/--no-memory",
            help="Start from earlier trials on the same bars; default: only without a seed.",
        ),
    ] = None,
    priority: Annotated[int | None, typer.Option(help="1 to 5; 1 goes first.")] = None,
    owner: Annotated[str | None, typer.Option(help="Owner of the research.")] = None,
    min_trades: Annotated[
        int | None, typer.Option(help="Gate: minimum round trips on the holdout.")
    ] = None,
    max_drawdown: Annotated[
        float | None, typer.Option(help="Gate: maximum drawdown on the holdout, as a fraction.")
    ] = None,
    min_sharpe: Annotated[
        float | None, typer.Option(help="Gate: minimum Sharpe ratio in walk-forward.")
    ] = None,
    max_excess_log_loss: Annotated[
        float | None, typer.Option(help="Gate: maximum log loss above that of the base rate.")
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
    asked = {
        "brief": goal,
        "strategy": strategy,
        "symbol": symbol,
        "timeframe": timeframe,
        "trials": trials,
        "seed": seed,
        "designer": designer,
        "model": model,
        "max_cost": max_cost,
        "memory": memory,
        "priority": priority,
        "owner": owner,
        "gates": _given(
            training=_given(sharpe=min_sharpe, excess_log_loss=max_excess_log_loss),
            backtest=_given(trades=min_trades, max_drawdown=max_drawdown),
        ),
        "bypass_gates": bypass_gates or None,
    }
    request = _given(**asked) or {}
    with refusals(session.as_json):
        if embedded:
            operation = _in_own_stack(session, request)
        elif follow:
            operation = _watched(session, session.api(), request)
            session.answer(operation, print_outcome)
        else:
            _start(session, request)
            return
    if operation["status"] == "failed":
        raise typer.Exit(FAILED)


def _given(**options: Any) -> dict[str, Any] | None:
    """Return the options that were given; None if there are none."""
    return {name: value for name, value in options.items() if value is not None} or None


def _start(session: Session, request: dict[str, Any]) -> None:
    operation_id = session.api().trigger(request)["operation_id"]
    started = {"operation_id": operation_id, "status": "started", "type": "research"}
    session.answer(started, print_started)


def _watched(session: Session, api: Api, request: dict[str, Any]) -> dict[str, Any]:
    """Start a research and follow it to its end; Ctrl-C cancels it."""
    operation_id = api.trigger(request)["operation_id"]
    session.aside.print(f"Started {operation_id}", markup=False)
    try:
        return watch(api, operation_id, session.aside)
    except KeyboardInterrupt:
        cancelled = api.cancel(operation_id, reason="interrupted")
        print_cancelled(session.aside, cancelled)
        raise typer.Exit(INTERRUPTED) from None


def seconds_by_phase(operation: dict[str, Any]) -> dict[str, float]:
    """Return how long a research that has ended was in each of its phases."""
    moments = [datetime.fromisoformat(entry["started_at"]) for entry in operation["phases"]]
    moments.append(datetime.fromisoformat(operation["completed_at"]))
    return {
        entry["phase"]: (end - begin).total_seconds()
        for entry, begin, end in zip(operation["phases"], moments, moments[1:], strict=False)
    }


def _in_own_stack(session: Session, request: dict[str, Any]) -> dict[str, Any]:
    """Start the stack, follow one research to its end, and stop the stack."""
    began = time.monotonic()
    session.aside.print("Starting Temporal, worker and API ...")
    with Stack(session.settings) as stack:
        seconds = {"stack start": time.monotonic() - began}
        operation = _watched(session, Api(stack.api, session.settings), request)
        session.answer(operation, print_outcome)
        summary = operation["result_summary"]
        if not session.as_json:
            if summary:
                report = f"{session.settings.artifacts}/{summary['report_path']}"
                session.console.print(f"\nReport: {report}", markup=False, soft_wrap=True)
            print_addresses(session.console, stack.addresses())
        session.aside.print("Stopping ...")
    if not session.as_json:
        print_times(session.aside, seconds | seconds_by_phase(operation), time.monotonic() - began)
    return operation
