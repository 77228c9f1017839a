"""REST client of the `ktrdr` command."""

import time
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx
from httpx_sse import ServerSentEvent, connect_sse

from errors import KtrdrError
from settings import Settings

_TIMEOUT_SECONDS = 35.0
# The API sends a keep-alive at least every 15 s.
_SECONDS_OF_SILENCE = 40.0
_SECONDS_BEFORE_REPEAT = (0.1, 0.4)


class ApiRefused(KtrdrError):
    """The API refused a request; `problem` is the full response."""

    def __init__(self, problem: dict[str, Any]) -> None:
        super().__init__(str(problem.get("message", "The API refused the request.")))
        self.reason = str(problem.get("reason", "internal"))
        self.problem = problem


class ApiUnreachable(KtrdrError):
    """No API answers at this address."""

    reason = "unreachable"


class Api:
    """The routes that the command uses."""

    def __init__(self, url: str, settings: Settings) -> None:
        base = url.rstrip("/")
        headers = {}
        if settings.api_key:
            headers["Authorization"] = f"Bearer {settings.api_key.get_secret_value()}"
        self._url = base
        self.has_answered = False
        """Whether an API was ever there; one that is away is then worth waiting for."""
        self._http = httpx.Client(
            base_url=base if base.endswith("/api/v1") else f"{base}/api/v1",
            headers=headers,
            timeout=_TIMEOUT_SECONDS,
        )

    def close(self) -> None:
        """Close the connections. No call is possible afterwards."""
        self._http.close()

    def trigger(self, request: dict[str, Any]) -> dict[str, Any]:
        """Start a research."""
        return self._call("POST", "/agent/trigger", json=request)

    def train(self, request: dict[str, Any]) -> dict[str, Any]:
        """Start a training outside any research."""
        return self._call("POST", "/trainings/start", json=request)

    def backtest(self, request: dict[str, Any]) -> dict[str, Any]:
        """Start a backtest outside any research."""
        return self._call("POST", "/backtests/start", json=request)

    def resume(self, operation_id: str) -> dict[str, Any]:
        """Continue an operation that was cancelled or failed."""
        data: dict[str, Any] = self._call("POST", f"/operations/{_quoted(operation_id)}/resume")[
            "data"
        ]
        return data

    def retry(self, operation_id: str) -> dict[str, Any]:
        """Start an operation again under a new id, and return the new operation."""
        data: dict[str, Any] = self._call("POST", f"/operations/{_quoted(operation_id)}/retry")[
            "data"
        ]
        return data

    def part(self, operation_id: str, name: str) -> dict[str, Any]:
        """Return `children`, `results` or `metrics` of an operation."""
        return self._call("GET", f"/operations/{_quoted(operation_id)}/{name}")

    def agent_status(self) -> dict[str, Any]:
        """Return active researches, workers, budget and capacity."""
        return self._call("GET", "/agent/status")

    def workers(self) -> list[dict[str, Any]]:
        """List the workers."""
        answer: list[dict[str, Any]] = self._respond("GET", "/workers").json()
        return answer

    def operation(self, operation_id: str) -> dict[str, Any]:
        """Return one operation."""
        data: dict[str, Any] = self._call("GET", f"/operations/{_quoted(operation_id)}")["data"]
        return data

    def events(self, operation_id: str, last_event_id: str | None) -> Iterator[ServerSentEvent]:
        """Yield the events of an operation until the stream ends or breaks.

        Raises:
            ApiRefused: there is no such operation.
            ApiUnreachable: no API answers, or it cannot reach Temporal.
        """
        headers = {"Last-Event-ID": last_event_id} if last_event_id else {}
        path = f"/operations/{_quoted(operation_id)}/events"
        try:
            with connect_sse(
                self._http, "GET", path, headers=headers, timeout=_SECONDS_OF_SILENCE
            ) as stream:
                self.has_answered = True
                if stream.response.status_code == HTTPStatus.SERVICE_UNAVAILABLE:
                    raise ApiUnreachable(f"{self._url} cannot reach Temporal.")
                if not stream.response.is_success:
                    stream.response.read()
                    raise ApiRefused(self._problem(stream.response))
                # A server that has nothing to say sends comments, which arrive as empty events.
                yield from (event for event in stream.iter_sse() if event.data)
        except httpx.TransportError as error:
            raise self._unreachable(error) from error

    def operations(self, **filters: Any) -> dict[str, Any]:
        """Return a page of operations."""
        return self._call("GET", "/operations", params=_given(filters))

    def cancel(
        self, operation_id: str, *, reason: str | None = None, force: bool = False
    ) -> dict[str, Any]:
        """Cancel an operation of any type."""
        data: dict[str, Any] = self._call(
            "DELETE",
            f"/operations/{_quoted(operation_id)}",
            json={"reason": reason, "force": force},
        )["data"]
        return data

    def cancel_many(self, **selection: Any) -> dict[str, Any]:
        """Cancel all operations that match a filter, or only list them."""
        data: dict[str, Any] = self._call("DELETE", "/operations", params=_given(selection))["data"]
        return data

    def experiments(self, **filters: Any) -> dict[str, Any]:
        """Return a page of experiments."""
        return self._call("GET", "/experiments", params=_given(filters))

    def leaderboard(self, **filters: Any) -> dict[str, Any]:
        """Return a page of the leaderboard."""
        return self._call("GET", "/leaderboard", params=_given(filters))

    def experiment(self, operation_id: str) -> dict[str, Any]:
        """Return the full record of one experiment."""
        data: dict[str, Any] = self._call("GET", f"/experiments/{_quoted(operation_id)}")["data"]
        return data

    def hypotheses(self, **filters: Any) -> list[dict[str, Any]]:
        """Return hypotheses, the newest first."""
        data: list[dict[str, Any]] = self._call("GET", "/hypotheses", params=_given(filters))[
            "data"
        ]
        return data

    def budget(self) -> dict[str, Any]:
        """Return today's budget for language models."""
        return self._call("GET", "/agent/budget")

    def create_schedule(self, request: dict[str, Any]) -> dict[str, Any]:
        """Create a schedule."""
        data: dict[str, Any] = self._call("POST", "/schedules", json=request)["data"]
        return data

    def schedules(self) -> list[dict[str, Any]]:
        """List the schedules."""
        data: list[dict[str, Any]] = self._call("GET", "/schedules")["data"]
        return data

    def schedule(self, schedule_id: str) -> dict[str, Any]:
        """Return one schedule."""
        data: dict[str, Any] = self._call("GET", f"/schedules/{_quoted(schedule_id)}")["data"]
        return data

    def change_schedule(self, schedule_id: str, change: str) -> dict[str, Any]:
        """`pause`, `unpause` or `trigger` a schedule."""
        path = f"/schedules/{_quoted(schedule_id)}/{change}"
        data: dict[str, Any] = self._call("POST", path)["data"]
        return data

    def delete_schedule(self, schedule_id: str) -> None:
        """Delete a schedule."""
        self._respond("DELETE", f"/schedules/{_quoted(schedule_id)}")

    def readiness(self) -> dict[str, Any]:
        """Return which parts of the system are ready."""
        return self._call("GET", "/health/ready", accept=(200, 503))

    def strategies(self) -> list[dict[str, Any]]:
        """List the strategy files."""
        data: list[dict[str, Any]] = self._call("GET", "/strategies")["data"]
        return data

    def validate(self, content: bytes) -> dict[str, Any]:
        """Check a strategy file."""
        data: dict[str, Any] = self._call("POST", "/strategies/validate", content=content)["data"]
        return data

    def report_address(self, operation_id: str) -> str:
        """Return where a browser finds the report of a research."""
        return str(self._http.base_url.join(f"operations/{_quoted(operation_id)}/report"))

    def report(self, operation_id: str, kind: str = "html") -> bytes:
        """Return the report of a research: the HTML page, or its data as JSON."""
        path = f"/operations/{_quoted(operation_id)}/report"
        return self._respond("GET", path, params={"format": kind}).content

    def reproduce(self, operation_id: str) -> str:
        """Start a research that repeats this one, and return its id."""
        path = f"/experiments/{_quoted(operation_id)}/reproduce"
        return str(self._call("POST", path)["data"]["operation_id"])

    def reproduction(self, operation_id: str) -> dict[str, Any]:
        """Compare a reproduction with its original."""
        return self._call("GET", f"/experiments/{_quoted(operation_id)}/reproduction")

    def _call(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        body: dict[str, Any] = self._respond(method, path, **options).json()
        return body

    def _respond(
        self,
        method: str,
        path: str,
        *,
        accept: tuple[int, ...] = (200, 201, 202, 204),
        **options: Any,
    ) -> httpx.Response:
        """Send a request, repeating it on connection errors; repeats start nothing twice."""
        headers = {"Idempotency-Key": uuid4().hex} if method == "POST" else {}
        for pause in (*_SECONDS_BEFORE_REPEAT, None):
            try:
                response = self._http.request(method, path, headers=headers, **options)
            except httpx.TransportError as error:
                if pause is None:
                    raise self._unreachable(error) from error
            else:
                self.has_answered = True
                if response.status_code in accept:
                    return response
                if response.status_code != HTTPStatus.SERVICE_UNAVAILABLE or pause is None:
                    raise ApiRefused(self._problem(response))
            time.sleep(pause)
        raise AssertionError("unreachable")

    def _unreachable(self, error: httpx.TransportError) -> ApiUnreachable:
        return ApiUnreachable(
            f"No API answers at {self._url} ({error}). Is it running? `ktrdr up` starts one."
        )

    def _problem(self, response: httpx.Response) -> dict[str, Any]:
        try:
            problem: dict[str, Any] = response.json()
        except ValueError as error:
            raise ApiUnreachable(f"{self._url} is not a ktrdr API.") from error
        return problem


def _quoted(operation_id: str) -> str:
    return quote(operation_id, safe="")


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
