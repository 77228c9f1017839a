"""Researches in an installation, as a client of its API starts and sees them."""

from typing import Any

import httpx2

from tests.api.answers import accepted
from tests.support.helpers import PATIENCE, assert_eventually

_SECONDS_TO_COMPLETE = 300.0


async def start(api: httpx2.AsyncClient, **request: object) -> str:
    """Start a research, and return its id."""
    body = {"seed": 1, "bypass_gates": True, **request}
    return str(accepted(await api.post("/agent/trigger", json=body), 202)["operation_id"])


async def shown(api: httpx2.AsyncClient, operation_id: str) -> dict[str, Any]:
    """Return what the API shows of an operation."""
    operation: dict[str, Any] = accepted(await api.get(f"/operations/{operation_id}"))["data"]
    return operation


async def until_training(api: httpx2.AsyncClient, research: str) -> None:
    """Wait until the training of a research computes."""

    async def look() -> bool:
        answer = await api.get(f"/operations/{research}.training")
        return answer.is_success and bool(answer.json()["data"]["progress"]["percentage"])

    await assert_eventually(look, within=PATIENCE)


async def completed(api: httpx2.AsyncClient, *researches: str) -> None:
    """Wait until researches have ended well; the API may be away meanwhile."""

    async def look() -> bool:
        try:
            answers = [await api.get(f"/operations/{research}") for research in researches]
        except httpx2.HTTPError as error:
            raise AssertionError(repr(error)) from error
        for answer in answers:
            assert answer.is_success, answer.text
        return all(each.json()["data"]["status"] == "completed" for each in answers)

    await assert_eventually(look, within=_SECONDS_TO_COMPLETE)
