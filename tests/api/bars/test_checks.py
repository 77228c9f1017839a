"""The processes that count bars: what is asked again, at once, and not at all."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from api.steps import readiness as readiness_module
from api.steps.readiness import Readiness
from errors import InvalidData
from quant.bars.catalog import Catalog
from quant.messages.data import DataSource, DateRange
from quant.messages.readiness import ReadinessCheck, WantedBars
from quant.messages.strategy import FeatureSpec, StrategySpec
from tests.support.quant.universes import make_bars, make_closes, write_bars, write_universe


async def check(directory: Path, **source: Any) -> None:
    await Readiness().require(Catalog(directory), WantedBars(data=DataSource(**source)))


async def test_an_answer_is_remembered_until_a_file_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_universe(tmp_path, ["A", "B", "C"])
    readiness = Readiness()
    wanted = WantedBars(data=DataSource(symbols=("A", "B", "C")))
    await readiness.require(Catalog(tmp_path), wanted)

    def fail(*_: object) -> AsyncGenerator[bytes]:
        raise AssertionError("it is asked again")

    with monkeypatch.context() as patch:
        patch.setattr("api.steps.readiness._run", fail)
        await readiness.require(Catalog(tmp_path), wanted)
    write_bars(tmp_path, make_bars("B", make_closes(300, 1, 1)[:, 0]))
    few = pytest.raises(InvalidData, match=r"B\.csv has 300 bars")
    with few:
        await readiness.require(Catalog(tmp_path), wanted)
    monkeypatch.setattr("api.steps.readiness._run", fail)
    with few:
        await readiness.require(Catalog(tmp_path), wanted)


async def test_a_research_does_not_wait_for_the_many_questions_of_campaigns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_universe(tmp_path, ["A", "B", "C"])
    run, released, waiting = readiness_module._run, asyncio.Event(), asyncio.Semaphore(0)

    async def wait_with_lists(question: bytes, niceness: int) -> AsyncGenerator[bytes]:
        if len(ReadinessCheck.model_validate_json(question).wanted) > 1:
            waiting.release()
            await released.wait()
        async with aclosing(run(question, niceness)) as lines:
            async for line in lines:
                yield line

    monkeypatch.setattr("api.steps.readiness._run", wait_with_lists)
    readiness, bars = Readiness(), Catalog(tmp_path)
    both = [WantedBars(data=DataSource(symbol=symbol)) for symbol in "AB"]
    async with asyncio.TaskGroup() as campaigns:
        checks = [campaigns.create_task(readiness.check(bars, both)) for _ in range(2)]
        for _ in checks:
            await waiting.acquire()
        alone = await readiness.check(bars, [WantedBars(data=DataSource(symbol="C"))])
        released.set()
    assert alone.unchecked == 0
    assert [check.result().unchecked for check in checks] == [0, 0]


async def test_bars_that_everybody_has_are_not_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> AsyncGenerator[bytes]:
        raise AssertionError("a process is started")

    monkeypatch.setattr("api.steps.readiness._run", fail)
    await check(tmp_path)
    spec = StrategySpec(name="x", features=(FeatureSpec(kind="rsi", period=250),))
    await Readiness().require(Catalog(tmp_path), WantedBars(data=DataSource(), spec=spec))


@pytest.mark.parametrize("seconds", [0.0, 30.0])
async def test_a_check_without_an_answer_does_not_hinder_a_start(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    seconds: float,
) -> None:
    monkeypatch.setattr("api.steps.readiness._MODULE", "quant.nothing")
    readiness = Readiness(seconds)
    with caplog.at_level(logging.WARNING):
        await readiness.require(
            Catalog(tmp_path),
            WantedBars(data=DataSource(), days=DateRange(start_date=date(2030, 1, 1))),
        )
    assert "not checked before the start" in caplog.text
