"""Requests about several instruments: what they name, and what is refused."""

from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from temporalio.client import Client

from settings import Settings
from tests.api.answers import accepted, ended, refused
from tests.support.helpers import assert_eventually, new_id
from tests.support.quant.universes import make_bars, make_closes, write_bars

TRIGGER = "/api/v1/agent/trigger"
SYMBOLS = ["UNIA", "UNIB", "UNIC"]

RANKED = """\
name: ranked
features: [{kind: return, period: 5}]
positions: cross_sectional
"""


@pytest.fixture(autouse=True)
def bars(fresh_universe: Callable[..., None]) -> None:
    fresh_universe(SYMBOLS, seed=42)


@pytest.fixture
def lists(settings: Settings) -> Callable[[str, str], None]:
    settings.universe_dir.mkdir(exist_ok=True)

    def write(name: str, content: str) -> None:
        (settings.universe_dir / f"{name}.yaml").write_text(content)

    return write


BAD: list[tuple[dict[str, Any], str, str, str]] = [
    ({"symbols": ["UNIA", "UNIA"]}, "invalid_input", "symbols", "UNIA"),
    ({"symbols": ["UNIA", "NOSUCH"]}, "unknown_symbol", "symbols", "NOSUCH"),
    ({"symbols": [f"S{each}" for each in range(501)]}, "invalid_input", "symbols", "500"),
    ({"symbols": ["UNIA", "UNIB"], "timeframe": "1h"}, "invalid_input", "timeframe", "UNIA"),
    ({"symbols": ["UNIA", "UNIB"], "symbol": "SP500"}, "invalid_input", "symbols", "SP500"),
    ({"symbols": ["UNIA", 7]}, "invalid_input", "symbols.1", "letters"),
    ({"symbols": "UNIA"}, "invalid_input", "symbols", "list"),
    ({"universe": "nosuch"}, "unknown_universe", "universe", "nosuch"),
    ({"universe": "../x"}, "invalid_input", "universe", "lower-case"),
    ({"benchmark": "NOSUCH"}, "unknown_symbol", "benchmark", "NOSUCH"),
    ({"benchmark": "S P"}, "invalid_input", "benchmark", "letters"),
    ({"symbols": ["UNIA", "UNIB"], "benchmark": "MANY"}, "invalid_input", "benchmark", "1m"),
    ({"symbols": ["UNIA", "UNIB"], "benchmark": "SP500"}, "invalid_data", "benchmark", "SP500"),
]


@pytest.mark.usefixtures("many_bars")
@pytest.mark.parametrize(("body", "reason", "field", "said"), BAD)
async def test_what_names_no_universe_is_refused(
    api: httpx2.AsyncClient, body: dict[str, Any], reason: str, field: str, said: str
) -> None:
    response = await api.post(TRIGGER, json=body)

    assert said in refused(response, 422, reason, field)["detail"]


BAD_FILES: list[tuple[str, str, str]] = [
    ("weights: by_size", "weights", "by_size"),
    ("positions: sideways", "positions", "sideways"),
    ("stop_loss: 0", "stop_loss", "0"),
    ("stop_loss: 1", "stop_loss", "1"),
    ("take_profit: 0", "take_profit", "0"),
    ("max_holding: 0", "max_holding", "0"),
    ("volatility_target: 0", "volatility_target", "0"),
    ("volatility_target: 2", "volatility_target", "2"),
    ("most_exposure: 2", "most_exposure", "no effect"),
    ("per_side: 2", "per_side", "no effect"),
    ("benchmark: 'S P'", "benchmark", "letters"),
]


@pytest.mark.parametrize(("line", "field", "said"), BAD_FILES)
async def test_a_strategy_with_an_impossible_value_is_refused(
    api: httpx2.AsyncClient, settings: Settings, line: str, field: str, said: str
) -> None:
    path = settings.strategy_dir / "impossible.yaml"
    path.write_text(f"name: impossible\nfeatures: [{{kind: return, period: 5}}]\n{line}\n")
    try:
        body = {"strategy": "impossible", "symbols": SYMBOLS}
        detail = refused(await api.post(TRIGGER, json=body), 422, "invalid_input", None)["detail"]
    finally:
        path.unlink()
    assert field in detail
    assert said in detail


async def test_two_instruments_cannot_be_ranked(
    api: httpx2.AsyncClient, settings: Settings
) -> None:
    path = settings.strategy_dir / "ranked.yaml"
    path.write_text(RANKED)
    try:
        response = await api.post(TRIGGER, json={"strategy": "ranked", "symbols": SYMBOLS[:2]})
        assert "there are 2" in refused(response, 422, "invalid_input", "positions")["detail"]
    finally:
        path.unlink()


async def test_a_list_in_a_file_names_the_symbols(
    api: httpx2.AsyncClient, lists: Callable[[str, str], None]
) -> None:
    lists("three", f"name: three\nsymbols: {SYMBOLS}\n")

    response = await api.post("/api/v1/agent/preview", json={"universe": "three"})

    found = accepted(response, 200)
    assert found["understood"]["symbols"] == SYMBOLS
    assert found["cost"]["symbols"] == SYMBOLS


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("name: bad\nsymbols: [UNIA]\n", "at least 2"),
        ("name: other\nsymbols: [UNIA, UNIB]\n", "must be bad"),
        ("name: bad\nsymbols: [UNIA, 'UN IA']\n", "symbols.1"),
        ("name: bad\nsymbols: [UNIA, &x UNIB, *x]\n", "aliases"),
    ],
)
async def test_a_bad_list_is_refused_with_what_is_wrong(
    api: httpx2.AsyncClient, lists: Callable[[str, str], None], content: str, said: str
) -> None:
    lists("bad", content)

    response = await api.post(TRIGGER, json={"universe": "bad"})

    assert said in refused(response, 422, "invalid_input", "universe")["detail"]


async def test_a_campaign_is_about_a_list_in_a_file(
    api: httpx2.AsyncClient, lists: Callable[[str, str], None]
) -> None:
    lists("three", f"name: three\nsymbols: {SYMBOLS}\n")
    research = {"universe": "three", "trials": 1, "bypass_gates": True}
    body = {"name": "of-three", "seeds": [1], "research": research}

    started = accepted(await api.post("/api/v1/campaigns", json=body), 202)
    await ended(api, started["operation_id"])

    member = f"{started['operation_id']}.m0001"
    shown = accepted(await api.get("/api/v1/experiments", params={"symbol": "UNIC"}))["data"]
    assert member in [each["operation_id"] for each in shown]


@pytest.mark.parametrize(
    ("symbols", "reason"),
    [("[UNIA, NOSUCH]", "unknown_symbol"), ("[UNIA, UNIFEW]", "invalid_data"), (None, None)],
)
async def test_a_campaign_is_refused_by_the_field_that_names_its_symbols(
    api: httpx2.AsyncClient,
    settings: Settings,
    lists: Callable[[str, str], None],
    symbols: str | None,
    reason: str | None,
) -> None:
    if symbols is not None:
        lists("lacking", f"name: lacking\nsymbols: {symbols}\n")
    few = settings.data_dir / "UNIFEW.csv"
    write_bars(settings.data_dir, make_bars("UNIFEW", make_closes(499, 1, 1)[:, 0]))
    universe = "nosuch" if symbols is None else "lacking"
    body = {"name": new_id("c"), "seeds": [1], "research": {"universe": universe}}
    try:
        answer = await api.post("/api/v1/campaigns", json=body)
    finally:
        few.unlink()

    refused(answer, 422, reason or "unknown_universe", "research.universe")


async def test_a_universe_is_found_by_each_of_its_symbols(
    api: httpx2.AsyncClient, client: Client
) -> None:
    started = accepted(
        await api.post(TRIGGER, json={"symbols": SYMBOLS, "trials": 1, "seed": 1}), 202
    )
    operation_id = started["operation_id"]

    async def listed(symbol: str) -> list[str]:
        page = await api.get("/api/v1/operations", params={"symbol": symbol})
        return [each["operation_id"] for each in accepted(page, 200)["data"]]

    for symbol in ("UNIA", "UNIC", "UNIA,UNIB,UNIC"):

        async def found(symbol: str = symbol) -> bool:
            return operation_id in await listed(symbol)

        await assert_eventually(found)
    assert operation_id not in await listed("UNID")
    query = f"Symbols = 'UNIB' AND WorkflowId = '{operation_id}'"
    assert [each.id async for each in client.list_workflows(query)] == [operation_id]
    await client.get_workflow_handle(operation_id).result()
    experiments = await api.get("/api/v1/experiments", params={"symbol": "UNIB"})
    assert operation_id in [each["operation_id"] for each in accepted(experiments, 200)["data"]]
