"""The `ktrdr` command, as a user types it, on an embedded stack of its own."""

import contextlib
import json
import os
import pty
import select
import signal
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.helpers import KTRDR, assert_eventually, free_port, process, said

FOREVER = 10_000
"""Trials that take longer than any test."""


class Stack:
    """An environment in which `ktrdr up` and its clients find each other."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.api_port = free_port()
        self.environment = os.environ | {
            "KTRDR_HOME": str(home),
            "KTRDR_TEMPORAL_PORT": str(free_port()),
            "KTRDR_UI_PORT": str(free_port()),
            "KTRDR_API_PORT": str(self.api_port),
            "KTRDR_DATA_DIR": str(home / "bars"),
            "COLUMNS": "200",
        }

    @contextlib.contextmanager
    def started(self, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
        """Start a command, and end it with the context."""
        with process(
            [KTRDR, *arguments],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ) as command:
            yield command

    def run(self, *arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            [KTRDR, *arguments],
            env=self.environment | changes,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def answer(self, *arguments: str) -> Any:
        """Run a command with `--json` and return what it answers."""
        command = self.run(*arguments, "--json")
        assert command.returncode == 0, command.stdout + command.stderr
        return json.loads(command.stdout)

    async def ready(self) -> bool:
        """Look whether the stack accepts work."""
        async with httpx.AsyncClient() as http:
            with contextlib.suppress(httpx.TransportError):
                answer = await http.get(f"http://127.0.0.1:{self.api_port}/health/ready")
                return answer.is_success
        return False

    async def status(self, operation_id: str) -> str:
        """Return the status of an operation."""
        async with httpx.AsyncClient() as http:
            answer = await http.get(f"http://127.0.0.1:{self.api_port}/operations/{operation_id}")
        status: str = answer.json()["data"]["status"]
        return status

    async def running(self) -> str:
        """Return the id of the one research that runs, or nothing yet."""
        async with httpx.AsyncClient() as http:
            answer = await http.get(
                f"http://127.0.0.1:{self.api_port}/operations",
                params={"status": "running", "operation_type": "agent_research"},
            )
        rows: list[dict[str, str]] = answer.json()["data"]
        return rows[0]["operation_id"] if rows else ""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """A stack that `ktrdr up` keeps running."""
    stack = Stack(tmp_path_factory.mktemp("stack"))
    with stack.started("up") as up:
        await assert_eventually(stack.ready, within=60)
        yield stack
        up.send_signal(signal.SIGINT)
        assert up.wait(30) == 0


def test_a_research_is_started_followed_and_listed(stack: Stack) -> None:
    started = stack.answer("research", "momentum", "--trials", "2", "--seed", "1")
    assert started["status"] == "started"

    operation = stack.answer("follow", started["operation_id"])
    assert operation["status"] == "completed"
    assert operation["result_summary"]["verdict"] in {"promising", "mediocre", "poor", "no_signal"}

    listed = [row["operation_id"] for row in stack.answer("ops")]
    assert started["operation_id"] in listed
    assert stack.answer("status", started["operation_id"])["status"] == "completed"
    assert stack.answer("status")["workers"]["research"] == 1
    shown = stack.run("status", started["operation_id"]).stdout
    assert "Verdict" in shown
    assert "p-value" in shown


async def test_ctrl_c_in_follow_detaches(stack: Stack) -> None:
    operation_id = stack.answer("research", "--trials", str(FOREVER))["operation_id"]
    with stack.started("follow", operation_id) as following:
        await said(following, "designing")
        following.send_signal(signal.SIGINT)
        assert following.wait(20) == 0
    assert await stack.status(operation_id) == "running"
    cancelled = stack.answer("cancel", operation_id, "--reason", "enough")
    assert cancelled["status"] == "cancelled"
    assert cancelled["children_cancelled"] == [f"{operation_id}.design"]


async def test_ctrl_c_in_research_follow_cancels(stack: Stack) -> None:
    with stack.started("research", "--trials", str(FOREVER), "--follow") as following:
        operation_id = await assert_eventually(stack.running)
        await said(following, "designing")
        following.send_signal(signal.SIGINT)
        assert following.wait(20) == 130
    assert await stack.status(operation_id) == "cancelled"


def test_follow_of_a_failed_operation_exits_with_1(stack: Stack) -> None:
    bars = stack.home / "bars"
    bars.mkdir()
    (bars / "SHORT.csv").write_text("timestamp,open,high,low,close,volume\n2020-01-01,1,1,1,1,1\n")
    operation_id = stack.answer("research", "--symbol", "SHORT")["operation_id"]
    followed = stack.run("follow", operation_id)
    assert followed.returncode == 1
    assert "500" in followed.stdout
    assert "Traceback" not in followed.stdout + followed.stderr


def test_a_training_and_its_backtest_are_run_alone_and_read(stack: Stack, tmp_path: Path) -> None:
    trained = stack.answer("train", "momentum", "--seed", "1", "--follow")
    assert (trained["status"], trained["operation_type"]) == ("completed", "training")
    training_id = trained["operation_id"]
    tested = stack.answer("backtest", training_id, "--follow")
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


def test_what_was_cancelled_is_resumed_and_retried(stack: Stack) -> None:
    operation_id = stack.answer("research", "--trials", str(FOREVER))["operation_id"]
    assert stack.answer("cancel", operation_id)["operation_id"] == operation_id
    stack.answer("follow", operation_id)
    assert operation_id in {row["operation_id"] for row in stack.answer("ops", "--resumable")}
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
    assert overview["capacity"]["limit"] is None
    assert "researches active" in stack.run("agent", "status").stdout
    assert {worker["worker_type"] for worker in stack.answer("workers")} == {
        "research",
        "training",
        "backtest",
    }
    assert "backtest" in stack.run("workers").stdout
    stack.answer("cancel", operation_id)


def test_a_schedule_is_created_triggered_and_deleted(stack: Stack) -> None:
    created = stack.answer(
        *("schedule", "create", "nightly", "--cron", "0 2 * * *", "--timezone", "Europe/Berlin"),
        *("--trials", "1", "--paused"),
    )
    assert created["paused"] is True
    assert [row["schedule_id"] for row in stack.answer("schedule", "list")] == ["nightly"]
    assert "paused" in stack.run("schedule", "list").stdout
    stack.answer("schedule", "unpause", "nightly")
    assert "Europe/Berlin" in stack.run("schedule", "show", "nightly").stdout
    assert stack.answer("schedule", "trigger", "nightly")["schedule_id"] == "nightly"
    assert stack.answer("schedule", "pause", "nightly")["paused"] is True
    assert stack.answer("schedule", "delete", "nightly")["deleted"] is True
    assert stack.run("schedule", "show", "nightly").returncode == 1
    wrong = stack.run("schedule", "create", "often", "--every", "soon")
    assert wrong.returncode == 2


def test_in_a_terminal_the_running_step_has_a_bar_of_its_own(stack: Stack) -> None:
    operation_id = stack.answer("research", "--trials", str(FOREVER))["operation_id"]
    shown = b""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(KTRDR, [KTRDR, "follow", operation_id], stack.environment)
    try:
        while b"  design" not in shown:
            ready, _, _ = select.select([terminal], [], [], 30)
            assert ready, shown.decode(errors="replace")
            shown += os.read(terminal, 4096)
        assert b"designing" in shown
        os.write(terminal, b"\x03")
    finally:
        with contextlib.suppress(OSError):
            while os.read(terminal, 4096):
                pass
        _, status = os.waitpid(pid, 0)
        os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 0
    stack.answer("cancel", operation_id)


def test_strategy_files_are_listed_and_checked(stack: Stack, tmp_path: Path) -> None:
    assert "momentum" in [entry["name"] for entry in stack.answer("strategies")]
    assert stack.run("validate", "quant/examples/momentum.yaml").returncode == 0
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("name: wrong\nfeatures: [{kind: rsi, period: 1}]\n")
    refused = stack.run("validate", str(wrong))
    assert refused.returncode == 1
    assert "features.0.period" in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("research", "--symbol", "NOPE"), "NOPE"),
        (("research", "--strategy", "nope"), "nope"),
        (("research", "goal", "--strategy", "momentum"), "not both"),
        (("research", "--trials", "0"), "trials"),
        (("status", "op_nope"), "op_nope"),
        (("cancel", "op_nope"), "op_nope"),
        (("follow", "op_nope"), "op_nope"),
        (("cancel", "--all"), "owner"),
    ],
)
def test_a_refusal_is_one_line_and_exit_code_1(
    stack: Stack, arguments: tuple[str, ...], message: str
) -> None:
    refused = stack.run(*arguments)
    assert refused.returncode == 1
    assert message in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1

    as_json = stack.run(*arguments, "--json")
    assert as_json.returncode == 1
    assert json.loads(as_json.stdout)["status"] == "error"


def test_many_are_cancelled_by_owner_and_a_dry_run_cancels_none(stack: Stack) -> None:
    mine = [
        stack.answer("research", "--trials", str(FOREVER), "--owner", "ann")["operation_id"]
        for _ in range(2)
    ]
    other = stack.answer("research", "--trials", str(FOREVER), "--owner", "bob")["operation_id"]
    dry = stack.answer("cancel", "--all", "--owner", "ann", "--dry-run")
    assert sorted(dry["operation_ids"]) == sorted(mine)
    assert stack.answer("status", mine[0])["status"] != "cancelled"

    assert stack.answer("cancel", "--all", "--owner", "ann")["matched"] == 2
    for operation_id in mine:
        assert stack.answer("follow", operation_id)["status"] == "cancelled"
    assert stack.answer("status", other)["status"] in {"pending", "running"}
    assert stack.answer("cancel", other, "--force")["forced"] is True


def test_a_port_in_use_gets_one_sentence(stack: Stack) -> None:
    second = stack.run("up")
    assert second.returncode == 1
    assert "is in use" in second.stderr
    assert len(second.stderr.strip().splitlines()) == 1


def test_a_bad_setting_is_named(stack: Stack) -> None:
    refused = stack.run("status", KTRDR_API_PORT="many")
    assert refused.returncode == 1
    assert "KTRDR_API_PORT" in refused.stderr


def test_without_an_api_the_command_says_so(stack: Stack) -> None:
    refused = stack.run("status", KTRDR_API_PORT=str(free_port()))
    assert refused.returncode == 1
    assert "ktrdr up" in refused.stderr


async def test_state_survives_into_the_next_up(tmp_path: Path) -> None:
    stack = Stack(tmp_path)
    with stack.started("up") as up:
        await assert_eventually(stack.ready, within=60)
        operation_id = stack.answer("research", "--trials", "2", "--seed", "2", "--follow")[
            "operation_id"
        ]
        up.send_signal(signal.SIGTERM)
        assert up.wait(30) == 0
    with stack.started("up") as up:
        await assert_eventually(stack.ready, within=60)
        assert stack.answer("status", operation_id)["status"] == "completed"
        up.send_signal(signal.SIGINT)
        assert up.wait(30) == 0
    for port in ("KTRDR_TEMPORAL_PORT", "KTRDR_UI_PORT", "KTRDR_API_PORT"):
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", int(stack.environment[port]))) != 0
