"""Scores the bars that have come since a watch began, with the model as it was judged."""

import hashlib
import math
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import numpy as np

from errors import InvalidInput
from quant.backtest.metrics import FloatArray, to_returns
from quant.bars.bars import Clock, Floats
from quant.learning.prediction import predict_rises
from quant.messages.artifacts import Artifact, Workspace, parse_artifact
from quant.messages.data import DataSource
from quant.messages.report.curves import Curves, WalkForward
from quant.messages.watch import (
    MOST_POINTS,
    Evidence,
    WatchedStrategy,
    WatchPoint,
    WatchRecord,
    WatchSummary,
)
from quant.strategy.weights import decide_weights
from quant.universe.loader import load_instruments
from quant.universe.universe import Universe
from quant.watch.betting import begin_evidence, follow_bars
from quant.watch.frontier import Frontier, find_frontier, get_longest_wait
from quant.watch.returns import OpenReturns, measure_open_returns

ReadArtifact = Callable[[str, str], bytes]
"""Returns an artifact of an earlier step: its operation id, and the name."""


def score_new_bars(
    strategy: WatchedStrategy,
    data_dir: Path | None,
    workspace: Workspace,
    read: ReadArtifact,
    now: datetime,
) -> WatchSummary:
    """Score the bars that came since the last time, and store `watch.json`.

    At first it only notes which bar is the newest: what was there before, somebody may have seen. A
    bar counts once, as it was when it was scored, whatever is corrected later. It counts until the
    next open, so the newest bar, which may be unfinished, waits for the next one. Of several
    instruments a time of their common clock counts when all have been seen beyond it, or when it
    has waited for that as long as `get_longest_wait` says.

    Args:
        strategy: What to watch.
        data_dir: Directory of the user's bars; None if there are none.
        workspace: Artifacts of the watch.
        read: Reads the artifacts of the research.
        now: By which waiting is measured. Aware.

    Raises:
        InvalidInput: The stored model is not the one that was judged.
        InvalidData: The bars cannot be trusted.
        MissingArtifact: The research has not kept what a watch begins with.
    """
    source = DataSource(
        symbol=strategy.symbol, symbols=strategy.symbols, timeframe=strategy.timeframe
    )
    # Whether there are enough bars to research them is no question any more.
    bars = Universe.of(load_instruments(source, data_dir))
    stored = workspace.read(Artifact.WATCH)
    if stored is None:
        record = _begin(strategy, bars, workspace, read)
    else:
        record = _follow(parse_artifact(WatchRecord, stored, Artifact.WATCH), bars, workspace, now)
    workspace.write(Artifact.WATCH, record.model_dump_json().encode())
    return summarise(record)


def summarise(record: WatchRecord) -> WatchSummary:
    """Return where a watch stands."""
    return WatchSummary(
        standing=record.state.standing,
        evidence=math.exp(record.state.log_evidence),
        counter_evidence=math.exp(record.state.log_counter_evidence),
        bars=record.bars,
        begins_after=record.begins_after,
        awaits=record.awaits,
        awaits_since=record.awaits_since,
        left=record.left,
        last_scored=record.last_scored,
        confirmed_at=record.confirmed_at,
        withdrawn_at=record.withdrawn_at,
    )


def _begin(
    strategy: WatchedStrategy, bars: Universe, workspace: Workspace, read: ReadArtifact
) -> WatchRecord:
    # A copy of the watch's own, which lasts whatever becomes of the research's artifacts.
    model = read(strategy.training_id, Artifact.MODEL)
    _require_model(strategy, model)
    workspace.write(Artifact.MODEL, model)
    walked = parse_artifact(
        WalkForward, read(strategy.training_id, Artifact.WALK_FORWARD), Artifact.WALK_FORWARD
    )
    pieces = [(walked.returns, walked.benchmark_equity)]
    newest = walked.timestamps[-1:]
    if strategy.backtest_id is not None:
        held = parse_artifact(Curves, read(strategy.backtest_id, Artifact.CURVES), Artifact.CURVES)
        pieces.append((held.returns, held.benchmark_equity))
        newest += held.timestamps[-1:]
    year = bars.periods_per_year
    returns = np.concatenate([_exceed(np.array(earned), strategy, year) for earned, _ in pieces])
    market = np.concatenate([_exceed(to_returns(held), strategy, year) for _, held in pieces])
    return WatchRecord(
        strategy=strategy,
        begins_after=max(bars.format_time(-1), *newest),
        judged_until=max(newest, default=None),
        periods_per_year=year,
        state=begin_evidence(returns, market),
    )


def _follow(
    record: WatchRecord, bars: Universe, workspace: Workspace, now: datetime
) -> WatchRecord:
    """Return the record with the bars that are new, as far as all instruments have come."""
    if record.state.standing == "withdrawn":
        return record
    scored = _count_until(bars, record.last_scored or record.begins_after)
    frontier = find_frontier(bars, scored, _count_settled(record, bars, now))
    new = slice(scored, frontier.stop)
    record = _note_wait(record, frontier, bars, now, moved=new.start < new.stop)
    first = max(_count_until(bars, record.begins_after) - 1, 0)
    if new.start >= new.stop:
        return record
    returns = _trade(record.strategy, bars, first, workspace)
    rows = slice(new.start - first, new.stop - first)
    earned, moved, year = returns.strategy[rows], returns.market[rows], record.periods_per_year
    points: list[WatchPoint] = []
    state, confirmed = record.state, record.confirmed_at
    states = follow_bars(
        state,
        _exceed(earned, record.strategy, year),
        _exceed(moved, record.strategy, year),
        returns.weights[rows],
        year,
    )
    times = bars.slice(new.start, new.stop).iso_times
    for time, one, other, state in zip(times, earned, moved, states, strict=True):
        points.append(_make_point(time, state, float(one), float(other)))
        if state.standing == "confirmed":
            confirmed = confirmed or time
        if state.standing == "withdrawn":
            break
    return record.model_copy(
        update={
            "state": state,
            "bars": record.bars + len(points),
            "last_scored": points[-1].time,
            "confirmed_at": confirmed,
            "withdrawn_at": points[-1].time if state.standing == "withdrawn" else None,
            "points": (*record.points, *points)[-MOST_POINTS:],
        }
    )


def _count_settled(record: WatchRecord, bars: Universe, now: datetime) -> int:
    """Return how many times wait for no instrument: they count, or have waited long enough."""
    settled = _count_until(bars, record.last_scored or record.judged_until or record.begins_after)
    since, until = record.awaits_since, record.awaits_until
    if since is None or until is None or now - since < get_longest_wait(bars.timeframe):
        return settled
    # Times that were not there then have not waited for so long.
    return max(settled, _count_until(bars, until, included=False))


def _note_wait(
    record: WatchRecord, frontier: Frontier, bars: Universe, now: datetime, *, moved: bool
) -> WatchRecord:
    """Return the record with who is awaited and who has left.

    A wait begins anew whenever some times count.
    """
    since, until = record.awaits_since, record.awaits_until
    if not frontier.awaited:
        since = until = None
    elif moved or since is None:
        since, until = now, bars.format_time(-1)
    return record.model_copy(
        update={
            "awaits": frontier.awaited,
            "awaits_since": since,
            "awaits_until": until,
            "left": frontier.left,
        }
    )


def _trade(
    strategy: WatchedStrategy, bars: Universe, first: int, workspace: Workspace
) -> OpenReturns:
    """Return what the model earns from a bar on. The indicators warm up on the bars before."""
    model = workspace.read(Artifact.MODEL) or b""
    _require_model(strategy, model)
    probabilities = predict_rises(model.decode(), bars, strategy.spec)[first:]
    targets = decide_weights(bars, probabilities, strategy.spec)
    return measure_open_returns(bars, targets, strategy.spec.costs)


def _make_point(time: str, state: Evidence, earned: float, moved: float) -> WatchPoint:
    return WatchPoint(
        time=time,
        strategy=earned,
        market=moved,
        evidence=math.exp(state.log_evidence),
        counter_evidence=math.exp(state.log_counter_evidence),
    )


def _exceed(returns: FloatArray, strategy: WatchedStrategy, periods_per_year: float) -> Floats:
    """Return what returns exceed those of cash by, shape (bars,)."""
    return returns - strategy.spec.costs.cash_rate / periods_per_year


def _count_until(bars: Clock, time: str, *, included: bool = True) -> int:
    """Return how many bars there are until this time."""
    moment = np.datetime64(time.removesuffix("Z"), "ns").astype(np.int64)
    return int(np.searchsorted(bars.timestamps, moment, side="right" if included else "left"))


def _require_model(strategy: WatchedStrategy, model: bytes) -> None:
    if hashlib.sha256(model).hexdigest() != strategy.model_sha256:
        raise InvalidInput(
            "The stored model is not the one that was judged; its SHA-256 differs.",
            field="research_id",
        )
