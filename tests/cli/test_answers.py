"""What the command makes of the answers of an API that is newer than itself."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.responses import JSONResponse
from typer.testing import CliRunner

from api.examples.answers import ANSWERS
from cli.main import app
from tests.cli.answering import answering
from tests.support.quant.data import walk

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
    (method, f"/api/v1{path}"): newer(answer)
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
        ("GET", "/ledger", ANSWERS["LedgerResponse"]),
        ("GET", "/hypotheses", ANSWERS["HypothesisListResponse"]),
        ("GET", "/strategies", ANSWERS["StrategyListResponse"]),
        ("POST", "/strategies/validate", ANSWERS["StrategyResponse"]),
        ("POST", "/trainings/start", ANSWERS["StepStarted"]),
        ("GET", "/schedules", ANSWERS["ScheduleListResponse"]),
        ("GET", "/schedules/nightly", ANSWERS["ScheduleResponse"]),
        ("POST", "/watches", ANSWERS["WatchResponse"]),
        ("GET", "/watches", ANSWERS["WatchListResponse"]),
        ("POST", "/watches/look", ANSWERS["WatchListResponse"]),
        ("GET", f"/watches/{ID}", ANSWERS["WatchResponse"]),
        ("GET", f"/watches/{ID}/curve", ANSWERS["WatchCurveResponse"]),
        ("POST", f"/watches/{ID}/look", ANSWERS["WatchResponse"]),
        ("DELETE", f"/watches/{ID}", ANSWERS["WatchResponse"]),
    )
}


@pytest.fixture(scope="module")
def newer_api() -> Iterator[str]:
    """The address of an API that answers with more fields than this version knows."""
    with answering(
        lambda request: JSONResponse(SERVED[request.method, request.url.path])
    ) as address:
        yield address


@pytest.fixture
def ktrdr(newer_api: str) -> Ktrdr:
    runner = CliRunner()
    return lambda *arguments: runner.invoke(app, ["--url", newer_api, *arguments])


def whole(method: str, path: str) -> Any:
    return SERVED[method, f"/api/v1{path}"]


def data(method: str, path: str) -> Any:
    return whole(method, path)["data"]


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
    (("retry", ID), data("POST", f"/operations/{ID}/retry"), f"Started {ID}\nktrdr follow {ID}"),
    (("children", ID), data("GET", f"/operations/{ID}/children"), f"{ID}.training"),
    (("results", ID), whole("GET", f"/operations/{ID}/results"), f"{ID}: completed"),
    (("metrics", ID), data("GET", f"/operations/{ID}/metrics"), "iterations"),
    (("agent", "status"), whole("GET", "/agent/status"), "training 1 running"),
    (("budget",), whole("GET", "/agent/budget"), "(UTC)"),
    (("workers",), whole("GET", "/workers"), "available"),
    (("experiments",), data("GET", "/experiments"), "1 of 1 experiment"),
    (("experiments", ID), data("GET", f"/experiments/{ID}"), f"operation_id: {ID}"),
    (("leaderboard",), data("GET", "/leaderboard"), "1 of 1 experiment"),
    (("ledger", "verify"), data("GET", "/ledger"), "The ledger is whole: 4,151 entries."),
    (("hypotheses",), data("GET", "/hypotheses"), "NASDAQ 1d"),
    (("strategies",), data("GET", "/strategies"), "built in"),
    (("train", "momentum"), whole("POST", "/trainings/start"), "ktrdr follow op_training"),
    (("schedule", "list"), data("GET", "/schedules"), "30 6 * * 1-5 (Europe/Berlin)"),
    (("schedule", "show", "nightly"), data("GET", "/schedules/nightly"), "Schedule  nightly"),
    (("watch", ID), data("POST", "/watches"), "(20 confirms)"),
    (("watch", "start", ID), data("POST", "/watches"), "(20 withdraws)"),
    (("watch", "list"), data("GET", "/watches"), "NASDAQ 1d"),
    (("watch", "status", ID), data("GET", f"/watches/{ID}"), "252 bars since 2026-11-23"),
    (
        ("watch", "status", ID, "--curve"),
        data("GET", f"/watches/{ID}/curve"),
        "2027-11-23T00:00:00Z",
    ),
    (("watch", "look", ID), data("POST", f"/watches/{ID}/look"), "4.7"),
    (("watch", "cancel", ID), data("DELETE", f"/watches/{ID}"), "watching"),
]


@pytest.mark.parametrize(
    ("arguments", "answered", "shown"), COMMANDS, ids=[" ".join(each[0]) for each in COMMANDS]
)
def test_programs_get_every_field_and_people_what_is_known(
    ktrdr: Ktrdr, arguments: tuple[str, ...], answered: Any, shown: str
) -> None:
    for_programs = ktrdr(*arguments, "--json")
    assert for_programs.exit_code == 0, for_programs.output
    told = json.loads(for_programs.stdout)
    assert (told["success"], told["data"]) == (True, answered)
    assert UNKNOWN in for_programs.stdout
    for_people = ktrdr(*arguments)
    assert for_people.exit_code == 0, for_people.output
    assert shown in for_people.stdout


def test_an_import_wakes_watches_and_names_them(
    ktrdr: Ktrdr, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KTRDR_DATA_DIR", str(tmp_path / "bars"))
    file = tmp_path / "NASDAQ.csv"
    walk(600, "1D").to_csv(file, index=False)
    woken = [row["research_id"] for row in data("POST", "/watches/look")]
    imported = ktrdr("data", "import", str(file), "--symbol", "MINE", "--json")
    assert json.loads(imported.stdout)["data"]["watches"] == woken
    options = ("data", "import", str(file), "--symbol", "MINE", "--replace")
    assert "Looked at now by 1 watch." in ktrdr(*options).stdout
    tried = ktrdr(*options, "--dry-run", "--json")
    assert json.loads(tried.stdout)["data"]["watches"] is None


def test_a_valid_strategy_is_named(ktrdr: Ktrdr, tmp_path: Path) -> None:
    file = tmp_path / "momentum.yaml"
    file.touch()
    answered = data("POST", "/strategies/validate")
    assert ktrdr("validate", str(file)).stdout == f"{answered['name']} is valid.\n"
    assert json.loads(ktrdr("validate", str(file), "--json").stdout)["data"] == answered


def test_an_answer_that_lacks_a_field_is_one_sentence_for_people_only(ktrdr: Ktrdr) -> None:
    refused = ktrdr("status", "unreadable")
    assert refused.exit_code == 1
    assert "operation_type: is missing" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    as_json = ktrdr("status", "unreadable", "--json")
    assert json.loads(as_json.stdout)["data"] == data("GET", "/operations/unreadable")
