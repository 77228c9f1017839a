"""Notices to people."""

import asyncio
import threading
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from activities.notifying import Notifier
from errors import StartupError
from quant.messages.watch import Notice
from settings import Settings
from storage.ledger.records import Experiment
from tests.support.notices import taking_notices

NOTICE = Notice(title="confirmed", body="It is.")


def make_settings(home: Path, notify_url: str | None = None) -> Settings:
    return Settings(home=home).model_copy(update={"notify_url": notify_url})


def make_experiment(status: str, **more: object) -> Experiment:
    now = datetime.now(UTC)
    values = {
        "operation_id": "op_agent_research_1",
        "owner": "ada",
        "symbol": "GOLD",
        "timeframe": "1d",
        "seed": 1,
        "started_at": now,
        "finished_at": now,
        **more,
    }
    return Experiment.model_validate({"status": status, **values})


async def send(notifier: Notifier, told: Collection[int] = ()) -> set[int]:
    """Return who has taken the notice."""
    return {address async for address in notifier.send(NOTICE, told)}


async def test_without_an_address_nobody_is_told(tmp_path: Path) -> None:
    notifier = Notifier(make_settings(tmp_path))
    assert not notifier.addresses
    assert await send(notifier) == set()


async def test_every_address_is_told(tmp_path: Path) -> None:
    with taking_notices() as (one, first), taking_notices() as (other, second):
        notifier = Notifier(make_settings(tmp_path, f"json://{one} json://{other}/path"))

        assert await send(notifier) == set(notifier.addresses) == {0, 1}

    for told in (first, second):
        assert [(each["title"], each["message"]) for each in told] == [("confirmed", "It is.")]


async def test_who_does_not_take_it_is_no_success(tmp_path: Path) -> None:
    with taking_notices(refusals=1) as (address, told):
        notifier = Notifier(make_settings(tmp_path, f"json://{address}"))

        assert await send(notifier) == set()
        assert await send(notifier) == {0}

    assert len(told) == 1


async def test_who_was_told_is_left_out(tmp_path: Path) -> None:
    with taking_notices() as (one, first), taking_notices() as (other, second):
        notifier = Notifier(make_settings(tmp_path, f"json://{one} json://{other}"))
        assert await send(notifier, {0}) == {1}

    assert (len(first), len(second)) == (0, 1)


async def test_who_does_not_answer_leaves_the_threads_of_others(tmp_path: Path) -> None:
    loop = asyncio.get_running_loop()
    # A loop with one thread: a notice in it would wait for what fills it.
    loop.set_default_executor(ThreadPoolExecutor(1))
    filled = threading.Event()
    other = loop.run_in_executor(None, filled.wait, 30)
    try:
        with taking_notices() as (address, told):
            await asyncio.wait_for(send(Notifier(make_settings(tmp_path, f"json://{address}"))), 20)
        assert len(told) == 1
    finally:
        filled.set()
        await other


def test_an_address_that_is_none_is_refused_without_showing_it(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match="number 2") as raised:
        Notifier(make_settings(tmp_path, "json://127.0.0.1 nothing://secret@there"))

    assert "secret" not in raised.value.message


def test_ends_of_researches_are_told_but_not_of_cancelled_ones(tmp_path: Path) -> None:
    notifier = Notifier(make_settings(tmp_path, "json://127.0.0.1"))
    completed = notifier.describe_end(
        make_experiment("completed", verdict="promising", metrics={"summary": "Good."})
    )
    failed = notifier.describe_end(make_experiment("failed", error="No such symbol."))

    assert completed == Notice(
        title="Research on GOLD 1d: promising", body="Good.\n\nop_agent_research_1"
    )
    assert failed == Notice(
        title="Research on GOLD 1d: failed", body="No such symbol.\n\nop_agent_research_1"
    )
    assert notifier.describe_end(make_experiment("cancelled")) is None


def test_without_an_address_there_is_nothing_to_tell(tmp_path: Path) -> None:
    notifier = Notifier(make_settings(tmp_path))
    assert notifier.describe_end(make_experiment("failed", error="No such symbol.")) is None
