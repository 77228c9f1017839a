"""Scores the bars that have come since a watch began, with the model as it was judged."""

import hashlib
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np

from errors import InvalidInput
from quant.backtest.metrics import FloatArray, to_returns
from quant.bars.bars import Bars, Floats
from quant.bars.loader import load_bars
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
from quant.universe.universe import Universe
from quant.watch.betting import begin_evidence, follow_bars
from quant.watch.returns import OpenReturns, measure_open_returns

ReadArtifact = Callable[[str, str], bytes]
"""Returns an artifact of an earlier step: its operation id, and the name."""


def score_new_bars(
    strategy: WatchedStrategy, data_dir: Path | None, workspace: Workspace, read: ReadArtifact
) -> WatchSummary:
    """Score the bars that came since the last time, and store `watch.json`.

    At first it only notes which bar is the newest: what was there before, somebody may have seen. A
    bar counts once, as it was when it was scored, whatever is corrected later. It counts until the
    next open, so the newest bar, which may be unfinished, waits for the next one.

    Args:
        strategy: What to watch.
        data_dir: Directory of the user's bars; None if there are none.
        workspace: Artifacts of the watch.
        read: Reads the artifacts of the research.

    Raises:
        InvalidInput: The stored model is not the one that was judged.
        InvalidData: The bars cannot be trusted.
        MissingArtifact: The research has not kept what a watch begins with.
    """
    bars = load_bars(DataSource(symbol=strategy.symbol, timeframe=strategy.timeframe), data_dir)
    stored = workspace.read(Artifact.WATCH)
    if stored is None:
        record = _begin(strategy, bars, workspace, read)
    else:
        record = _follow(parse_artifact(WatchRecord, stored, Artifact.WATCH), bars, workspace)
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
        last_scored=record.last_scored,
        confirmed_at=record.confirmed_at,
        withdrawn_at=record.withdrawn_at,
    )


def _begin(
    strategy: WatchedStrategy, bars: Bars, workspace: Workspace, read: ReadArtifact
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
        periods_per_year=year,
        state=begin_evidence(returns, market),
    )


def _follow(record: WatchRecord, bars: Bars, workspace: Workspace) -> WatchRecord:
    """Return the record with the bars that are new, but for the newest one."""
    first = max(_count_until(bars, record.begins_after) - 1, 0)
    new = slice(_count_until(bars, record.last_scored or record.begins_after), len(bars) - 1)
    if new.start >= new.stop or record.state.standing == "withdrawn":
        return record
    returns = _trade(record.strategy, bars, bars.slice(first, len(bars)), workspace)
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


def _trade(
    strategy: WatchedStrategy, bars: Bars, traded: Bars, workspace: Workspace
) -> OpenReturns:
    """Return what the model earns on these bars. The indicators warm up on the bars before."""
    model = workspace.read(Artifact.MODEL) or b""
    _require_model(strategy, model)
    probabilities = predict_rises(model.decode(), bars, strategy.spec)[-len(traded) :]
    targets = decide_weights(Universe.of(bars), probabilities, strategy.spec)
    return measure_open_returns(traded, targets[:, 0], strategy.spec.costs)


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


def _count_until(bars: Bars, time: str) -> int:
    """Return how many bars there are until this time, included."""
    moment = np.datetime64(time.removesuffix("Z"), "ns").astype(np.int64)
    return int(np.searchsorted(bars.timestamps, moment, side="right"))


def _require_model(strategy: WatchedStrategy, model: bytes) -> None:
    if hashlib.sha256(model).hexdigest() != strategy.model_sha256:
        raise InvalidInput(
            "The stored model is not the one that was judged; its SHA-256 differs.",
            field="research_id",
        )
