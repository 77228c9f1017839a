"""Ids as people type them."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi import Request
from fastapi.responses import JSONResponse
from typer.testing import CliRunner

from api.examples.answers import ANSWERS
from cli.main import app
from tests.cli.answering import answering

FIRST = "op_agent_research_20261124_091509_5bdbbf47"
SECOND = "op_agent_research_20261124_101112_5bd00000"
NEWEST = "op_backtesting_20261125_000000_0badcafe"
OWN_NAME = "nightly-run"
FORGOTTEN = "op_agent_research_20250101_000000_fade0000"

Ktrdr = Callable[..., Any]


def row(operation_id: str, hour: int) -> dict[str, Any]:
    [example] = ANSWERS["OperationListResponse"]["data"]
    moment = f"2026-11-25T{hour:02}:00:00Z"
    return {**example, "operation_id": operation_id, "created_at": moment}


ROWS = [
    row(f"{FIRST}.training", 23),
    row(FIRST, 1),
    row(NEWEST, 4),
    row(SECOND, 2),
    row(OWN_NAME, 3),
]


def answer(request: Request) -> JSONResponse:
    path = request.url.path.removeprefix("/api/v1")
    page = {"success": True, "total_count": 0, "active_count": 0}
    if path == "/operations":
        wanted = request.query_params.get("operation_type")
        rows = [each for each in ROWS if wanted is None or "training" in each["operation_id"]]
        return JSONResponse({**page, "data": rows})
    if path == "/experiments":
        [example] = ANSWERS["ExperimentListResponse"]["data"]
        return JSONResponse({**page, "data": [{**example, "operation_id": FORGOTTEN}]})
    asked = path.split("/")[2]
    if asked == SECOND and request.method == "DELETE":
        refusal = {"message": "It has ended.", "reason": "not_cancellable"}
        return JSONResponse(refusal, status_code=409)
    if path.endswith("/start"):
        return JSONResponse(ANSWERS["StepStarted"])
    if request.method == "DELETE":
        told = ANSWERS["OperationCancelResponse"]["data"]
    elif asked in {"missing", "o"}:
        refusal = {"message": f"There is no operation {asked}.", "reason": "not_found"}
        return JSONResponse(refusal, status_code=404)
    else:
        told = ANSWERS["OperationResponse"]["data"]
    return JSONResponse({"success": True, "data": {**told, "operation_id": asked}})


@pytest.fixture(scope="module")
def requests() -> list[str]:
    """The paths that were asked for, in their order."""
    return []


@pytest.fixture(scope="module")
def address(requests: list[str]) -> Iterator[str]:
    def remember(request: Request) -> JSONResponse:
        requests.append(request.url.path.removeprefix("/api/v1"))
        return answer(request)

    with answering(remember) as served:
        yield served


@pytest.fixture
def ktrdr(address: str, requests: list[str]) -> Ktrdr:
    requests.clear()
    runner = CliRunner()
    return lambda *arguments: runner.invoke(app, ["--url", address, *arguments])


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (FIRST, FIRST),
        (f"{FIRST}.design", f"{FIRST}.design"),
        ("5bdb", FIRST),
        ("5bdbbf47.training", f"{FIRST}.training"),
        ("op_agent_research_20261124_10", SECOND),
        ("last", NEWEST),
        ("last.training", f"{NEWEST}.training"),
        (OWN_NAME, OWN_NAME),
        ("nigh", OWN_NAME),
        ("fade", FORGOTTEN),
    ],
)
def test_a_beginning_an_end_and_last_name_one_operation(
    ktrdr: Ktrdr, typed: str, meant: str
) -> None:
    assert json.loads(ktrdr("status", typed, "--json").stdout)["data"]["operation_id"] == meant


def test_a_whole_id_costs_no_look_at_the_list(ktrdr: Ktrdr, requests: list[str]) -> None:
    ktrdr("status", FIRST)
    assert requests == [f"/operations/{FIRST}"]


def test_an_id_that_may_mean_several_is_refused_with_their_names(
    ktrdr: Ktrdr, requests: list[str]
) -> None:
    assert ktrdr("status", "5bd").exit_code == 0, "three characters are a name, no beginning"
    requests.clear()
    refused = ktrdr("cancel", "op_agent")
    assert refused.exit_code == 1
    assert FIRST in refused.stderr
    assert SECOND in refused.stderr
    assert requests == ["/operations"]


def test_what_nothing_matches_is_left_to_the_api(ktrdr: Ktrdr) -> None:
    assert "There is no operation missing." in ktrdr("status", "missing").stderr
    assert "empty" in ktrdr("cancel", "").stderr


def test_a_backtest_means_trainings_alone(ktrdr: Ktrdr, requests: list[str]) -> None:
    for typed in ("last", "5bdb", "5bdbbf47.training"):
        assert ktrdr("backtest", typed).exit_code == 0
    assert requests.count("/backtests/start") == 3


def test_several_are_shown_and_cancelled_whatever_becomes_of_one(ktrdr: Ktrdr) -> None:
    shown = json.loads(ktrdr("status", "last", FIRST, "last", "--json").stdout)
    assert [each["operation_id"] for each in shown["data"]] == [NEWEST, FIRST]

    cancelled = ktrdr("cancel", SECOND, FIRST, "--json")
    assert cancelled.exit_code == 1
    told = json.loads(cancelled.stdout)
    assert (told["success"], told["reason"]) == (False, "not_cancellable")
    assert [each["operation_id"] for each in told["data"]] == [FIRST]
    assert [each["operation_id"] for each in told["errors"]] == [SECOND]

    for_people = ktrdr("cancel", SECOND, FIRST)
    assert for_people.exit_code == 1
    assert "It has ended." in for_people.stderr
    assert f"cancelled: {FIRST}" in for_people.stdout
