"""One owner, who does whatever can be done to operations, at random."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

import httpx2

_STATUSES: Final = ("pending", "running", "completed", "failed", "cancelled")
_MOST_LINES: Final = 20
_STREAM_SECONDS: Final = 3.0
_MOST_ACTIVE: Final = 12
"""So many operations of an owner may be active before the owner rather cancels one."""

Problems = list[str]


@dataclass
class World:
    """What all owners have done so far."""

    owned: dict[str, list[str]]
    """The operations of each owner."""
    requests: Counter[str] = field(default_factory=Counter)
    """How often each action was answered with each status."""
    busy: int = 0
    cancelled: set[str] = field(default_factory=set)
    """Operations of which a cancel was accepted."""
    problems: Problems = field(default_factory=list)


class RandomOwner:
    """Sends requests with the key of one owner, and checks every answer.

    Args:
        name: The owner.
        http: A client with the owner's key.
        world: What all owners share.
        seed: Of the choices.
    """

    def __init__(self, name: str, http: httpx2.AsyncClient, world: World, seed: int) -> None:
        self._name = name
        self._http = http
        self._world = world
        self._choice = random.Random(seed)
        self._actions: tuple[tuple[Callable[[], Awaitable[None]], int], ...] = (
            (self._start, 4),
            (self._train, 1),
            (self._cancel, 4),
            (self._resume, 3),
            (self._retry, 1),
            (self._delete, 1),
            (self._list, 5),
            (self._show, 3),
            (self._follow, 2),
            (self._meddle, 3),
        )

    async def act(self) -> None:
        """Do one thing."""
        actions, weights = zip(*self._actions, strict=True)
        [action] = self._choice.choices(actions, weights)
        await action()

    async def _send(self, what: str, method: str, path: str, **options: Any) -> httpx2.Response:
        answer = await self._http.request(method, path, **options)
        self._world.requests[f"{what} {answer.status_code}"] += 1
        if answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            if _is_deliberate(answer):
                self._world.busy += 1
            else:
                self._report(f"{method} {path}: {answer.status_code} {answer.text[:300]}")
        return answer

    def _report(self, problem: str) -> None:
        self._world.problems.append(f"{self._name}: {problem}")

    def _mine(self) -> str:
        """Return one of my operations, the latest most often, or the step of one."""
        mine = self._world.owned[self._name]
        if not mine:
            return "nosuch"
        chosen = self._choice.choice(mine[-8:] if self._choice.random() < 0.7 else mine)
        return chosen + self._choice.choice(["", "", "", "", ".training", ".design"])

    async def _start(self) -> None:
        listed = await self._send(
            "count", "GET", "/operations", params={"active_only": "true", "limit": 1}
        )
        if listed.is_success and listed.json()["total_count"] > _MOST_ACTIVE:
            await self._cancel()
            return
        body: dict[str, object] = self._choice.choice(
            [
                {"strategy": "momentum", "bypass_gates": True},
                {"trials": 2},
                {"trials": 3000, "symbol": "NASDAQ"},
                {"brief": "momentum with rsi", "trials": 2},
            ]
        )
        body["seed"] = self._choice.randrange(1000)
        self._own(await self._send("start", "POST", "/agent/trigger", json=body))

    async def _train(self) -> None:
        body = {"strategy_name": "momentum", "seed": self._choice.randrange(1000)}
        self._own(await self._send("train", "POST", "/trainings/start", json=body))

    def _own(self, answer: httpx2.Response) -> None:
        if answer.is_success:
            body = answer.json()
            operation_id = body.get("operation_id") or body["data"]["operation_id"]
            self._world.owned[self._name].append(operation_id)

    async def _cancel(self) -> None:
        operation_id = self._mine()
        body = {"reason": "at random", "force": self._choice.random() < 0.1}
        answer = await self._send(
            "cancel",
            "DELETE",
            f"/operations/{operation_id}",
            params={"wait": self._choice.choice([0, 0.2, 2])},
            json=body,
        )
        if answer.is_success:
            self._world.cancelled.add(
                operation_id.removesuffix(".training").removesuffix(".design")
            )

    async def _resume(self) -> None:
        await self._send("resume", "POST", f"/operations/{self._mine()}/resume")

    async def _retry(self) -> None:
        self._own(await self._send("retry", "POST", f"/operations/{self._mine()}/retry"))

    async def _delete(self) -> None:
        await self._send("delete", "DELETE", f"/checkpoints/{self._mine()}")

    async def _show(self) -> None:
        part = self._choice.choice(["", "", "/children", "/results", "/metrics"])
        await self._send("show", "GET", f"/operations/{self._mine()}{part}")

    async def _list(self) -> None:
        filters: dict[str, Any] = {"limit": self._choice.choice([1, 10, 1000])}
        chosen = self._choice.random()
        if chosen < 0.3:
            filters["status"] = self._choice.choice(_STATUSES)
        elif chosen < 0.5:
            filters["resumable"] = "true"
        elif chosen < 0.6:
            filters["active_only"] = "true"
        answer = await self._send("list", "GET", "/operations", params=filters)
        if not answer.is_success:
            return
        page = answer.json()
        ids = [row["operation_id"] for row in page["data"]]
        if len(set(ids)) != len(ids):
            self._report(f"an operation has several rows in {filters}")
        strangers = {row["owner"] for row in page["data"]} - {self._name}
        if strangers:
            self._report(f"operations of {strangers} in {filters}")
        if page["active_count"] > page["total_count"]:
            self._report(f"{page['active_count']} of {page['total_count']} active")

    async def _follow(self) -> None:
        path = f"/operations/{self._mine()}/events"
        try:
            async with (
                asyncio.timeout(_STREAM_SECONDS),
                self._http.stream("GET", path) as stream,
            ):
                self._world.requests[f"follow {stream.status_code}"] += 1
                if stream.status_code == HTTPStatus.INTERNAL_SERVER_ERROR:
                    self._report(f"GET {path}: 500")
                lines = 0
                async for _ in stream.aiter_lines():
                    lines += 1
                    if lines > _MOST_LINES:
                        break
        except TimeoutError:
            pass  # Nothing happens to it.

    async def _meddle(self) -> None:
        """Try what another owner has."""
        world = self._world.owned
        others = [each for name in world if name != self._name for each in world[name]]
        if not others:
            return
        path = f"/operations/{self._choice.choice(others)}"
        method, path = self._choice.choice(
            [
                ("GET", path),
                ("GET", f"{path}/events"),
                ("GET", f"{path}/report"),
                ("DELETE", path),
                ("POST", f"{path}/resume"),
                ("POST", f"{path}/retry"),
                ("DELETE", path.replace("operations", "checkpoints")),
            ]
        )
        answer = await self._send("meddle", method, path)
        if answer.status_code not in (HTTPStatus.NOT_FOUND, HTTPStatus.SERVICE_UNAVAILABLE):
            self._report(f"{method} {path} of another owner: {answer.status_code}")


def _is_deliberate(answer: httpx2.Response) -> bool:
    """Whether a 503 says what does not answer, in the shape of all refusals."""
    if answer.status_code != HTTPStatus.SERVICE_UNAVAILABLE:
        return False
    problem = answer.headers["content-type"] == "application/problem+json"
    return problem and str(answer.json()["reason"]).endswith(("busy", "_unavailable"))
