"""Whether there are enough bars is said before anything starts."""

from collections.abc import AsyncGenerator, Callable, Collection, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import httpx2
import pytest

from api.steps import readiness as readiness_module
from quant.bars.directory import list_files
from quant.messages.readiness import ReadinessCheck
from settings import Settings
from tests.api.answers import accepted, ended, refused
from tests.support.helpers import new_id
from tests.support.quant.universes import make_bars, make_closes, write_bars

TRIGGER = "/agent/trigger"
PREVIEW = "/agent/preview"
SYMBOLS = ["REDA", "REDB", "REDC"]
# The second instrument begins 200 days later: on 2 June 1990.
TARGETED = """\
name: targeted
features: [{kind: return, period: 5}]
volatility_target: 0.1
"""
FAR_BACK = """\
name: far-back
features: [{kind: return, period: 250, timeframe: 4w}]
"""


@pytest.fixture(autouse=True)
def files(fresh_universe: Callable[..., None], settings: Settings) -> Iterator[None]:
    fresh_universe(SYMBOLS, seed=43)
    write_bars(settings.data_dir, make_bars("REDFEW", make_closes(499, 1, 1)[:, 0]))
    written = [settings.data_dir / "REDFEW.csv"]
    for content in (TARGETED, FAR_BACK):
        name = content.splitlines()[0].removeprefix("name: ")
        written.append(settings.strategy_dir / f"{name}.yaml")
        written[-1].write_text(content)
    yield
    for path in written:
        path.unlink()


BAD: list[tuple[dict[str, Any], str, str]] = [
    ({"start_date": "2018-06-01"}, "start_date", "SP500 1d has 147 bars from 2018-06-01"),
    ({"end_date": "1999-06-01"}, "end_date", "until 1999-06-01"),
    ({"symbol": "REDFEW"}, "symbol", "REDFEW.csv has 499 bars"),
    ({"symbol": "REDA", "start_date": "1991-06-01"}, "start_date", "REDA"),
    ({"symbols": SYMBOLS, "end_date": "1990-08-01"}, "symbols", "REDB has"),
    ({"symbols": ["REDA", "REDFEW"]}, "symbol", "REDFEW.csv has 499 bars"),
    (
        {"symbols": ["REDA", "REDC"], "start_date": "1991-12-01"},
        "start_date",
        "before its holdout from 1991-12-01",
    ),
    ({"strategy": "far-back"}, "features", "0 development bars remain"),
]


@pytest.mark.parametrize(("body", "field", "said"), BAD)
async def test_a_research_for_which_there_are_too_few_bars_is_refused(
    alone_api: httpx2.AsyncClient, body: dict[str, Any], field: str, said: str
) -> None:
    answer = await alone_api.post(TRIGGER, json=body)

    assert said in refused(answer, 422, "invalid_data", field)["detail"]


async def test_a_schedule_and_a_training_are_refused_likewise(
    alone_api: httpx2.AsyncClient,
) -> None:
    body = {"schedule_id": "few", "cron": "0 6 * * *", "research": {"start_date": "2018-06-01"}}
    refused(await alone_api.post("/schedules", json=body), 422, "invalid_data", "start_date")
    training = {"strategy_name": "quick", "symbol": "REDFEW"}
    refused(await alone_api.post("/trainings/start", json=training), 422, "invalid_data", "symbol")


async def test_a_backtest_needs_the_bars_from_which_its_volatility_is_measured(
    api: httpx2.AsyncClient,
) -> None:
    body = {"strategy_name": "targeted", "symbol": "SP500"}
    training = accepted(await api.post("/trainings/start", json=body), 202)["task_id"]
    assert (await ended(api, training))["status"] == "completed"
    days = {"training_id": training, "start_date": "1999-02-01", "end_date": "2000-01-01"}

    said = refused(
        await api.post("/backtests/start", json=days), 422, "invalid_data", "volatility_target"
    )["detail"]

    assert "`volatility_target` 0.1" in said
    assert "there are 19 before" in said


CAMPAIGNS: list[tuple[dict[str, Any], str, str]] = [
    (
        {"symbols": ["SP500", "REDA", "REDFEW"], "seeds": [1, 2]},
        "symbols",
        "symbols: REDFEW.csv has 499 bars",
    ),
    ({"research": {"symbol": "REDFEW"}, "seeds": [1, 2]}, "research.symbol", "has 499 bars"),
    (
        {"research": {"symbols": ["REDA", "REDFEW"]}, "seeds": [1]},
        "research.symbols",
        "research.symbols: REDFEW.csv has 499 bars",
    ),
    ({"research": {"symbols": ["REDFEW"]}, "seeds": [1]}, "research.symbols", "has 499 bars"),
    (
        {"symbols": ["SP500", "NASDAQ"], "research": {"start_date": "2018-06-01"}},
        "research.start_date",
        "Nor can be used: SP500.",
    ),
    (
        {"symbols": [["REDA", "REDB"]], "research": {"end_date": "1990-08-01"}},
        "symbols",
        "symbols: The holdout of these instruments begins",
    ),
    (
        {"strategies": ["quick", "far-back"], "symbols": ["SP500", "REDA"]},
        "strategies",
        "strategies: far-back on REDA: After",
    ),
]


@pytest.mark.parametrize(("body", "field", "said"), CAMPAIGNS)
async def test_a_campaign_is_refused_if_there_are_too_few_bars_for_one_member(
    alone_api: httpx2.AsyncClient, body: dict[str, Any], field: str, said: str
) -> None:
    answer = await alone_api.post("/campaigns", json={"name": new_id("c"), **body})

    assert said in refused(answer, 422, "invalid_data", field)["detail"]


async def test_one_process_answers_for_all_members(
    alone_api: httpx2.AsyncClient,
    monkeypatch: pytest.MonkeyPatch,
    fresh_universe: Callable[..., None],
) -> None:
    names = [new_id("M").replace("_", "")[:12].upper() for _ in range(6)]
    fresh_universe(names, seed=44, rows=2000)
    questions: list[bytes] = []
    run = readiness_module._run

    def count(question: bytes, niceness: int) -> AsyncGenerator[bytes]:
        questions.append(question)
        return run(question, niceness)

    monkeypatch.setattr("api.steps.readiness._run", count)
    lists = {"symbols": names, "strategies": ["quick", "targeted"], "seeds": [1, 2, 3]}
    answer = await alone_api.post("/campaigns", json={"name": new_id("c"), **lists})
    accepted(answer, 202)
    # With other seeds there is nothing new to ask.
    more = await alone_api.post("/campaigns", json={"name": new_id("c"), **lists, "seeds": [4, 5]})
    accepted(more, 202)

    [question] = questions
    assert len(ReadinessCheck.model_validate_json(question).wanted) == 12


async def test_answers_that_came_in_time_count_and_a_campaign_says_how_many_did_not(
    alone_api: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = readiness_module._run

    async def stop_after_one(question: bytes, niceness: int) -> AsyncGenerator[bytes]:
        async with aclosing(run(question, niceness)) as lines:
            async for line in lines:
                yield line
                break

    monkeypatch.setattr("api.steps.readiness._run", stop_after_one)
    lists = {"symbols": ["REDFEW", "REDA", "REDB"], "seeds": [1]}
    body = {"name": new_id("c"), "research": {"start_date": "1990-01-02"}, **lists}

    started = accepted(await alone_api.post("/campaigns", json=body), 202)
    assert "2 of 3 combinations" in started["warnings"][0]
    # Each attempt knows the answers of those before.
    accepted(await alone_api.post("/campaigns", json={**body, "name": new_id("c")}), 202)
    last = await alone_api.post("/campaigns", json={**body, "name": new_id("c")})
    assert "REDFEW" in refused(last, 422, "invalid_data")["detail"]


@pytest.fixture
def listings(monkeypatch: pytest.MonkeyPatch) -> list[Path | None]:
    """Return the directories of bars that are listed from now on."""
    listed = []

    def list_and_note(directory: Path | None, suffixes: Collection[str]) -> list[Path]:
        listed.append(directory)
        return list_files(directory, suffixes)

    monkeypatch.setattr("quant.bars.catalog.list_files", list_and_note)
    return listed


async def test_one_start_lists_the_bars_once(
    alone_api: httpx2.AsyncClient, settings: Settings, listings: list[Path | None]
) -> None:
    asked = {"symbols": ["REDA", "REDB"], "benchmark": "REDC", "brief": "momentum, long only"}
    accepted(await alone_api.post(PREVIEW, json=asked))
    assert listings == [settings.data_dir]


async def test_one_campaign_lists_the_bars_once(
    alone_api: httpx2.AsyncClient, settings: Settings, listings: list[Path | None]
) -> None:
    lists = {"symbols": SYMBOLS, "strategies": ["far-back", "targeted"]}
    asked = {"name": "six", **lists, "budget": {"cost": 1.0}}
    # What it costs is looked at when all combinations have been checked.
    answer = await alone_api.post("/campaigns", json=asked)
    refused(answer, 422, "invalid_input", "budget.cost")
    assert listings == [settings.data_dir]
