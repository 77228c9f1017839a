"""The installation of docker-compose.yml, started and used as docs/operations.md says."""

import json
import re
from typing import Any, Final

import httpx2
import pytest

from tests.api.answers import accepted, ended
from tests.compose.composition import PREVIOUS, QUEUES, SERVICES
from tests.container.documentation import documented
from tests.container.installation import LEAK, Installation
from tests.container.researches import completed, shown, start
from tests.support.helpers import PATIENCE, assert_eventually

pytestmark = pytest.mark.timeout(1800)

SECONDS_TO_BE_HEALTHY: Final = 120
FOREVER: Final = 10_000
PUBLISHED: Final = {"proxy": "8000", "temporal-ui": "8233"}


def test_it_is_healthy_within_two_minutes(started: tuple[Installation, float]) -> None:
    _, seconds = started
    assert seconds <= SECONDS_TO_BE_HEALTHY


def test_containers_know_what_is_in_env_and_nothing_of_the_shell(
    installation: Installation,
) -> None:
    for container in installation.containers():
        environment = container["Config"]["Env"]
        assert not [each for each in environment if LEAK in each], container["Name"]
        if container["Config"]["Image"].startswith("ktrdr:"):
            assert "OTEL_RESOURCE_ATTRIBUTES=deployment.environment=production" in environment
            assert "KTRDR_COMPUTE_SLOTS=2" in environment


def test_logs_are_cut(installation: Installation) -> None:
    for container in installation.containers():
        assert container["HostConfig"]["LogConfig"]["Config"] == {
            "max-size": "10m",
            "max-file": "5",
        }


def numbers(installation: Installation) -> dict[str, int]:
    services = ["api", *(f"worker-{queue}" for queue in QUEUES)]
    return {name: len(installation.containers(name)) for name in services}


def test_scale_and_ports_survive_every_restart(installation: Installation) -> None:
    expected = {"api": 2, "worker-research": 1, "worker-training": 2, "worker-backtest": 1}
    assert numbers(installation) == expected
    installation.compose("restart", "api", "proxy")
    up = documented("First start").splitlines()[-1]
    installation.shell(up)
    installation.until_healthy()
    assert numbers(installation) == expected
    assert httpx2.get(installation.ui).is_success
    published = {
        container["Config"]["Labels"]["com.docker.compose.service"]: container
        for container in installation.containers()
        if any(container["NetworkSettings"]["Ports"].values())
    }
    assert published.keys() == PUBLISHED.keys()
    for name, service in published.items():
        [[port]] = [each for each in service["NetworkSettings"]["Ports"].values() if each]
        assert port == {"HostIp": installation.engine.address, "HostPort": PUBLISHED[name]}


async def test_researches_share_replicas_and_workers_and_are_cancelled_one_by_one(
    installation: Installation,
) -> None:
    urls = installation.replicas()
    assert len(urls) == 2
    async with installation.client(urls[0]) as first, installation.client(urls[1]) as second:
        listed = accepted_list(await first.get("/workers"))
        queues = [worker["worker_type"] for worker in listed]
        assert queues.count("training") >= 2
        researches = [
            await start(api, trials=2, symbol="AAPL") for api in (first, second) for _ in range(3)
        ]
        endless = [await start(api, trials=FOREVER) for api in (first, second)]
        for research, other in zip(endless, (second, first), strict=True):
            answer = accepted(await other.delete(f"/agent/cancel/{research}?wait=20"))
            assert answer["status"] == "cancelled"
        await completed(first, *researches)
        statuses = [(await shown(second, each))["status"] for each in (*researches, *endless)]
        assert statuses == ["completed"] * 6 + ["cancelled"] * 2


def accepted_list(answer: httpx2.Response) -> list[dict[str, Any]]:
    assert answer.is_success, answer.text
    listed: list[dict[str, Any]] = answer.json()
    return listed


async def test_events_pass_the_proxy_as_they_happen(installation: Installation) -> None:
    async with installation.client() as api:
        research = await start(api, trials=FOREVER)
        statuses: list[str] = []
        async with api.stream("GET", f"/operations/{research}/events") as events:
            async for line in events.aiter_lines():
                if line.startswith("data:"):
                    statuses.append(json.loads(line.removeprefix("data:"))["status"])
                    if len(statuses) == 2:
                        accepted(await api.delete(f"/agent/cancel/{research}?wait=20"))
        assert statuses[-1] == "cancelled"


async def test_without_replicas_the_proxy_refuses_in_the_form_of_the_api(
    installation: Installation,
) -> None:
    async with installation.client() as api:
        installation.compose("stop", "api")
        try:

            async def refused() -> httpx2.Response | None:
                try:
                    answer = await api.get("/operations")
                except httpx2.RemoteProtocolError:
                    # The answer of a replica that was just stopped.
                    return None
                return answer if answer.status_code == 503 else None

            answer = await assert_eventually(refused, within=PATIENCE)
            assert answer is not None
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["reason"] == "api_unavailable"
            assert answer.json()["instance"] == "/operations"
        finally:
            installation.compose("start", "api")
        installation.until_healthy()


async def test_the_temporal_command_shows_the_installation(installation: Installation) -> None:
    async with installation.client() as api:
        research = await start(api, trials=2)
        assert (await ended(api, research))["status"] == "completed"
    printed = installation.shell(documented("The temporal command"))
    assert research in printed
    assert re.search(r"\bSERVING\b", printed)


def test_a_key_that_cannot_be_written_is_refused_with_its_file(installation: Installation) -> None:
    keys = ("admin", "keys", "add", "eve", "--owner", "eve", "--scope", "read")
    with pytest.raises(AssertionError) as refusal:
        installation.compose("exec", "-T", "api", "ktrdr", *keys)
    assert "/run/secrets/api-keys.json" in str(refusal.value)
    assert "Traceback" not in str(refusal.value)


def test_payload_keys_are_made_with_the_image(installation: Installation) -> None:
    installation.set(KTRDR_PAYLOAD_KEYS="/run/secrets/payload-keys.json")
    try:
        installation.shell(documented("Settings of the installation"))
    finally:
        installation.set(KTRDR_PAYLOAD_KEYS="")
    assert (installation.directory / "secrets/payload-keys.json").stat().st_uid == 10001


def test_every_service_is_running(installation: Installation) -> None:
    running = {
        container["Config"]["Labels"]["com.docker.compose.service"]
        for container in installation.containers()
    }
    once = {"setup", "temporal-schema", "temporal-namespace"}
    assert SERVICES.keys() - running - set(PREVIOUS) == {*once, "ktrdr", "temporal-cli"}
