"""REST client of the `ktrdr` command. Its answers are the models of the API."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from httpx2 import ServerSentEvent

from api.agent.schemas import AgentStatus, Budget, Preview, Triggered, WorkerInfo
from api.artifacts.schemas import DeletedArtifacts, OldArtifactsDeleted, StoredArtifacts
from api.campaigns.schemas import CampaignInfo, CampaignStarted
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
    MarketListResponse,
    Readiness,
)
from api.steps.schemas import StepStarted
from api.watches.schemas import Watch, WatchCurve
from cli.answer import Answer
from cli.service.transport import Transport
from quant.messages.campaign import CampaignReport
from quant.messages.strategy import StrategySpec
from storage.ledger.records import Experiment, HypothesisRecord, Verification
from workflows.interface.contract import OperationInfo


class Api(Transport):
    """The routes that the command uses."""

    def trigger(self, request: Mapping[str, Any]) -> Answer[Triggered]:
        """Start a research."""
        return self._body(Triggered, "POST", "/agent/trigger", json=request)

    def start_campaign(self, request: Mapping[str, Any]) -> Answer[CampaignStarted]:
        """Start a campaign."""
        return self._body(CampaignStarted, "POST", "/campaigns", json=request)

    def campaigns(self, **filters: object) -> Answer[OperationListResponse]:
        """Return a page of campaigns."""
        return self._page(OperationListResponse, "GET", "/campaigns", params=omit_none(**filters))

    def campaign(self, operation_id: str) -> Answer[CampaignInfo]:
        """Return one campaign."""
        return self._data(CampaignInfo, "GET", _campaign(operation_id))

    def campaign_report(self, operation_id: str) -> Answer[CampaignReport]:
        """Return every member of a campaign."""
        return self._data(CampaignReport, "GET", _campaign(operation_id, "report"))

    def campaign_page(self, operation_id: str) -> bytes:
        """Return the same as an HTML page."""
        return self._send("GET", _campaign(operation_id, "report.html")).content

    def cancel_campaign(
        self, operation_id: str, *, reason: str | None = None
    ) -> Answer[OperationCancelled]:
        """Cancel a campaign with all its running members."""
        path = _campaign(operation_id)
        return self._data(OperationCancelled, "DELETE", path, json={"reason": reason})

    def preview(self, request: Mapping[str, Any]) -> Answer[Preview]:
        """Return what a request for a research means and costs. Nothing starts."""
        return self._body(Preview, "POST", "/agent/preview", json=request)

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

    def verify_ledger(self, **query: object) -> Answer[Verification]:
        """Return whether the chain of trials and looks is whole."""
        return self._data(Verification, "GET", "/ledger", params=omit_none(**query))

    def experiment(self, operation_id: str) -> Answer[Experiment]:
        """Return the full record of one experiment."""
        return self._data(Experiment, "GET", f"/experiments/{_quote(operation_id)}")

    def annotate(self, operation_id: str, changes: Mapping[str, Any]) -> Answer[Experiment]:
        """Change the note and the tags of an experiment."""
        path = f"/experiments/{_quote(operation_id)}"
        return self._data(Experiment, "PATCH", path, json=changes)

    def markets(self, **filters: object) -> Answer[MarketListResponse]:
        """Return a page of markets."""
        return self._page(MarketListResponse, "GET", "/markets", params=omit_none(**filters))

    def artifacts(self, operation_id: str) -> Answer[StoredArtifacts]:
        """Return what an operation and its steps have stored."""
        return self._data(StoredArtifacts, "GET", _operation(operation_id, "artifacts"))

    def delete_artifacts(
        self, operation_id: str, *, resumable: bool | None = None
    ) -> Answer[DeletedArtifacts]:
        """Delete what an operation and its steps have stored."""
        path = _operation(operation_id, "artifacts")
        return self._data(DeletedArtifacts, "DELETE", path, params=omit_none(resumable=resumable))

    def delete_old_artifacts(self, **selection: object) -> Answer[OldArtifactsDeleted]:
        """Delete what operations stored long ago, or only list it."""
        return self._data(
            OldArtifactsDeleted, "DELETE", "/artifacts", params=omit_none(**selection)
        )

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

    def start_watch(self, research_id: str) -> Answer[Watch]:
        """Watch the strategy of a research."""
        return self._data(Watch, "POST", "/watches", json={"research_id": research_id})

    def watches(self, **filters: object) -> Answer[list[Watch]]:
        """List watches, the newest first."""
        return self._data(list[Watch], "GET", "/watches", params=omit_none(**filters))

    def watch(self, research_id: str) -> Answer[Watch]:
        """Return one watch."""
        return self._data(Watch, "GET", f"/watches/{_quote(research_id)}")

    def watch_curve(self, research_id: str) -> Answer[WatchCurve]:
        """Return the bars that a watch has scored."""
        return self._data(WatchCurve, "GET", f"/watches/{_quote(research_id)}/curve")

    def look(self, research_id: str) -> Answer[Watch]:
        """Let a watch look for new bars at once."""
        return self._data(Watch, "POST", f"/watches/{_quote(research_id)}/look")

    def look_at(self, symbol: str, timeframe: str) -> Answer[list[Watch]]:
        """Let the watches of some bars look for new ones at once, and list these watches."""
        bars = {"symbol": symbol, "timeframe": timeframe}
        return self._data(list[Watch], "POST", "/watches/look", json=bars)

    def cancel_watch(self, research_id: str) -> Answer[Watch]:
        """Cancel a watch."""
        return self._data(Watch, "DELETE", f"/watches/{_quote(research_id)}")

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

    def report(self, operation_id: str, kind: str = "html", instrument: str | None = None) -> bytes:
        """Return the report of a research: the HTML page, its data as JSON, or one instrument."""
        path = _operation(operation_id, "report")
        asked = omit_none(format=kind, instrument=instrument)
        return self._send("GET", path, params=asked).content

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


def _campaign(operation_id: str, part: str | None = None) -> str:
    """Return the path of a campaign, or of a part of it."""
    return f"/campaigns/{_quote(operation_id)}" + (f"/{part}" if part else "")


def _quote(operation_id: str) -> str:
    return quote(operation_id, safe="")
