"""`ktrdr research`: start a research, and follow it on request."""

import time
from collections.abc import Mapping
from typing import Annotated

import typer
from rich.console import Console

from api.agent.schemas import Preview
from cli.answer import Answer
from cli.commands.research_options import takes_research
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
from cli.render.understood import print_cost, print_understood
from cli.service.client import Api
from cli.session import FAILED, INTERRUPTED, JsonOption, Session, report_errors, session_of
from cli.stack import Stack
from workflows.interface.contract import OperationInfo, OperationStatus
from workflows.interface.messages import ResearchResult


@takes_research
def research(
    context: typer.Context,
    research: Mapping[str, object],
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Follow it to its end; Ctrl-C cancels it.")
    ] = False,
    embedded: Annotated[
        bool, typer.Option("--embedded", help="Start the embedded stack for this research only.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what it means and costs, and start nothing.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Start a research. Without a goal or a strategy, it searches freely."""
    session = session_of(context, as_json)
    if embedded and session.url_given:
        raise typer.BadParameter("--embedded starts an API of its own; omit --url and --port")
    if dry_run and (follow or embedded):
        raise typer.BadParameter("--dry-run starts nothing; omit --follow and --embedded")
    with report_errors(session.as_json):
        if dry_run:
            _preview(session, research)
            return
        if embedded:
            operation = _run_in_own_stack(session, research)
        elif follow:
            operation = _start_and_follow(session, session.api(), research)
            session.answer(operation, print_outcome)
            if not session.as_json:
                print_suggestions(session.stderr, *suggest_next(operation.model))
        else:
            _start(session, research)
            return
    if operation.model.status is OperationStatus.FAILED:
        raise typer.Exit(FAILED)


def _preview(session: Session, request: Mapping[str, object]) -> None:
    def print_all(console: Console, preview: Preview) -> None:
        print_understood(console, preview.understood, preview.warnings, session.labels)
        print_cost(console, preview.cost)

    session.answer(session.api().preview(request), print_all)


def _start(session: Session, request: Mapping[str, object]) -> None:
    triggered = session.api().trigger(request).model
    started = ResearchStarted(
        operation_id=triggered.operation_id,
        understood=triggered.understood,
        warnings=triggered.warnings,
    )

    def print_all(console: Console, started: ResearchStarted) -> None:
        print_started(console, started)
        print_understood(console, started.understood, started.warnings, session.labels)

    session.answer(Answer.own(started), print_all)


def _start_and_follow(
    session: Session, api: Api, request: Mapping[str, object]
) -> Answer[OperationInfo]:
    """Start a research and follow it to its end; Ctrl-C cancels it."""
    triggered = api.trigger(request).model
    operation_id = triggered.operation_id
    session.stderr.print(f"Started {operation_id}", markup=False)
    print_understood(session.stderr, triggered.understood, triggered.warnings, session.labels)
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


def _run_in_own_stack(session: Session, request: Mapping[str, object]) -> Answer[OperationInfo]:
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
                # The API draws the page now, and keeps it there.
                api.report(operation.model.operation_id, "html")
                report = f"{session.settings.artifacts_url}/{result.report_path}"
                session.console.print(f"\nReport: {report}", markup=False, soft_wrap=True)
        session.stderr.print("Stopping ...")
    if not session.as_json:
        seconds |= seconds_by_phase(operation.model)
        print_times(session.stderr, seconds, time.monotonic() - began)
        # The stack is gone, and what comes next needs one.
        print_suggestions(session.stderr, start_stack(), *suggest_next(operation.model))
    return operation
