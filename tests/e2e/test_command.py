"""The `ktrdr` command, as a user types it, on an embedded stack of its own."""

import asyncio
import contextlib
import json
import os
import pty
import re
import select
import signal
from pathlib import Path
from signal import SIGHUP, SIGINT, SIGTERM, Signals

import psutil
import pytest

from tests.e2e.stack import FOREVER, Stack
from tests.support.helpers import KTRDR, PATIENCE, assert_eventually, free_port, process, said
from tests.support.quant.data import FAILURE_OF_FLAT, FLAT, write_flat_bars

# What the command says of a cancel depends on how soon the work has stopped.
STOPPING = {"cancelling", "cancelled"}


async def test_a_research_is_started_followed_and_listed(stack: Stack) -> None:
    started = stack.answer("research", "momentum", "--trials", "2", "--seed", "1")
    assert started["status"] == "started"

    operation = stack.answer("follow", started["operation_id"])
    assert operation["status"] == "completed"
    assert operation["result_summary"]["verdict"] in {"promising", "mediocre", "poor", "no_signal"}

    async def listed() -> bool:
        return started["operation_id"] in [row["operation_id"] for row in stack.answer("ops")]

    await assert_eventually(listed)
    assert stack.answer("status", started["operation_id"])["status"] == "completed"
    assert stack.answer("status")["workers"]["research"] == 1
    shown = stack.run("status", started["operation_id"]).stdout
    assert "Verdict" in shown
    assert "p-value" in shown


async def test_a_dry_run_says_what_a_research_means_and_costs_and_starts_nothing(
    stack: Stack,
) -> None:
    before = stack.answer("status")["operations"]
    preview = stack.answer("research", "momentum on NASDAQ", "--trials", "7", "--dry-run")
    assert preview["understood"]["symbols"] == preview["cost"]["symbols"] == ["NASDAQ"]
    assert preview["cost"]["trials"] == 7
    shown = stack.invoke("research", "momentum on NASDAQ", "--trials", "7", "--dry-run").stdout
    assert "Understood: " in shown
    assert "up to 7 trials on NASDAQ" in shown
    assert stack.answer("status")["operations"] == before


async def test_ctrl_c_in_follow_detaches(stack: Stack) -> None:
    operation_id = stack.answer("research", "--trials", str(FOREVER))["operation_id"]
    with stack.started("follow", operation_id) as following:
        await said(following, "designing")
        following.send_signal(signal.SIGINT)
        assert following.wait(90) == 0
    assert await stack.status(operation_id) == "running"
    cancelled = stack.answer("cancel", operation_id, "--reason", "enough")
    assert cancelled["status"] in STOPPING
    assert cancelled["children_cancelled"] == [f"{operation_id}.design"]
    assert stack.answer("follow", operation_id)["status"] == "cancelled"


async def test_ctrl_c_in_research_follow_cancels(stack: Stack) -> None:
    with stack.started("research", "--trials", str(FOREVER), "--follow") as following:
        told = re.search(r"Started (\S+)", await said(following, "designing"))
        assert told is not None
        following.send_signal(signal.SIGINT)
        assert following.wait(90) == 130
    assert stack.answer("follow", told[1])["status"] == "cancelled"


def test_follow_of_a_failed_operation_exits_with_1(stack: Stack) -> None:
    bars = stack.home / "bars"
    bars.mkdir(exist_ok=True)
    write_flat_bars(bars)
    operation_id = stack.answer("research", "--symbol", FLAT)["operation_id"]
    followed = stack.run("follow", operation_id)
    assert followed.returncode == 1
    assert FAILURE_OF_FLAT in followed.stdout
    assert "Traceback" not in followed.stdout + followed.stderr


def next_on(screen: int) -> bytes:
    """Return what a terminal shows next."""
    ready, _, _ = select.select([screen], [], [], 120)
    assert ready, "nothing more is shown"
    return os.read(screen, 4096)


def test_in_a_terminal_the_running_step_has_a_bar_of_its_own(stack: Stack) -> None:
    operation_id = stack.answer("research", "--trials", str(FOREVER))["operation_id"]
    screen, terminal = pty.openpty()
    command = [KTRDR, "follow", operation_id]
    with process(command, env=stack.environment, stdout=terminal, stderr=terminal) as following:
        os.close(terminal)
        shown = b""
        while b"  design" not in shown:
            shown += next_on(screen)
        assert b"designing" in shown
        following.send_signal(signal.SIGINT)
        with contextlib.suppress(OSError):  # So ends what the last one to write has closed.
            while next_on(screen):
                pass
        assert following.wait(90) == 0
    os.close(screen)
    stack.answer("cancel", operation_id)


def test_strategy_files_are_listed_and_checked(stack: Stack, tmp_path: Path) -> None:
    assert "momentum" in [entry["name"] for entry in stack.answer("strategies")]
    assert stack.invoke("validate", "quant/strategy/examples/momentum.yaml").exit_code == 0
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("name: wrong\nfeatures:\n  - {kind: RSl, period: 1}\nhorizn: 3\n")
    refused = stack.invoke("validate", str(wrong))
    assert refused.exit_code == 1
    kind, period, horizon = refused.stderr.splitlines()
    for line, problem in (
        (period, "3: features.0.period: must be at least 2"),
        (kind, "3: features.0.kind: must be 'return'"),
        (horizon, "4: horizn: is not known; did you mean horizon?"),
    ):
        assert line.startswith(f"{wrong}:{problem}")
    assert kind.endswith("did you mean rsi?")
    strategies = stack.home / "strategies"
    strategies.mkdir(exist_ok=True)
    (strategies / "wrong.yaml").write_bytes(wrong.read_bytes())
    started = stack.invoke("research", "--strategy", "wrong")
    assert started.exit_code == 1
    assert "wrong.yaml: line 4: horizn: is not known" in started.stderr
    (strategies / "wrong.yaml").unlink()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("research", "--symbol", "NOPE"), "NOPE"),
        (("research", "--strategy", "nope"), "nope"),
        (("research", "goal", "--strategy", "momentum"), "give either GOAL or --strategy"),
        (("research", "--trials", "0"), "Error: --trials: must be at least 1"),
        (("research", "--owner", "a b"), "Error: --owner: must be letters, digits"),
        (("research", "--strategy", "momentun"), "did you mean momentum?"),
        (("status", "op_nope"), "op_nope"),
        (("cancel", "op_nope"), "op_nope"),
        (("follow", "op_nope"), "op_nope"),
        (("cancel", "--all"), "owner"),
    ],
)
def test_a_refusal_is_one_line_and_exit_code_1(
    stack: Stack, arguments: tuple[str, ...], message: str
) -> None:
    refused = stack.invoke(*arguments)
    assert refused.exit_code == 1
    assert message in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1


def test_a_refusal_for_a_program_is_an_answer_with_the_status_error(stack: Stack) -> None:
    for arguments in (("research", "--trials", "0"), ("follow", "op_nope")):
        refused = stack.invoke(*arguments, "--json")
        assert refused.exit_code == 1
        told = json.loads(refused.stdout)
        assert (told["success"], told["status"]) == (False, "error")
        assert told["reason"] in {"invalid_input", "not_found"}


async def test_the_last_operation_and_several_are_named_shortly(stack: Stack) -> None:
    ids = [
        stack.answer("research", "--trials", str(FOREVER), "--owner", "lea")["operation_id"]
        for _ in range(2)
    ]

    async def listed() -> bool:
        rows = stack.answer("ops", "--owner", "lea")
        return {row["operation_id"] for row in rows} == set(ids)

    await assert_eventually(listed)
    assert stack.answer("status", "last")["operation_id"] in ids
    short = [operation_id[-8:] for operation_id in ids]
    shown = stack.answer("status", *short)
    assert [operation["operation_id"] for operation in shown] == ids
    cancelled = stack.answer("cancel", *short, "--follow")
    assert [(each["operation_id"], each["status"]) for each in cancelled] == [
        (operation_id, "cancelled") for operation_id in ids
    ]
    suggested = stack.invoke("status", short[0]).stdout
    assert f"ktrdr resume {ids[0]} --follow" in suggested


async def test_many_are_cancelled_by_owner_and_a_dry_run_cancels_none(stack: Stack) -> None:
    mine = [
        stack.answer("research", "--trials", str(FOREVER), "--owner", "ann")["operation_id"]
        for _ in range(2)
    ]
    other = stack.answer("research", "--trials", str(FOREVER), "--owner", "bob")["operation_id"]

    async def both_listed() -> bool:
        dry = stack.answer("cancel", "--all", "--owner", "ann", "--dry-run")
        return sorted(dry["operation_ids"]) == sorted(mine)

    await assert_eventually(both_listed)
    assert stack.answer("status", mine[0])["status"] != "cancelled"

    assert stack.answer("cancel", "--all", "--owner", "ann")["matched"] == 2
    for operation_id in mine:
        assert stack.answer("follow", operation_id)["status"] == "cancelled"
    assert stack.answer("status", other)["status"] in {"pending", "running"}
    assert stack.answer("cancel", other, "--force")["forced"] is True


def test_what_another_stack_has_is_refused_in_one_sentence(stack: Stack, tmp_path: Path) -> None:
    same_state = stack.invoke("up", KTRDR_TEMPORAL_PORT=str(free_port()))
    elsewhere = {"KTRDR_HOME": str(tmp_path)}
    same_port = stack.invoke("up", **elsewhere)
    same_twice = {name: str(free_port()) for name in ("KTRDR_TEMPORAL_PORT", "KTRDR_UI_PORT")}
    same_twice["KTRDR_API_PORT"] = same_twice["KTRDR_UI_PORT"]
    colliding = stack.invoke("up", **elsewhere, **same_twice)
    no_directory = stack.invoke("up", KTRDR_HOME="/dev/null")
    for refused, sentence in (
        (same_state, "Another stack runs on"),
        (same_port, "is in use"),
        (colliding, "KTRDR_API_PORT"),
        (no_directory, "KTRDR_HOME cannot be used"),
    ):
        assert refused.exit_code == 1
        assert sentence in refused.stderr
        assert len(refused.stderr.strip().splitlines()) == 1


@pytest.mark.long
@pytest.mark.parametrize("signals", [(SIGINT, SIGINT), (SIGTERM, SIGINT), (SIGHUP,)], ids=str)
async def test_whatever_is_signalled_no_process_is_left(
    tmp_path: Path, signals: tuple[Signals, ...]
) -> None:
    own = Stack(tmp_path)
    with own.started("up") as command:
        await assert_eventually(own.ready, within=PATIENCE)
        family = psutil.Process(command.pid).children(recursive=True)
        for each in signals:
            command.send_signal(each)
        assert await asyncio.to_thread(command.wait, 90) == 0
    _, left = psutil.wait_procs(family, timeout=30)
    assert left == []


@pytest.mark.long
async def test_a_stack_whose_worker_does_not_react_ends_in_time(tmp_path: Path) -> None:
    own = Stack(tmp_path)
    with own.started("up") as command:
        await assert_eventually(own.ready, within=PATIENCE)
        family = psutil.Process(command.pid).children(recursive=True)
        [worker] = [each for each in family if "worker.py" in " ".join(each.cmdline())]
        worker.suspend()
        command.send_signal(SIGTERM)
        assert await asyncio.to_thread(command.wait, 90) == 0
    _, left = psutil.wait_procs(family, timeout=30)
    assert left == []


def test_a_bad_setting_is_named(stack: Stack) -> None:
    refused = stack.run("status", KTRDR_API_PORT="many")
    assert refused.returncode == 1
    assert "KTRDR_API_PORT" in refused.stderr


def test_without_an_api_the_command_says_so(stack: Stack) -> None:
    refused = stack.invoke("status", KTRDR_API_PORT=str(free_port()))
    assert refused.exit_code == 1
    assert "`make up` starts one" in refused.stderr
