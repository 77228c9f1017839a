"""REST client of the `ktrdr` command. Its answers are the models of the API."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from httpx2 import ServerSentEvent

from api.agent.schemas import AgentStatus, Budget, Triggered, WorkerInfo
from api.operations.schemas import (
    BatchCancel,
    OperationCancelled,
    OperationListResponse,
    OperationMetrics,
    OperationSummary,
    Reproduced,
    ResultsResponse,
    Resumed,
)
from api.schedules.schemas import ScheduleInfo, ScheduleSummary
from api.schemas import (
    ExperimentListResponse,
    LeaderboardResponse,
    ListedStrategy,
    Readiness,
)
from api.steps.schemas import StepStarted
from cli.answer import Answer
from cli.transport import Transport
from quant.messages.strategy import StrategySpec
from storage.records import Experiment, HypothesisRecord
from workflows.contract import OperationInfo


class Api(Transport):
    """The routes that the command uses."""

    def trigger(self, request: Mapping[str, Any]) -> Answer[Triggered]:
        """Start a research."""
        return self._body(Triggered, "POST", "/agent/trigger", json=request)

    def train(self, request: Mapping[str, Any]) -> Answer[StepStarted]:
        """Start a training outside any research."""
        return self._body(StepStarted, "POST", "/trainings/start", json=request)

    def backtest(self, request: Mapping[str, Any]) -> Answer[StepStarted]:
        """Start a backtest outside any research."""
        return self._body(StepStarted, "POST", "/backtests/start", json=request)

    def resume(self, operation_id: str) -> Answer[Resumed]:
        """Continue an operation that was cancelled or failed."""
        return self._data(Resumed, "POST", _operation(operation_id, "resume"))

    def retry(self, operation_id: str) -> Answer[OperationInfo]:
        """Start an operation again under a new id, and return the new operation."""
        return self._data(OperationInfo, "POST", _operation(operation_id, "retry"))

    def children(self, operation_id: str) -> Answer[list[OperationSummary]]:
        """Return the steps that an operation has begun."""
        return self._data(list[OperationSummary], "GET", _operation(operation_id, "children"))

    def results(self, operation_id: str) -> Answer[ResultsResponse]:
        """Return the result of an operation."""
        return self._body(ResultsResponse, "GET", _operation(operation_id, "results"))

    def metrics(self, operation_id: str) -> Answer[OperationMetrics]:
        """Return the metrics of a training by iteration."""
        return self._data(OperationMetrics, "GET", _operation(operation_id, "metrics"))

    def agent_status(self) -> Answer[AgentStatus]:
        """Return active researches, workers, budget and capacity."""
        return self._body(AgentStatus, "GET", "/agent/status")

    def workers(self) -> Answer[list[WorkerInfo]]:
        """List the workers."""
        return self._body(list[WorkerInfo], "GET", "/workers")

    def operation(self, operation_id: str) -> Answer[OperationInfo]:
        """Return one operation."""
        return self._data(OperationInfo, "GET", _operation(operation_id))

    def events(self, operation_id: str, last_event_id: str | None) -> Iterator[ServerSentEvent]:
        """Yield the events of an operation until the stream ends or breaks.

        Raises:
            ApiRefused: There is no such operation.
            ApiUnreachable: No API answers, or it cannot reach Temporal.
        """
        return self._stream(_operation(operation_id, "events"), last_event_id)

    def operations(self, **filters: object) -> Answer[OperationListResponse]:
        """Return a page of operations."""
        return self._page(OperationListResponse, "GET", "/operations", params=omit_none(**filters))

    def cancel(
        self, operation_id: str, *, reason: str | None = None, force: bool = False
    ) -> Answer[OperationCancelled]:
        """Cancel an operation of any type."""
        request = {"reason": reason, "force": force}
        return self._data(OperationCancelled, "DELETE", _operation(operation_id), json=request)

    def cancel_many(self, **selection: object) -> Answer[BatchCancel]:
        """Cancel all operations that match a filter, or only list them."""
        return self._data(BatchCancel, "DELETE", "/operations", params=omit_none(**selection))

    def experiments(self, **filters: object) -> Answer[ExperimentListResponse]:
        """Return a page of experiments."""
        asked = omit_none(**filters)
        return self._page(ExperimentListResponse, "GET", "/experiments", params=asked)

    def leaderboard(self, **filters: object) -> Answer[LeaderboardResponse]:
        """Return a page of the leaderboard."""
        return self._page(LeaderboardResponse, "GET", "/leaderboard", params=omit_none(**filters))

    def experiment(self, operation_id: str) -> Answer[Experiment]:
        """Return the full record of one experiment."""
        return self._data(Experiment, "GET", f"/experiments/{_quote(operation_id)}")

    def hypotheses(self, **filters: object) -> Answer[list[HypothesisRecord]]:
        """Return hypotheses, the newest first."""
        asked = omit_none(**filters)
        return self._data(list[HypothesisRecord], "GET", "/hypotheses", params=asked)

    def budget(self) -> Answer[Budget]:
        """Return today's budget for language models."""
        return self._body(Budget, "GET", "/agent/budget")

    def create_schedule(self, request: Mapping[str, Any]) -> Answer[ScheduleInfo]:
        """Create a schedule."""
        return self._data(ScheduleInfo, "POST", "/schedules", json=request)

    def schedules(self) -> Answer[list[ScheduleSummary]]:
        """List the schedules."""
        return self._data(list[ScheduleSummary], "GET", "/schedules")

    def schedule(self, schedule_id: str) -> Answer[ScheduleInfo]:
        """Return one schedule."""
        return self._data(ScheduleInfo, "GET", f"/schedules/{_quote(schedule_id)}")

    def change_schedule(self, schedule_id: str, change: str) -> Answer[ScheduleInfo]:
        """Change a schedule: `pause`, `unpause` or `trigger`."""
        return self._data(ScheduleInfo, "POST", f"/schedules/{_quote(schedule_id)}/{change}")

    def delete_schedule(self, schedule_id: str) -> None:
        """Delete a schedule."""
        self._send("DELETE", f"/schedules/{_quote(schedule_id)}")

    def readiness(self) -> Answer[Readiness]:
        """Return which parts of the system are ready."""
        return self._body(Readiness, "GET", "/health/ready", accept=(200, 503))

    def strategies(self) -> Answer[list[ListedStrategy]]:
        """List the strategy files."""
        return self._data(list[ListedStrategy], "GET", "/strategies")

    def validate(self, content: bytes) -> Answer[StrategySpec]:
        """Check a strategy file."""
        return self._data(StrategySpec, "POST", "/strategies/validate", content=content)

    def report_address(self, operation_id: str) -> str:
        """Return where a browser finds the report of a research."""
        return str(self._http.base_url.join(_operation(operation_id, "report").lstrip("/")))

    def report(self, operation_id: str, kind: str = "html") -> bytes:
        """Return the report of a research: the HTML page, or its data as JSON."""
        path = _operation(operation_id, "report")
        return self._send("GET", path, params={"format": kind}).content

    def reproduce(self, operation_id: str) -> Answer[OperationInfo]:
        """Start a research that repeats this one, and return the new operation."""
        path = f"/experiments/{_quote(operation_id)}/reproduce"
        return self._data(OperationInfo, "POST", path)

    def reproduction(self, operation_id: str) -> Answer[Reproduced]:
        """Compare a reproduction with its original."""
        return self._body(Reproduced, "GET", f"/experiments/{_quote(operation_id)}/reproduction")


def omit_none(**values: object) -> dict[str, object]:
    """Return the values that are not None, by their names."""
    return {name: value for name, value in values.items() if value is not None}


def _operation(operation_id: str, part: str | None = None) -> str:
    """Return the path of an operation, or of a part of it."""
    return f"/operations/{_quote(operation_id)}" + (f"/{part}" if part else "")


def _quote(operation_id: str) -> str:
    return quote(operation_id, safe="")
