"""What the command makes of the answers of an API that is newer than itself."""

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from typer.testing import CliRunner

from api.examples.answers import ANSWERS
from cli.main import app
from tests.support.served import listening

ID = "op_agent_research_20261124_091509_5bdbbf47"
UNKNOWN = "a_field_of_a_newer_api"
# Their keys are values, not the names of fields.
MAPPINGS = {"parameters", "total_return_at_cost", "feature_importance"}

Ktrdr = Callable[..., Any]


def newer(answer: Any) -> Any:
    """Return an answer with a field more in every object."""
    if isinstance(answer, list):
        return [newer(each) for each in answer]
    if not isinstance(answer, dict):
        return answer
    fields = {name: each if name in MAPPINGS else newer(each) for name, each in answer.items()}
    return fields | {UNKNOWN: 1}


SERVED: dict[tuple[str, str], Any] = {
    (method, path): newer(answer)
    for method, path, answer in (
        ("GET", f"/operations/{ID}", ANSWERS["OperationResponse"]),
        ("GET", "/operations/unreadable", {"data": {"operation_id": ID}}),
        ("DELETE", f"/operations/{ID}", ANSWERS["OperationCancelResponse"]),
        ("POST", f"/operations/{ID}/resume", ANSWERS["ResumeResponse"]),
        ("POST", f"/operations/{ID}/retry", ANSWERS["OperationResponse"]),
        ("GET", f"/operations/{ID}/children", ANSWERS["ChildrenResponse"]),
        ("GET", f"/operations/{ID}/results", ANSWERS["ResultsResponse"]),
        ("GET", f"/operations/{ID}/metrics", ANSWERS["MetricsResponse"]),
        ("GET", "/operations", ANSWERS["OperationListResponse"]),
        ("DELETE", "/operations", ANSWERS["BatchCancelResponse"]),
        ("GET", "/agent/status", ANSWERS["AgentStatus"]),
        ("GET", "/agent/budget", ANSWERS["Budget"]),
        ("GET", "/workers", [ANSWERS["WorkerInfo"]]),
        ("GET", "/experiments", ANSWERS["ExperimentListResponse"]),
        ("GET", f"/experiments/{ID}", ANSWERS["ExperimentResponse"]),
        ("GET", "/leaderboard", ANSWERS["LeaderboardResponse"]),
        ("GET", "/hypotheses", ANSWERS["HypothesisListResponse"]),
        ("GET", "/strategies", ANSWERS["StrategyListResponse"]),
        ("POST", "/strategies/validate", ANSWERS["StrategyResponse"]),
        ("POST", "/trainings/start", ANSWERS["StepStarted"]),
        ("GET", "/schedules", ANSWERS["ScheduleListResponse"]),
        ("GET", "/schedules/nightly", ANSWERS["ScheduleResponse"]),
    )
}


@pytest.fixture(scope="module")
def newer_api() -> Iterator[str]:
    """The address of an API that answers with more fields than this version knows."""
    served = FastAPI()

    @served.api_route("/api/v1/{path:path}", methods=["GET", "POST", "DELETE"])
    async def answer(request: Request, path: str) -> JSONResponse:
        return JSONResponse(SERVED[request.method, f"/{path}"])

    with listening() as (bound, address):
        server = uvicorn.Server(uvicorn.Config(served, log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
        thread.start()
        yield address
        server.should_exit = True
        thread.join(30)
        assert not thread.is_alive()


@pytest.fixture
def ktrdr(newer_api: str) -> Ktrdr:
    runner = CliRunner()
    return lambda *arguments: runner.invoke(app, ["--url", newer_api, *arguments])


def data(method: str, path: str) -> Any:
    return SERVED[method, path]["data"]


COMMANDS = [
    (("status", ID), data("GET", f"/operations/{ID}"), "Training model"),
    (("ops",), data("GET", "/operations"), "0 active, 1 in all"),
    (("cancel", ID), data("DELETE", f"/operations/{ID}"), f"cancelled: {ID}"),
    (
        ("cancel", "--all", "--owner", "ada"),
        data("DELETE", "/operations"),
        "1 operation would be cancelled",
    ),
    (("resume", ID), data("POST", f"/operations/{ID}/resume"), f"Resumed {ID}"),
    (("retry", ID), data("POST", f"/operations/{ID}/retry"), f"Started {ID}"),
    (("children", ID), data("GET", f"/operations/{ID}/children"), f"{ID}.training"),
    (("results", ID), SERVED["GET", f"/operations/{ID}/results"], f"{ID}: completed"),
    (("metrics", ID), data("GET", f"/operations/{ID}/metrics"), "iterations"),
    (("agent", "status"), SERVED["GET", "/agent/status"], "training 1 running"),
    (("budget",), SERVED["GET", "/agent/budget"], "(UTC)"),
    (("workers",), SERVED["GET", "/workers"], "available"),
    (("experiments",), SERVED["GET", "/experiments"], "1 of 1 experiment"),
    (("experiments", ID), data("GET", f"/experiments/{ID}"), f"operation_id: {ID}"),
    (("leaderboard",), SERVED["GET", "/leaderboard"], "1 of 1 experiment"),
    (("hypotheses",), data("GET", "/hypotheses"), "NASDAQ 1d"),
    (("strategies",), data("GET", "/strategies"), "built in"),
    (("train", "momentum"), SERVED["POST", "/trainings/start"], "ktrdr follow op_training"),
    (("schedule", "list"), data("GET", "/schedules"), "30 6 * * 1-5 (Europe/Berlin)"),
    (("schedule", "show", "nightly"), data("GET", "/schedules/nightly"), "Schedule  nightly"),
]


@pytest.mark.parametrize(
    ("arguments", "answered", "shown"), COMMANDS, ids=[" ".join(each[0]) for each in COMMANDS]
)
def test_programs_get_every_field_and_people_what_is_known(
    ktrdr: Ktrdr, arguments: tuple[str, ...], answered: Any, shown: str
) -> None:
    for_programs = ktrdr(*arguments, "--json")
    assert for_programs.exit_code == 0, for_programs.output
    assert json.loads(for_programs.stdout) == answered
    assert UNKNOWN in for_programs.stdout
    for_people = ktrdr(*arguments)
    assert for_people.exit_code == 0, for_people.output
    assert shown in for_people.stdout


def test_a_valid_strategy_is_named(ktrdr: Ktrdr, tmp_path: Path) -> None:
    file = tmp_path / "momentum.yaml"
    file.touch()
    answered = data("POST", "/strategies/validate")
    assert ktrdr("validate", str(file)).stdout == f"{answered['name']} is valid.\n"
    assert json.loads(ktrdr("validate", str(file), "--json").stdout) == answered


def test_an_answer_that_lacks_a_field_is_one_sentence_for_people_only(ktrdr: Ktrdr) -> None:
    refused = ktrdr("status", "unreadable")
    assert refused.exit_code == 1
    assert "operation_type: is missing" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    as_json = ktrdr("status", "unreadable", "--json")
    assert json.loads(as_json.stdout) == data("GET", "/operations/unreadable")
