"""Each route waits for what it needs and for nothing else, as docs/operations.md says."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from fastapi.routing import APIRoute
from temporalio.client import Client

from activities.computing.compute import Compute
from activities.research import ResearchActivities
from api import routes as routes_package
from api.app import create_app
from api.auth.keys import KeyRing
from api.auth.scopes import Scope
from api.page import routes as page_routes
from settings import Settings
from storage.ledger.ledger import Ledger
from temporal.registrations import make_registrations
from tests.api.answers import accepted, ended
from tests.support.documents import rows_of
from tests.support.helpers import assert_eventually, free_port, serving
from tests.support.outside.postgresql import postgresql_server
from tests.support.outside.silence import shut_database, silent, silent_database, silent_http_server
from tests.support.outside.temporal_server import connect, dev_server, end_everything
from worker import run_workers

pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")

OWNER = "ada"
QUICK = {"strategy": "quick", "seed": 7, "bypass_gates": True}

TEMPORAL, LEDGER, ARTIFACTS = "Temporal", "ledger", "artifact store"
REASON = {
    TEMPORAL: "temporal_unavailable",
    LEDGER: "ledger_unavailable",
    ARTIFACTS: "artifacts_unavailable",
}
# More at once would wait for the processor of a small machine.
AT_ONCE = 8
# It has no end, whatever is away. So this is how long it must not refuse.
ENDLESS, SECONDS_OF_ENDLESS = "GET /operations/events", 3.0
# Longer than any limit of a call, and than all calls of one route together.
LONGEST = 120.0

NEEDS = {row[0].strip("`"): row[1:] for row in rows_of("operations.md", "What each door needs")}


@dataclass(frozen=True)
class Installation:
    """An installation of its own, in which two researches have been completed.

    Another was cancelled and its checkpoint deleted: it cannot be resumed, which the store knows.
    """

    client: Client
    settings: Settings
    key: str
    research: str
    compared: str
    cancelled: str
    campaign: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}

    def request(self, route: str) -> tuple[str, str, dict[str, Any]]:
        """Return method, path and options of a request that is valid."""
        method, _, path = route.partition(" ")
        of_cancelled = "/checkpoints" in path or path.endswith("/resume")
        # The completed ones are still needed.
        of_cancelled |= route == "DELETE /operations/{operation_id}/artifacts"
        research = self.cancelled if of_cancelled else self.research
        values = {
            "operation_id": self.campaign if "/campaigns" in path else research,
            "research_id": self.research,
            "schedule_id": "nightly",
            "name": "quick",
            "path": "page.css",
        }
        bodies: dict[str, Any] = {
            "POST /agent/trigger": {"json": QUICK},
            "POST /campaigns": {"json": {"name": "doors", "research": QUICK}},
            "POST /agent/preview": {"json": QUICK},
            "DELETE /operations": {"params": {"owner": OWNER, "dry_run": True}},
            "POST /trainings/start": {"json": {"strategy_name": "quick"}},
            "POST /backtests/start": {"json": {"training_id": f"{self.research}.training"}},
            "PATCH /experiments/{operation_id}": {"json": {"note": "seen"}},
            "GET /comparison": {"params": {"operation_id": [self.research, self.compared]}},
            "DELETE /artifacts": {"params": {"older_than_days": 0, "dry_run": True}},
            "POST /schedules": {"json": {"schedule_id": "weekly", "cron": "0 2 * * 0"}},
            "POST /watches": {"json": {"research_id": self.research}},
            "POST /watches/look": {"json": {"symbol": "GOLD", "timeframe": "1d"}},
            "POST /strategies/validate": {"content": b"name: x"},
        }
        return method, path.format(**values), bodies.get(route, {})


@pytest_asyncio.fixture(scope="module")
async def installation(
    settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Installation]:
    home = tmp_path_factory.mktemp("doors")
    ring = KeyRing(home / "keys.json")
    key = ring.add(OWNER, OWNER, (Scope.RUN,))
    with postgresql_server() as url, dev_server(home) as address:
        own = settings.model_copy(
            update={"home": home, "ledger_url": url, "api_keys": ring.path, "compute_slots": 2}
        )
        client = await connect(address)
        async with run_workers(client, own):
            headers = {"Authorization": f"Bearer {key}"}
            async with serving(create_app(own, client)) as api:
                api.headers.update(headers)
                answer = await api.post("/agent/trigger", json=QUICK)
                research = str(accepted(answer, 202)["operation_id"])
                answer = await api.post("/agent/trigger", json=QUICK)
                compared = str(accepted(answer, 202)["operation_id"])
                asked = {"name": "first", "research": QUICK}
                answer = await api.post("/campaigns", json=asked)
                campaign = str(accepted(answer, 202)["operation_id"])
                for each in (research, compared, campaign):
                    assert (await ended(api, each))["status"] == "completed"
                answer = await api.post("/agent/trigger", json={"trials": 1000})
                cancelled = str(accepted(answer, 202)["operation_id"])
                accepted(await api.delete(f"/operations/{cancelled}"))
                assert (await ended(api, cancelled))["status"] == "cancelled"

                async def is_listed() -> bool:
                    listed = accepted(await api.get("/checkpoints"))["data"]
                    return cancelled in {each["operation_id"] for each in listed}

                await assert_eventually(is_listed)
                accepted(await api.delete(f"/checkpoints/{cancelled}"))
            yield Installation(client, own, key, research, compared, cancelled, campaign)
            await end_everything(client)


@contextmanager
def ledger_shut(of: Installation) -> Iterator[dict[str, Any]]:
    with shut_database(of.settings.ledger_url):
        yield {}


@contextmanager
def ledger_silent(of: Installation) -> Iterator[dict[str, Any]]:
    with silent_database(of.settings.ledger_url):
        yield {}


@contextmanager
def temporal_silent(of: Installation) -> Iterator[dict[str, Any]]:
    with silent(int(of.client.service_client.config.target_host.rpartition(":")[2])):
        yield {}


@contextmanager
def artifacts_away(_: Installation) -> Iterator[dict[str, Any]]:
    yield {"artifacts_url": f"webhdfs://127.0.0.1:{free_port()}/store"}


@contextmanager
def artifacts_silent(of: Installation) -> Iterator[dict[str, Any]]:
    with silent_http_server(of.settings.home) as port:
        yield {"artifacts_url": f"webhdfs://127.0.0.1:{port}/store"}


Fault = Callable[[Installation], AbstractContextManager[dict[str, Any]]]

FAULTS: list[tuple[str, Fault]] = [
    (LEDGER, ledger_shut),
    (LEDGER, ledger_silent),
    (TEMPORAL, temporal_silent),
    (ARTIFACTS, artifacts_away),
    (ARTIFACTS, artifacts_silent),
]


def test_the_tables_have_every_route_and_every_activity(tmp_path: Path) -> None:
    routes = {
        f"{method} {route.path_format}"
        for module in (*vars(routes_package).values(), page_routes)
        if isinstance(module, ModuleType) and hasattr(module, "router")
        for route in module.router.routes
        if isinstance(route, APIRoute)
        for method in route.methods or ()
    }
    assert set(NEEDS) == routes
    served = make_registrations(
        ResearchActivities(
            compute=Compute(8),
            ledger=Ledger(f"sqlite:///{tmp_path}/ledger.db"),
            settings=Settings(home=tmp_path),
        )
    )
    activities = {each.__name__ for queue in served.values() for each in queue.activities}
    described = rows_of("operations.md", "What each activity needs")
    assert {row[0].strip("`") for row in described} == activities


def missing(problem: dict[str, Any]) -> str | None:
    """Return which party is missing, as an answer with status 503 says."""
    if "ready" not in problem:
        return str(problem["reason"])
    if not problem["temporal"]:
        return REASON[TEMPORAL]
    return None if problem["ledger"] else REASON[LEDGER]


@pytest.mark.long
@pytest.mark.parametrize(("party", "fault"), FAULTS, ids=[fault.__name__ for _, fault in FAULTS])
async def test_a_route_answers_503_only_if_it_needs_what_is_away(
    installation: Installation, party: str, fault: Fault
) -> None:
    few_at_once = asyncio.Semaphore(AT_ONCE)

    async def problem_of(api: httpx2.AsyncClient, route: str) -> str | None:
        """Return how the answer of a route is not as the table says; nothing if it is."""
        needs = dict(zip(REASON, NEEDS[route], strict=True))
        method, path, options = installation.request(route)
        try:
            async with (
                few_at_once,
                asyncio.timeout(SECONDS_OF_ENDLESS if route == ENDLESS else None),
            ):
                answer = await api.request(method, path, **options)
        except TimeoutError:
            return None if route == ENDLESS and needs[party] != "needed" else f"{route}: no end"
        refused = answer.status_code == 503 and missing(answer.json()) == REASON[party]
        if answer.status_code != 500 and refused == (needs[party] == "needed"):
            return None
        return f"{route}: {answer.status_code} {answer.text}"

    with fault(installation) as changes:
        app = create_app(installation.settings.model_copy(update=changes), installation.client)
        async with serving(app) as api, asyncio.timeout(LONGEST):
            api.headers.update(installation.headers)
            problems = await asyncio.gather(*(problem_of(api, route) for route in NEEDS))
    assert [problem for problem in problems if problem] == []
