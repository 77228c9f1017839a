"""The record of all researches: experiments, hypotheses, and the memory of the next search."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from temporalio.client import Client

from settings import Settings
from storage.ledger import Ledger
from tests.api.answers import accepted, ended, refused
from tests.support.data import walk
from tests.support.helpers import new_id
from tests.support.phases import start
from workflows.messages import ResearchRequest


async def list_experiments(api: httpx2.AsyncClient, **filters: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = accepted(await api.get("/experiments", params=filters))["data"]
    return rows


async def test_a_research_that_has_ended_is_listed_however_it_ended(
    api: httpx2.AsyncClient, client: Client
) -> None:
    owner = new_id("owner")
    completed = await start(client, ResearchRequest(strategy="quick", seed=7, owner=owner))
    await completed.result()
    cancelled = accepted(
        await api.post("/agent/trigger", json={"trials": 10_000, "owner": owner, "seed": 1}), 202
    )["operation_id"]
    accepted(await api.delete(f"/agent/cancel/{cancelled}", params={"wait": 20}))
    await ended(api, cancelled)

    newest_first = await list_experiments(api, owner=owner)
    assert [row["operation_id"] for row in newest_first] == [cancelled, completed.id]
    [row] = await list_experiments(api, owner=owner, status="completed")
    assert (row["strategy_name"], row["symbol"], row["designer"]) == ("quick", "SP500", "search")
    shown = accepted(await api.get(f"/experiments/{completed.id}"))["data"]
    assert shown["seed"] == 7
    assert shown["strategy"]["name"] == "quick"
    assert shown["metrics"]["verdict"] == shown["verdict"] == row["verdict"]
    assert shown["cost"] is None
    page = accepted(await api.get("/experiments", params={"owner": owner, "limit": 1}))
    assert (len(page["data"]), page["total_count"]) == (1, 2)


async def test_a_gate_and_a_verdict_leave_hypotheses(
    api: httpx2.AsyncClient, client: Client, data_dir: Path
) -> None:
    # Bars that no other test uses.
    walk(2000, "1D").to_csv(data_dir / "UNTRIED.csv", index=False)
    first = await start(client, ResearchRequest(strategy="quick", symbol="UNTRIED", seed=7))
    await first.result()
    found = accepted(await api.get("/hypotheses", params={"symbol": "UNTRIED"}))["data"]
    assert found
    assert {row["symbol"] for row in found} == {"UNTRIED"}
    # Another strategy tests some of the suggestions.
    second = await start(
        client, ResearchRequest(trials=1, symbol="UNTRIED", seed=3, brief="volume")
    )
    await second.result()
    settled = {
        row["hypothesis_id"]: row
        for row in accepted(await api.get("/hypotheses", params={"symbol": "UNTRIED"}))["data"]
        if row["tested_by"] == second.id
    }
    assert settled
    assert {row["status"] for row in settled.values()} <= {"supported", "refuted", "inconclusive"}
    assert second.id not in {row["operation_id"] for row in settled.values()}


async def test_a_search_starts_from_what_others_have_tried(
    api: httpx2.AsyncClient, client: Client, settings: Settings
) -> None:
    before = await start(client, ResearchRequest(trials=3, symbol="NASDAQ", seed=7))
    await before.result()

    async def count_remembered(**request: Any) -> int:
        handle = await start(client, ResearchRequest(trials=1, symbol="NASDAQ", **request))
        await handle.result()
        design = accepted(await api.get(f"/operations/{handle.id}.design/results"))["results"]
        count: int = design["remembered"]
        return count

    traded = len(
        Ledger(settings.ledger_url).trials.find_best(await read_data_hash(api, before.id), 50)
    )
    assert traded > 0
    assert await count_remembered() == traded
    # A seed asks for a reproducible result, so the search ignores the memory.
    assert await count_remembered(seed=1) == 0
    assert await count_remembered(seed=1, memory=True) >= traded
    assert await count_remembered(memory=False) == 0


async def test_a_strategy_that_samples_is_another_trial_with_another_seed(
    api: httpx2.AsyncClient,
    client: Client,
    strategy_dir: Path,
    fresh_bars: Callable[[str, int], None],
) -> None:
    fresh_bars("SAMPLED", 31)
    quick = (strategy_dir / "quick.yaml").read_text()
    sampled = quick.replace("quick", "sampled").replace(
        "model: {", "model: {bagging_fraction: 0.5, "
    )
    (strategy_dir / "sampled.yaml").write_text(sampled)
    for seed in (1, 2, 1):
        asked = ResearchRequest(strategy="sampled", symbol="SAMPLED", seed=seed, bypass_gates=True)
        await (await start(client, asked)).result()
    rows = accepted(await api.get("/leaderboard", params={"symbol": "SAMPLED"}))["data"]
    assert [(row["trials_ever"], row["holdout_looks"]) for row in rows] == [(2, 2)] * 3


async def read_data_hash(api: httpx2.AsyncClient, operation_id: str) -> str:
    found: str = accepted(await api.get(f"/experiments/{operation_id}"))["data"]["data_hash"]
    return found


async def test_there_is_a_budget(api: httpx2.AsyncClient) -> None:
    budget = accepted(await api.get("/agent/budget"))
    assert (budget["daily_limit"], budget["budget_disabled"]) == (20.0, False)
    assert budget["remaining"] == pytest.approx(20.0 - budget["today_spend"])
    status = accepted(await api.get("/agent/status"))
    assert status["budget"]["daily_limit"] == 20.0


@pytest.mark.parametrize(
    ("path", "params", "field"),
    [
        ("/experiments", {"status": "lost"}, "status"),
        ("/experiments", {"sort": "luck"}, "sort"),
        ("/experiments", {"limit": 0}, "limit"),
        ("/experiments", {"offset": -1}, "offset"),
        ("/experiments", {"data_hash": "abc"}, "data_hash"),
        ("/experiments", {"colour": "red"}, "colour"),
        ("/leaderboard", {"limit": 0}, "limit"),
        ("/leaderboard", {"sort": "sharpe"}, "sort"),
        ("/hypotheses", {"status": "maybe"}, "status"),
        ("/hypotheses", {"limit": 10_000}, "limit"),
    ],
)
async def test_an_invalid_filter_is_refused(
    api: httpx2.AsyncClient, path: str, params: dict[str, Any], field: str
) -> None:
    refused(await api.get(path, params=params), 422, "invalid_input", field)


@pytest.mark.parametrize("experiment_id", ["op_unknown", "x" * 10_000, "%2E%2E", "ä%2Fb"])
async def test_an_unknown_experiment_is_not_found(
    api: httpx2.AsyncClient, experiment_id: str
) -> None:
    assert (await api.get(f"/experiments/{experiment_id}")).status_code == 404
