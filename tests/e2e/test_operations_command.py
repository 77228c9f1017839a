"""`ktrdr` for steps alone, for what goes on, for going on, and for schedules."""

import contextlib
import stat
from pathlib import Path

import httpx2
import psutil
import pytest
from pyarrow import parquet

from tests.e2e.stack import FOREVER, SECRET, Stack
from tests.support.helpers import PATIENCE, assert_eventually

pytestmark = pytest.mark.long


def test_a_training_and_its_backtest_are_run_alone_and_read(stack: Stack, tmp_path: Path) -> None:
    trained = stack.answer("train", "momentum", "--seed", "1", "--follow")
    assert (trained["status"], trained["operation_type"]) == ("completed", "training")
    training_id = trained["operation_id"]
    assert "Log loss" in stack.run("status", training_id).stdout
    tested = stack.answer("backtest", training_id, "--follow")
    assert "Holdout at 1x cost" in stack.run("status", tested["operation_id"]).stdout
    assert (tested["status"], tested["operation_type"]) == ("completed", "backtesting")

    assert stack.answer("results", tested["operation_id"])["results"]["levels"]
    assert stack.answer("metrics", training_id)["metrics"]["epochs"]
    assert "of" in stack.run("metrics", training_id).stdout
    assert "levels" in stack.run("results", tested["operation_id"]).stdout

    research = stack.answer("research", "--strategy", "momentum", "--seed", "1", "--follow")
    steps = stack.answer("children", research["operation_id"])
    assert [step["status"] for step in steps] == ["completed"] * len(steps)
    assert "training" in stack.run("children", research["operation_id"]).stdout
    page = tmp_path / "report.html"
    stack.answer("report", research["operation_id"], "--output", str(page))
    assert page.read_text().startswith("<!")


async def test_what_was_cancelled_is_resumed_and_retried(stack: Stack) -> None:
    operation_id = stack.answer("research", "--trials", str(FOREVER))["operation_id"]
    assert stack.answer("cancel", operation_id)["operation_id"] == operation_id
    stack.answer("follow", operation_id)

    async def resumable() -> bool:
        rows = stack.answer("ops", "--resumable")
        return operation_id in {row["operation_id"] for row in rows}

    await assert_eventually(resumable, within=PATIENCE)
    resumed = stack.answer("resume", operation_id)
    assert resumed["resumed_from"]["checkpoint_type"] == "cancellation"
    assert stack.answer("status", operation_id)["status"] in {"pending", "running"}
    stack.answer("cancel", operation_id)
    stack.answer("follow", operation_id)
    retried = stack.answer("retry", operation_id)
    assert retried["operation_id"] != operation_id
    refused = stack.run("retry", operation_id)
    assert refused.returncode == 1
    assert retried["operation_id"] in refused.stderr
    stack.answer("cancel", retried["operation_id"])


def test_what_goes_on_is_shown(stack: Stack) -> None:
    operation_id = stack.answer("research", "--trials", str(FOREVER), "--owner", "eve")[
        "operation_id"
    ]
    overview = stack.answer("agent", "status")
    assert overview["capacity"]["unlimited"] is True
    assert "1 research active" in stack.run("agent", "status").stdout
    assert {worker["worker_type"] for worker in stack.answer("workers")} == {
        "research",
        "training",
        "backtesting",
    }
    assert "backtest" in stack.run("workers").stdout
    stack.answer("cancel", operation_id)


async def test_a_schedule_is_created_triggered_and_deleted(stack: Stack) -> None:
    created = stack.answer(
        *("schedule", "create", "nightly", "--cron", "0 2 * * *", "--timezone", "Europe/Berlin"),
        *("--trials", "1", "--paused"),
    )
    assert created["paused"] is True

    async def listed() -> bool:
        return [row["schedule_id"] for row in stack.answer("schedule", "list")] == ["nightly"]

    await assert_eventually(listed)
    assert "paused" in stack.run("schedule", "list").stdout
    stack.answer("schedule", "unpause", "nightly")
    assert "Europe/Berlin" in stack.run("schedule", "show", "nightly").stdout
    assert stack.answer("schedule", "trigger", "nightly")["schedule_id"] == "nightly"
    paused = stack.answer("schedule", "pause", "nightly")
    assert (paused["paused"], paused["note"]) == (True, "paused by ktrdr")
    assert stack.answer("schedule", "delete", "nightly")["deleted"] is True
    assert stack.run("schedule", "show", "nightly").returncode == 1
    wrong = stack.run("schedule", "create", "often", "--every", "soon")
    assert wrong.returncode == 2


def test_the_key_of_a_language_model_reaches_the_worker_alone(stack: Stack) -> None:
    parts = {"start-dev": None, "api": "set", "worker.py": SECRET}
    found = {}
    for each in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if each.environ().get("KTRDR_HOME") == str(stack.home):
                for part in parts.keys() & {Path(word).name for word in each.cmdline()}:
                    found[part] = each.environ().get("OPENAI_API_KEY")
    assert found == parts


def test_what_the_stack_writes_is_nobody_elses(stack: Stack) -> None:
    written = [stack.home / name for name in ("temporal.db", "ledger.db", "logs")]
    assert {stat.S_IMODE(each.stat().st_mode) & 0o077 for each in written} == {0}


async def test_the_button_of_the_web_ui_cancels(stack: Stack) -> None:
    """It sends this request, with the token from the cookie that came with the page."""
    operation_id = stack.answer("research", "--trials", str(FOREVER))["operation_id"]
    address = f"http://127.0.0.1:{stack.environment['KTRDR_UI_PORT']}"
    async with httpx2.AsyncClient(base_url=address) as browser:
        assert (await browser.get("/")).status_code == 200
        answer = await browser.post(
            f"/api/v1/namespaces/default/workflows/{operation_id}/cancel",
            headers={"X-CSRF-TOKEN": browser.cookies.get("_csrf") or ""},
            json={},
        )
    assert answer.is_success, answer.text
    assert stack.answer("follow", operation_id)["status"] == "cancelled"


def test_what_was_found_is_listed_ranked_and_exported(stack: Stack, tmp_path: Path) -> None:
    operation_id = stack.answer(
        *("research", "--strategy", "momentum", "--seed", "2", "--owner", "zoe", "--follow")
    )["operation_id"]
    [row] = stack.answer("experiments", "--owner", "zoe")
    assert row["operation_id"] == operation_id
    assert stack.answer("experiments", operation_id)["seed"] == 2
    assert "momentum" in stack.run("experiments", operation_id).stdout
    assert "1 of 1 experiment" in stack.run("experiments", "--owner", "zoe").stdout
    ranked = stack.answer("leaderboard", "--owner", "zoe")
    assert [each["operation_id"] for each in ranked] == [operation_id]
    for name in ("all.csv", "all.parquet"):
        path = tmp_path / name
        written = stack.answer("experiments", "--owner", "zoe", "--export", str(path))
        assert written == {"path": str(path), "experiments": 1}
    assert operation_id in (tmp_path / "all.csv").read_text()
    assert parquet.read_table(tmp_path / "all.parquet").to_pylist()[0]["strategy_name"] == (
        "momentum"
    )
    assert stack.run("experiments", "--export", "all.xls").returncode == 2
    assert stack.answer("hypotheses", "--status", "open")
    assert "open" in stack.run("hypotheses").stdout
    assert stack.answer("budget")["budget_disabled"] is False
    assert "$20.00" in stack.run("budget").stdout
