"""Checks of what every answer of the API must look like."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx2

from tests.support.helpers import PATIENCE, assert_eventually, looks_like_a_stack_trace

PROBLEM = {"type", "title", "status", "detail", "instance", "success", "reason", "message"}


def refused(
    response: httpx2.Response, status: int, reason: str, field: str | None = None
) -> dict[str, Any]:
    """Check that the answer is a refusal in the shape of all refusals, and return its body."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert body.keys() - {"errors"} == PROBLEM
    assert body["status"] == status
    assert body["success"] is False
    assert body["reason"] == reason
    assert body["message"] == body["detail"] != ""
    assert body["instance"] == response.request.url.path[:200]
    assert not looks_like_a_stack_trace(response.text)
    if field is not None:
        assert field in {problem["field"] for problem in body["errors"]}
        assert field in body["detail"] or field in {"body", "symbol", "strategy"}
    return body


def accepted(response: httpx2.Response, status: int = 200) -> dict[str, Any]:
    """Check that the answer is a success, and return its body."""
    assert response.status_code == status, response.text
    body: dict[str, Any] = response.json()
    assert body.get("success", True) is True
    return body


async def retry_while_busy(ask: Callable[[], Awaitable[httpx2.Response]]) -> httpx2.Response:
    """Send a request, again and again while Temporal is too busy to answer in time."""

    async def look() -> httpx2.Response:
        answer = await ask()
        assert answer.status_code != httpx2.codes.SERVICE_UNAVAILABLE, answer.text
        return answer

    return await assert_eventually(look)


async def ended(api: httpx2.AsyncClient, operation_id: str) -> dict[str, Any]:
    """Wait until an operation has ended, and return it."""

    async def look() -> dict[str, Any] | None:
        shown: dict[str, Any] = accepted(await api.get(f"/operations/{operation_id}"))["data"]
        return shown if shown["status"] in {"completed", "failed", "cancelled"} else None

    shown = await assert_eventually(look, within=PATIENCE)
    assert shown is not None
    return shown
