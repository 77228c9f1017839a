"""What tests of the page look for."""

from collections.abc import Mapping
from typing import Any

import httpx2
from playwright.async_api import Locator, Page, Route

from tests.api.answers import accepted

SLOW = {"strategy": "slow", "seed": 7}
"""A research whose training takes longer than any test."""
QUICK = {"brief": "momentum", "trials": 6, "seed": 3, "bypass_gates": True}
"""A research that ends in seconds."""

LONG = 90_000
"""Milliseconds; a test of the page has five minutes in all."""

UNANSWERED = "Temporal does not answer."


async def answer_unavailable(route: Route) -> None:
    """Answer in the place of the API, as it does when Temporal is away."""
    await route.fulfill(status=503, json={"detail": UNANSWERED})


async def start(http: httpx2.AsyncClient, request: Mapping[str, Any]) -> str:
    """Start a research over REST, and return its id."""
    answer = await http.post("/agent/trigger", json=dict(request))
    return str(accepted(answer, 202)["operation_id"])


def find_row(page: Page, operation_id: str) -> Locator:
    """Return the row of an operation."""
    return page.locator(".row", has=page.locator(f'.about[title="{operation_id}"]'))


async def has_no_overflow(page: Page) -> bool:
    """Whether nothing is wider than the window."""
    return bool(
        await page.evaluate("document.documentElement.scrollWidth <= document.body.clientWidth")
    )
