"""A start says what it understood, and refuses or names what has no effect."""

from typing import Any

import httpx2
import pytest
from temporalio.client import Client

from tests.api.answers import accepted, ended, refused
from tests.support.phases import start
from workflows.interface.messages import ResearchInput, ResearchRequest

TRIGGER = "/agent/trigger"
ALL = ["momentum", "mean reversion", "volatility", "volume"]
PLAIN = {"symbols": ["SP500"], "timeframe": "1d", "start_date": None, "end_date": None}


async def trigger(api: httpx2.AsyncClient, **body: Any) -> dict[str, Any]:
    return accepted(await api.post(TRIGGER, json=body), 202)


async def read_request(client: Client, operation_id: str) -> ResearchInput:
    events = (await client.get_workflow_handle(operation_id).fetch_history()).events
    payloads = events[0].workflow_execution_started_event_attributes.input.payloads
    [request] = await client.data_converter.decode(payloads, [ResearchInput])
    assert isinstance(request, ResearchInput)
    return request


@pytest.mark.usefixtures("many_bars")
@pytest.mark.parametrize(
    ("body", "understood"),
    [
        ({}, PLAIN | {"designer": "search", "trials": 12, "families": ALL, "long_only": False}),
        ({"brief": "mean reversion on GOOD, 2001-2002"}, {"symbols": ["GOOD"]}),
        (
            {"brief": "mean reversion on GOOD, 2001-2002"},
            {"start_date": "2001-01-01", "end_date": "2002-12-31", "families": ["mean reversion"]},
        ),
        ({"brief": "nasdaq, daily, long only"}, {"symbols": ["NASDAQ"], "long_only": True}),
        ({"brief": "the 1m bars of MANY"}, {"symbols": ["MANY"], "timeframe": "1m"}),
        ({"brief": "trends of MANY"}, {"symbols": ["MANY"], "timeframe": "1m"}),
        ({"brief": "momentum on SP500 and NASDAQ"}, {"symbols": ["NASDAQ", "SP500"]}),
        ({"brief": "trends of the Nasdaq, S&P 500, nasdaq"}, {"symbols": ["NASDAQ", "SP500"]}),
        ({"brief": "momentum", "benchmark": "NASDAQ"}, {"benchmark": "NASDAQ"}),
        ({"features": ["rsi", "adx"], "long_only": True}, {"features": ["adx", "rsi"]}),
        ({"start_date": "2010-01-01"}, {"start_date": "2010-01-01", "end_date": None}),
        ({"strategy": "quick"}, PLAIN | {"strategy": "quick", "designer": None, "trials": None}),
    ],
)
async def test_the_answer_says_what_was_understood(
    alone_api: httpx2.AsyncClient,
    alone: Client,
    body: dict[str, Any],
    understood: dict[str, Any],
) -> None:
    answer = await trigger(alone_api, **body)
    assert answer["understood"] | understood == answer["understood"]
    assert answer["warnings"] == []
    request = await read_request(alone, answer["operation_id"])
    assert request.understood.model_dump(mode="json") == answer["understood"]
    assert request.warnings == ()


@pytest.mark.usefixtures("many_bars")
@pytest.mark.parametrize(
    ("body", "quoted"),
    [
        ({"brief": "buy when RSI<30, stop loss 5%"}, ["'buy when RSI<30'", "'stop loss 5%'"]),
        ({"brief": "buy when RSI<30, stop loss 5%"}, ["rules, thresholds, stops"]),
        ({"brief": "momentum on EURUSD 1h"}, ["EURUSD", "'1h'", "SP500"]),
        ({"brief": "momentum on NASDAQ", "symbol": "SP500"}, ["'NASDAQ'"]),
        ({"brief": "momentum on NASDAQ and MANY"}, ["'MANY' in the brief has no effect"]),
        ({"brief": "trend since 2010", "end_date": "2015-01-01"}, ["'since 2010'"]),
        ({"brief": "trend", "features": ["rsi"]}, ["`features`"]),
        ({"brief": "long only trend", "long_only": False}, ["`long_only`"]),
    ],
)
async def test_words_without_effect_are_named(
    alone_api: httpx2.AsyncClient, alone: Client, body: dict[str, Any], quoted: list[str]
) -> None:
    answer = await trigger(alone_api, **body)
    assert answer["understood"]["symbols"] in (["SP500"], ["NASDAQ"])
    for words in quoted:
        assert any(words in warning for warning in answer["warnings"]), answer["warnings"]
    assert (
        list((await read_request(alone, answer["operation_id"])).warnings or ())
        == (answer["warnings"])
    )


@pytest.mark.parametrize(
    "body",
    [
        {"brief": "something that works"},
        {"brief": ""},
        {"brief": " \n"},
        {"brief": "SPY 4h"},
        {"brief": "NASDAQ", "symbol": "SP500"},
    ],
)
async def test_a_brief_without_any_effect_is_refused_with_the_known_words(
    alone_api: httpx2.AsyncClient, alone: Client, body: dict[str, Any]
) -> None:
    problem = refused(await alone_api.post(TRIGGER, json=body), 422, "invalid_input", "brief")
    for known in ("momentum", "mean reversion", "RSI", "long only", "NASDAQ", "llm"):
        assert known in problem["detail"]
    assert (await alone.count_workflows("")).count == 0


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"strategy": "quick", "trials": 30}, "trials"),
        ({"strategy": "quick", "memory": False}, "memory"),
        ({"strategy": "quick", "features": ["rsi"]}, "features"),
        ({"strategy": "quick", "long_only": True}, "long_only"),
        ({"max_cost": 2.0}, "max_cost"),
        ({"designer": "search", "model": "sonnet"}, "model"),
        ({"designer": "llm", "memory": True}, "memory"),
        ({"designer": "llm", "features": ["rsi"]}, "features"),
        ({"bypass_gates": True, "gates": {"backtest": {"trades": 1}}}, "gates"),
        ({"start_date": "2015-01-01", "end_date": "2014-01-01"}, "body"),
        ({"start_date": "yesterday"}, "start_date"),
        ({"features": []}, "features"),
        ({"features": ["magic"]}, "features.0"),
        ({"model": "gpt-9"}, "model"),
        ({"model": "gpt-9", "strategy": "quick"}, "model"),
        ({"model": "openai:gpt-99-unheard-of"}, "model"),
        ({"model": "sonnet", "max_cost": 1.0}, "designer"),
    ],
)
async def test_a_field_without_effect_is_refused(
    alone_api: httpx2.AsyncClient, body: dict[str, Any], field: str
) -> None:
    refused(await alone_api.post(TRIGGER, json=body), 422, "invalid_input", field)
    schedule = {"schedule_id": "s", "cron": "0 2 * * *", "research": body}
    answer = await alone_api.post("/schedules", json=schedule)
    assert answer.status_code == 422, answer.text


async def test_a_model_means_a_language_model(
    alone_api: httpx2.AsyncClient, alone: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-0123456789")
    answer = await trigger(alone_api, model="Sonnet", brief="momentum on NASDAQ since 2005, calmly")
    assert answer["understood"]["designer"] == "llm"
    assert answer["understood"]["symbols"] == ["NASDAQ"]
    assert answer["understood"]["start_date"] == "2005-01-01"
    assert answer["understood"]["families"] == []
    assert answer["warnings"] == []
    request = await read_request(alone, answer["operation_id"])
    assert (request.designer, request.model) == ("llm", answer["model"])
    commented = await trigger(alone_api, model="sonnet", strategy="quick", max_cost=1.0)
    assert commented["understood"]["model"] == answer["model"]


async def test_without_a_key_the_model_of_an_earlier_client_is_named_as_unused(
    alone_api: httpx2.AsyncClient, alone: Client
) -> None:
    answer = await trigger(alone_api, model="haiku", brief="Symbol: EURUSD. Window: 2010 to 2015")
    assert answer["model"] == "search"
    assert "ANTHROPIC_API_KEY" in answer["warnings"][0]
    request = await read_request(alone, answer["operation_id"])
    assert (request.designer, request.model) == ("search", None)


async def test_a_schedule_says_what_was_understood(alone_api: httpx2.AsyncClient) -> None:
    research = {"brief": "NASDAQ trend since 2005, stop loss 5%"}
    schedule = {"schedule_id": "nightly", "cron": "0 2 * * *", "research": research}
    created = accepted(await alone_api.post("/schedules", json=schedule), 201)["data"]
    assert created["understood"]["symbols"] == ["NASDAQ"]
    assert created["research"]["start_date"] == "2005-01-01"
    assert "'stop loss 5%'" in created["warnings"][0]
    assert accepted(await alone_api.get("/schedules/nightly"))["data"] == created
    hourly = {"schedule_id": "hourly", "interval_seconds": 3600, "time_zone": "Europe/Berlin"}
    refused(await alone_api.post("/schedules", json=hourly), 422, "invalid_input", "time_zone")


async def test_status_record_and_report_repeat_it(api: httpx2.AsyncClient) -> None:
    brief = "long only volume on GOOD since 2001-02, stop loss 5%"
    answer = await trigger(api, brief=brief, trials=1, seed=7, bypass_gates=True)
    operation = await ended(api, answer["operation_id"])
    assert operation["status"] == "completed"
    assert operation["understood"] == answer["understood"]
    assert operation["warnings"] == answer["warnings"] != []
    assert operation["metadata"]["symbol"] == "GOOD"
    assert operation["metadata"]["start_date"] == "2001-02-01"
    path = f"/operations/{operation['operation_id']}/report"
    dossier = (await api.get(path, params={"format": "json"})).json()["input"]
    assert dossier["understood"] == answer["understood"]
    assert dossier["warnings"] == answer["warnings"]
    assert dossier["training"]["data"]["start"] == "2001-02-01T00:00:00Z"
    assert [feature["kind"] for feature in dossier["spec"]["features"]] == ["volume_ratio"]
    assert dossier["spec"]["positions"] == "long_only"
    page = (await api.get(path)).text
    assert "from 2001-02-01; search of 1 trial, " in page
    assert "stop loss 5%" in page
    record = accepted(await api.get(f"/experiments/{operation['operation_id']}"))["data"]
    assert record["request"]["start_date"] == "2001-02-01"
    assert record["request"]["features"] == ["volume_ratio"]


async def test_a_research_that_is_started_by_hand_says_what_has_no_effect(
    client: Client, api: httpx2.AsyncClient
) -> None:
    by_hand = ResearchRequest(
        symbol="GOOD", brief="volume on EURUSD 1h in 2015", strategy=None, max_cost=1.0, trials=1
    )
    handle = await start(client, by_hand)
    operation = await ended(api, handle.id)
    assert operation["understood"]["features"] == ["volume_ratio"]
    assert operation["understood"]["symbols"] == ["GOOD"]
    warnings = " ".join(operation["warnings"])
    for words in ("`max_cost`", "EURUSD", "'1h'", "'in 2015'"):
        assert words in warnings
