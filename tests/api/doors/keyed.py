"""Clients with keys, and what they start."""

import httpx2

from tests.api.answers import accepted

OWNERS = ("ada", "bob", "mallory")


class Keys(dict[str, httpx2.AsyncClient]):
    """Clients by the name of their key."""


async def start_research(api: httpx2.AsyncClient, **request: object) -> str:
    answer = await api.post("/agent/trigger", json={"trials": 10_000, "seed": 1, **request})
    return str(accepted(answer, 202)["operation_id"])


async def cancel_research(api: httpx2.AsyncClient, operation_id: str) -> None:
    accepted(await api.delete(f"/agent/cancel/{operation_id}", params={"wait": 20}))
