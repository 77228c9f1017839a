"""The `ktrdr` command, as a user types it, on an embedded stack of its own."""

import contextlib
import json
import os
import pty
import select
import signal
from pathlib import Path

import pytest

from tests.e2e.stack import FOREVER, Stack
from tests.helpers import KTRDR, assert_eventually, free_port, said


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
    bars.mkdir(exist_ok=True)
    (bars / "SHORT.csv").write_text("timestamp,open,high,low,close,volume\n2020-01-01,1,1,1,1,1\n")
    operation_id = stack.answer("research", "--symbol", "SHORT")["operation_id"]
    followed = stack.run("follow", operation_id)
    assert followed.returncode == 1
    assert "500" in followed.stdout
    assert "Traceback" not in followed.stdout + followed.stderr


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
