"""The record of all researches: experiments, hypotheses, and the memory of the next search."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from temporalio.client import Client

from quant.verdict.gates import GateLimits, TrainingLimits
from settings import Settings
from storage.ledger.ledger import Ledger
from tests.api.answers import accepted, ended, refused
from tests.support.helpers import new_id
from tests.support.phases import start
from tests.support.quant.data import walk
from workflows.interface.messages import ResearchRequest

HOPELESS = GateLimits(training=TrainingLimits(sharpe=50.0))


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
    api: httpx2.AsyncClient,
    client: Client,
    settings: Settings,
    fresh_bars: Callable[[str, int], None],
) -> None:
    # On other bars, a search of another test may have tried what this one does not know.
    fresh_bars("REMEMBERED", 32)
    before = await start(client, ResearchRequest(trials=3, symbol="REMEMBERED", seed=7))
    await before.result()

    async def count_remembered(**request: Any) -> int:
        # The memory is that of the design: a gate rejects what comes out of the training.
        asked = ResearchRequest(trials=1, symbol="REMEMBERED", gates=HOPELESS, **request)
        handle = await start(client, asked)
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


async def test_people_write_notes_and_tags_and_find_by_them(
    api: httpx2.AsyncClient, client: Client
) -> None:
    owner, mark = new_id("owner"), new_id("Mark")
    handle = await start(client, ResearchRequest(strategy="quick", seed=7, owner=owner))
    await handle.result()
    path = f"/experiments/{handle.id}"
    written = {"note": f"<b>{mark}</b>\nsecond line", "add_tags": [mark, "calm"]}
    changed = accepted(await api.patch(path, json=written))["data"]
    assert (changed["note"], changed["tags"]) == (written["note"], sorted([mark, "calm"]))
    accepted(await api.patch(path, json={"remove_tags": ["calm"]}))
    assert accepted(await api.get(path))["data"]["tags"] == [mark]
    for filters in ({"tag": mark}, {"text": mark.lower()}, {"owner": owner, "text": "</B>"}):
        [row] = await list_experiments(api, **filters)
        assert (row["operation_id"], row["tags"]) == (handle.id, [mark])
    assert await list_experiments(api, tag=mark, text="nowhere") == []
    tags = accepted(await api.get("/tags"))["data"]
    assert {"tag": mark, "experiments": 1} in tags
    for body, field in (
        ({}, "body"),
        ({"note": "x" * 4001}, "note"),
        ({"note": "a\0b"}, "note"),
        ({"add_tags": ["two words"]}, "add_tags.0"),
        ({"add_tags": ["a"], "remove_tags": ["a"]}, "body"),
        ({"tags": ["a"]}, "tags"),
        ({"add_tags": [f"t{each}" for each in range(20)]}, "add_tags"),
    ):
        refused(await api.patch(path, json=body), 422, "invalid_input", field)
    assert accepted(await api.get(path))["data"]["tags"] == [mark]
    refused(await api.patch("/experiments/nosuch", json={"note": "x"}), 404, "not_found")


async def test_two_researches_are_compared(
    api: httpx2.AsyncClient, client: Client, fresh_bars: Callable[[str, int], None]
) -> None:
    fresh_bars("COMPARED", 5)
    ids = []
    for trials, symbol in ((2, "NASDAQ"), (1, "NASDAQ"), (1, "COMPARED")):
        asked = ResearchRequest(trials=trials, symbol=symbol, seed=7, bypass_gates=True)
        handle = await start(client, asked)
        await handle.result()
        ids.append(handle.id)
    compared = accepted(await api.get("/comparison", params={"operation_id": ids}))["data"]
    assert [each["operation_id"] for each in compared["researches"]] == ids
    rows = {row["name"]: row for row in compared["parameters"]}
    assert rows["symbol"] == {
        "name": "symbol",
        "values": ["NASDAQ", "NASDAQ", "COMPARED"],
        "differs": True,
    }
    assert rows["candidates"]["values"] == [2, 1, 1]
    assert (rows["seed"]["values"], rows["seed"]["differs"]) == ([7, 7, 7], False)
    matrix = compared["correlations"]
    assert [matrix[each][each] for each in range(3)] == pytest.approx([1.0] * 3)
    assert matrix[0][1] == pytest.approx(matrix[1][0])
    for each in compared["researches"]:
        curve = each["holdout_curve"]
        assert len(curve["timestamps"]) == len(curve["equity"]) <= 400
    for params, field in (
        ({"operation_id": ids[:1]}, "operation_id"),
        ({"operation_id": [ids[0], ids[0]]}, "operation_id"),
        ({"operation_id": ["x"] * 9}, "operation_id"),
        ({}, "operation_id"),
    ):
        answer = await api.get("/comparison", params=params)
        refused(answer, 422, "invalid_input", field)
    answer = await api.get("/comparison", params={"operation_id": [ids[0], "op_unknown"]})
    refused(answer, 404, "not_found")

    market = accepted(
        await api.get("/markets", params={"symbol": "COMPARED", "timeframe": "1d", "trials": 30})
    )["data"][0]
    assert (market["researches"], market["trials_ever"], market["holdout_looks"]) == (1, 1, 1)
    assert (market["next_trials"], market["next_look"]) == (31, 2)
    assert market["required_sharpe"] > market["expected_best_sharpe"] > 0
    listed = accepted(await api.get("/markets"))
    assert listed["data"][0]["symbol"] == "COMPARED"
    assert {row["symbol"] for row in listed["data"]} >= {"COMPARED", "NASDAQ"}
    untried = {"symbol": "UNKNOWN", "timeframe": "1h"}
    [fresh] = accepted(await api.get("/markets", params=untried))["data"]
    assert (fresh["next_look"], fresh["required_sharpe"]) == (1, None)


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
        ("/experiments", {"tag": "two words"}, "tag"),
        ("/experiments", {"text": ""}, "text"),
        ("/experiments", {"text": "a\0"}, "text"),
        ("/markets", {"trials": 0}, "trials"),
        ("/markets", {"symbol": "SP500", "timeframe": "1d", "offset": 1}, "offset"),
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
