"""Sends requests to the API, and repeats those that did not arrive."""

import time
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import Any, TypeVar

import httpx2
from httpx2 import ServerSentEvent
from pydantic import BaseModel

from cli import hints
from cli.answer import Answer, UnreadableAnswer
from cli.input.labels import Labels
from cli.service.keys import make_key
from errors import KtrdrError
from settings import Settings

T = TypeVar("T")

_TIMEOUT_SECONDS = 35.0
# The API sends a keep-alive at least every 15 s.
_SECONDS_OF_SILENCE = 40.0
_SECONDS_BEFORE_REPEAT = (0.1, 0.4)
_LONGEST_PAUSE = 5.0


class ProblemOfField(BaseModel):
    """What the API says is wrong with one field."""

    field: str
    message: str
    line: int | None = None


class ApiRefused(KtrdrError):
    """The API refused a request."""

    def __init__(
        self,
        message: str,
        reason: str,
        problems: Sequence[ProblemOfField] = (),
        sentences: Sequence[str] = (),
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.problems = problems
        """The fields that it is about, as the API names them."""
        self.sentences = sentences or [message]
        """The same for people, in the words of the command."""


class ApiUnreachable(KtrdrError, reason="unreachable"):
    """No API answers at this address."""


class _Refusal(BaseModel):
    """What a refusal says. That of a proxy may say none of it."""

    message: str = "The API refused the request."
    reason: str = "internal"
    errors: list[ProblemOfField] = []


class Transport:
    """Sends requests to one API.

    Args:
        url: Address of the API, with or without `/api/v1`.
        settings: Holds the API key, if there is one.
        labels: What people typed for the fields of a request.
    """

    def __init__(self, url: str, settings: Settings, labels: Labels | None = None) -> None:
        self._labels = labels or Labels({})
        base = url.rstrip("/")
        headers = {}
        if settings.api_key:
            headers["Authorization"] = f"Bearer {settings.api_key.get_secret_value()}"
        self._url = base
        self.has_answered = False
        """Whether the API has answered before. Then it is worth waiting for when it is away."""
        self._http = httpx2.Client(
            base_url=base if base.endswith("/api/v1") else f"{base}/api/v1",
            headers=headers,
            timeout=_TIMEOUT_SECONDS,
        )

    def close(self) -> None:
        """Close the connections. No request is possible afterwards."""
        self._http.close()

    def _data(self, kind: type[T], method: str, path: str, **options: Any) -> Answer[T]:
        """Send a request, and return what the envelope of the answer holds."""
        body = self._json(self._send(method, path, **options))
        if not isinstance(body, dict) or "data" not in body:
            raise UnreadableAnswer(f"The answer of {self._url} has no field `data`.")
        return Answer.received(body["data"], kind)

    def _body(self, kind: type[T], method: str, path: str, **options: Any) -> Answer[T]:
        """Send a request, and return the whole answer."""
        return Answer.received(self._json(self._send(method, path, **options)), kind)

    def _page(self, kind: type[T], method: str, path: str, **options: Any) -> Answer[T]:
        """Send a request, and return a page: rows, and beside them how many there are."""
        return Answer.page(self._json(self._send(method, path, **options)), kind)

    def _stream(self, path: str, last_event_id: str | None) -> Iterator[ServerSentEvent]:
        """Yield server-sent events until the stream ends or breaks."""
        headers = {"Last-Event-ID": last_event_id} if last_event_id else {}
        try:
            with self._http.sse(path, headers=headers, timeout=_SECONDS_OF_SILENCE) as stream:
                self.has_answered = True
                if not stream.response.is_success:
                    stream.response.read()
                    refusal = self._refusal(stream.response)
                    if stream.response.status_code == HTTPStatus.SERVICE_UNAVAILABLE:
                        raise ApiUnreachable(refusal.message)
                    raise refusal
                yield from stream
        except httpx2.TransportError as error:
            raise self._unreachable(error) from error

    def _send(
        self,
        method: str,
        path: str,
        *,
        accept: tuple[int, ...] = (200, 201, 202, 204),
        **options: Any,
    ) -> httpx2.Response:
        """Send a request. Repeat it after connection errors, which starts nothing twice."""
        headers = {"Idempotency-Key": make_key(path)} if method == "POST" else {}
        for pause in (*_SECONDS_BEFORE_REPEAT, None):
            try:
                response = self._http.request(method, path, headers=headers, **options)
            except httpx2.TransportError as error:
                if pause is None:
                    raise self._unreachable(error) from error
            else:
                self.has_answered = True
                if response.status_code in accept:
                    return response
                if response.status_code != HTTPStatus.SERVICE_UNAVAILABLE or pause is None:
                    raise self._refusal(response)
                pause = max(pause, _read_pause(response))  # noqa: PLW2901 - what the API asks for
            time.sleep(pause)
        raise AssertionError("unreachable")

    def _unreachable(self, error: httpx2.TransportError) -> ApiUnreachable:
        return ApiUnreachable(
            f"No API answers at {self._url} ({error}). Is it running? "
            f"`{hints.start_stack()}` starts one."
        )

    def _refusal(self, response: httpx2.Response) -> ApiRefused:
        refusal = Answer.received(self._json(response), _Refusal).model
        sentences = self._labels.explain(refusal.message, refusal.errors)
        return ApiRefused(refusal.message, refusal.reason, refusal.errors, sentences)

    def _json(self, response: httpx2.Response) -> Any:
        try:
            return response.json()
        except ValueError as error:
            raise ApiUnreachable(f"{self._url} is not a ktrdr API.") from error


def _read_pause(response: httpx2.Response) -> float:
    """Return for how many seconds a busy API asks for patience, within reason."""
    asked = response.headers.get("retry-after", "")
    return min(float(asked), _LONGEST_PAUSE) if asked.isdecimal() else 0.0
