"""Reproducing a finished research, bit for bit."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from temporalio.client import Client

from quant.messages.artifacts import Artifact
from settings import Settings
from storage.artifacts import ArtifactStore
from storage.ledger.ledger import Ledger
from tests.api.answers import accepted, ended, refused
from tests.support.helpers import new_id
from tests.support.phases import start
from workflows.interface.messages import ResearchRequest


async def reproduce(api: httpx2.AsyncClient, operation_id: str) -> dict[str, Any]:
    """Reproduce a research, and return the comparison."""
    answer = await api.post(f"/experiments/{operation_id}/reproduce")
    again = accepted(answer, 202)["data"]["operation_id"]
    assert answer.headers["location"].endswith(f"/operations/{again}")
    assert (await ended(api, again))["status"] == "completed"
    return accepted(await api.get(f"/experiments/{again}/reproduction"))


async def test_a_search_with_memory_is_reproduced(
    api: httpx2.AsyncClient,
    client: Client,
    fresh_bars: Callable[[str, int], None],
    settings: Settings,
) -> None:
    fresh_bars("AGAIN", 11)
    for request in (ResearchRequest(trials=4, seed=1), ResearchRequest(trials=2)):
        handle = await start(client, request.model_copy(update={"symbol": "AGAIN"}))
        result = await handle.result()
    ledger = Ledger(settings.ledger_url)
    # Meanwhile other researches increase the counts.
    later = ResearchRequest(symbol="AGAIN", trials=2, seed=99, memory=True)
    await (await start(client, later)).result()
    bars = later.data
    counted = ledger.trials.count(bars), ledger.looks.count(bars)

    answer = await reproduce(api, handle.id)

    assert answer["identical"], answer["differences"]
    assert answer["reproduces"] == handle.id
    assert (answer["differences"], answer["versions"]) == ([], [])
    repeated = ledger.experiments.get(answer["operation_id"])
    assert repeated is not None and repeated.metrics is not None
    assert repeated.metrics["model_sha256"] == result.model_sha256
    assert repeated.versions is not None and "lightgbm" in repeated.versions
    # A reproduction is not another trial.
    assert (ledger.trials.count(bars), ledger.looks.count(bars)) == counted


async def test_a_strategy_file_is_taken_from_the_record(
    api: httpx2.AsyncClient, client: Client, strategy_dir: Path
) -> None:
    mine = strategy_dir / "mine.yaml"
    mine.write_text((strategy_dir / "quick.yaml").read_text().replace("quick", "mine"))
    handle = await start(client, ResearchRequest(strategy="mine", seed=7, bypass_gates=True))
    await handle.result()
    mine.unlink()
    assert (await reproduce(api, handle.id))["identical"]


async def test_differences_are_named(
    api: httpx2.AsyncClient, client: Client, settings: Settings
) -> None:
    owner = new_id("owner")
    handle = await start(client, ResearchRequest(strategy="quick", seed=7, owner=owner))
    await handle.result()
    ledger = Ledger(settings.ledger_url)
    recorded = ledger.experiments.get(handle.id)
    assert recorded is not None and recorded.metrics is not None
    changed = recorded.model_copy(
        update={
            "metrics": {**recorded.metrics, "seed": 8},
            "versions": {**(recorded.versions or {}), "lightgbm": "0.1"},
        }
    )
    ledger.experiments.record(changed)
    answer = await reproduce(api, handle.id)
    assert not answer["identical"]
    assert [row["name"] for row in answer["differences"]] == ["result.seed"]
    [version] = answer["versions"]
    assert (version["name"], version["recorded"]) == ("lightgbm", "0.1")
    # A reproduction is not another experiment in the ranking.
    ranked = accepted(await api.get("/experiments", params={"owner": owner, "originals": True}))
    assert [row["operation_id"] for row in ranked["data"]] == [handle.id]
    assert accepted(await api.get("/experiments", params={"owner": owner}))["total_count"] == 2


async def test_a_changed_benchmark_is_refused(
    api: httpx2.AsyncClient, client: Client, fresh_bars: Callable[[str, int], None]
) -> None:
    fresh_bars("TRADED", 12)
    fresh_bars("COMPARED", 14)
    request = ResearchRequest(
        symbol="TRADED", benchmark="COMPARED", trials=1, seed=1, bypass_gates=True
    )
    handle = await start(client, request)
    await handle.result()
    assert (await reproduce(api, handle.id))["identical"]

    fresh_bars("COMPARED", 15)

    again = accepted(await api.post(f"/experiments/{handle.id}/reproduce"), 202)["data"]
    failed = await ended(api, again["operation_id"])
    assert failed["status"] == "failed"
    assert "benchmark: the bars of COMPARED 1d have changed" in failed["error_message"]


async def test_changed_bars_are_refused_until_they_are_restored(
    api: httpx2.AsyncClient, client: Client, fresh_bars: Callable[[str, int], None]
) -> None:
    fresh_bars("EDITED", 12)
    request = ResearchRequest(symbol="EDITED", trials=1, bypass_gates=True)
    handle = await start(client, request)
    await handle.result()
    fresh_bars("EDITED", 13)
    again = accepted(await api.post(f"/experiments/{handle.id}/reproduce"), 202)["data"]
    failed = await ended(api, again["operation_id"])
    assert failed["status"] == "failed"
    assert "have changed" in failed["error_message"]
    refused(
        await api.get(f"/experiments/{again['operation_id']}/reproduction"),
        409,
        "not_reproducible",
    )
    # The seed of the original was drawn. A retry of the reproduction has the same seed.
    fresh_bars("EDITED", 12)
    retried = accepted(await api.post(f"/operations/{again['operation_id']}/retry"), 202)["data"]
    assert (await ended(api, retried["operation_id"]))["status"] == "completed"
    path = f"/experiments/{retried['operation_id']}/reproduction"
    assert accepted(await api.get(path))["identical"]


async def test_a_missing_memory_is_reported(
    api: httpx2.AsyncClient, client: Client, settings: Settings
) -> None:
    handle = await start(client, ResearchRequest(trials=1, bypass_gates=True))
    await handle.result()
    design = ArtifactStore(settings.artifacts_url).open(f"{handle.id}.design")
    await asyncio.to_thread(Path(design.location(Artifact.MEMORY)).unlink)
    again = accepted(await api.post(f"/experiments/{handle.id}/reproduce"), 202)["data"]
    failed = await ended(api, again["operation_id"])
    assert failed["status"] == "failed"
    assert Artifact.MEMORY in failed["error_message"]


@pytest.mark.parametrize("path", ["reproduce", "reproduction"])
async def test_an_unrecorded_research_cannot_be_reproduced(
    api: httpx2.AsyncClient, path: str
) -> None:
    ask = api.post if path == "reproduce" else api.get
    refused(await ask(f"/experiments/nosuch/{path}"), 404, "not_found")


async def test_a_research_without_result_or_request_cannot_be_reproduced(
    api: httpx2.AsyncClient, client: Client, settings: Settings
) -> None:
    handle = await start(client, ResearchRequest(strategy="quick", seed=7))
    await handle.result()
    path = f"/experiments/{handle.id}"
    refused(await api.get(f"{path}/reproduction"), 409, "not_reproducible")
    ledger = Ledger(settings.ledger_url)
    recorded = ledger.experiments.get(handle.id)
    assert recorded is not None
    for lacking in ({"request": None}, {"request": {"trials": 0}}, {"metrics": None}):
        ledger.experiments.record(recorded.model_copy(update=lacking))
        refused(await api.post(f"{path}/reproduce"), 409, "not_reproducible")
