"""A strategy is compared with its own instruments, or with a symbol of one's choice."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from errors import DataChanged, InvalidInput, UnknownSymbol
from quant.backtest.simulation import buy_and_hold
from quant.bars.bars import Bars
from quant.messages.artifacts import Artifact, parse_artifact
from quant.messages.data import DataSource, DateRange
from quant.messages.progress import ignore_report
from quant.messages.report.curves import Curves, WalkForward
from quant.messages.steps import BacktestInput, TrainingInput, TrainingResult
from quant.messages.strategy import FeatureSpec, ModelSpec, StrategySpec
from quant.steps.backtest import backtest_holdout
from quant.steps.train import train_model
from quant.universe.benchmark import align, load_benchmark
from quant.universe.loader import load_universe
from quant.universe.universe import Universe
from storage.artifacts import ArtifactStore
from tests.support.quant.universes import ROWS, make_bars, make_closes, write_bars

OWN, OTHER = DataSource(symbol="OWN"), "OTHER"
SPEC = StrategySpec(
    name="x",
    features=(FeatureSpec(kind="return", period=5),),
    model=ModelSpec(num_iterations=10),
    threshold=0.0,
)
COMPARED = SPEC.model_copy(update={"benchmark": OTHER})
FINGERPRINT = "8efa2f99ac4fd9954c85dfd927fc9e4d89688a617a04bed5d86bbf44c6b128ba"


def make(symbol: str, seed: int, *, first: int = 0, holes: tuple[int, ...] = ()) -> Bars:
    return make_bars(symbol, make_closes(ROWS - first, 1, seed)[:, 0], first=first, holes=holes)


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    write_bars(tmp_path, make("OWN", 1))
    write_bars(tmp_path, make(OTHER, 2, holes=(100, 101, 700)))
    return tmp_path


def test_the_instrument_itself_is_what_it_is_compared_with_by_default(data_dir: Path) -> None:
    bars = load_universe(OWN, data_dir)
    assert load_benchmark(None, bars, data_dir) is bars
    named = load_benchmark("OWN", bars, data_dir)
    assert np.array_equal(buy_and_hold(named).equity, buy_and_hold(bars).equity)


def test_a_price_stays_where_the_benchmark_has_no_bar() -> None:
    other = make(OTHER, 2, holes=(100, 101, 700))
    clock = Universe.of(make("OWN", 1))
    aligned = align(other, clock)
    assert np.array_equal(aligned.timestamps, clock.timestamps)
    # 98 and 99 are before the hole; what follows it is moved by two.
    assert aligned.close[99] == aligned.close[100] == aligned.close[101] == other.close[99]
    assert aligned.open[100] == other.close[99]
    assert aligned.close[102] == other.close[100]
    held = buy_and_hold(Universe.of(aligned)).equity
    assert held[-1] == pytest.approx(other.open[-1] / other.open[1], rel=1e-12)


def test_what_happened_between_two_times_is_in_the_bar_of_the_later_one() -> None:
    fine = make(OTHER, 3)
    coarse = Universe.of(make("OWN", 1, holes=tuple(each for each in range(ROWS) if each % 5 != 4)))
    aligned = align(fine, coarse)
    assert aligned.close[7] == fine.close[5 * 7 + 4]
    assert aligned.open[7] == fine.open[5 * 7]
    assert aligned.high[7] == fine.high[35:40].max()
    assert aligned.low[7] == fine.low[35:40].min()
    # Of what was before the first time, only the bar of that time.
    assert aligned.open[0] == fine.open[4]


@pytest.mark.parametrize(
    ("first", "holes", "said"),
    [
        (11, (), "has no bar at 11 times of OWN from 1989-12-27"),
        (0, tuple(range(300, 311)), "has no bar at 11 times"),
        (0, tuple(range(ROWS - 11, ROWS)), "has no bar at 11 times"),
    ],
)
def test_a_benchmark_that_is_missing_for_long_is_refused(
    first: int, holes: tuple[int, ...], said: str
) -> None:
    clock = Universe.of(make("OWN", 1))
    with pytest.raises(InvalidInput, match=said) as refused:
        align(make(OTHER, 2, first=first, holes=holes), clock)
    assert refused.value.field == "benchmark"
    align(make(OTHER, 2, first=max(first - 1, 0), holes=holes[:10]), clock)


def test_an_unknown_benchmark_is_refused(data_dir: Path) -> None:
    with pytest.raises(UnknownSymbol, match="NOWHERE"):
        load_benchmark("NOWHERE", load_universe(OWN, data_dir), data_dir)


def research(data_dir: Path, benchmark: str | None) -> tuple[list[float], Curves, float | None]:
    """Train and backtest; return the benchmark of the walk-forward, and the curves of the other."""
    spec = SPEC.model_copy(update={"benchmark": benchmark})
    workspace = ArtifactStore(str(data_dir / "artifacts")).open(f"of-{benchmark}")
    trained = train_model(
        TrainingInput(data=OWN, spec=spec, seed=1), data_dir, workspace, ignore_report
    )
    model = (workspace.read(Artifact.MODEL) or b"").decode()
    result = backtest_holdout(
        BacktestInput(
            data=trained.data.source, spec=spec, seed=1, model_sha256=trained.model_sha256
        ),
        model,
        data_dir,
        workspace,
        ignore_report,
    )
    walked = parse_artifact(
        WalkForward, workspace.read(Artifact.WALK_FORWARD) or b"", Artifact.WALK_FORWARD
    )
    curves = parse_artifact(Curves, workspace.read(Artifact.CURVES) or b"", Artifact.CURVES)
    assert result.benchmark.total_return == pytest.approx(curves.benchmark_equity[-1] - 1.0)
    assert (result.benchmark.content_hash is None) == (benchmark is None)
    return walked.benchmark_equity, curves, result.benchmark.sharpe


def expect(bars: Bars, start: int) -> list[float]:
    """Return buy and hold of a part: from its second open to its last one."""
    part = bars.slice(start, len(bars))
    grown = part.close / part.open[1]
    grown[0], grown[-1] = 1.0, part.open[-1] / part.open[1]
    return [float(each) for each in grown]


def test_only_the_comparison_changes_with_the_benchmark(data_dir: Path) -> None:
    walked, curves, sharpe = research(data_dir, None)
    other_walked, other_curves, other_sharpe = research(data_dir, OTHER)

    assert other_curves.equity == curves.equity
    assert other_curves.trades == curves.trades
    assert other_sharpe != sharpe
    own = load_universe(OWN, data_dir)
    aligned = align(make(OTHER, 2, holes=(100, 101, 700)), own)
    holdout, development = own.holdout_start, aligned.slice(0, own.holdout_start)
    assert other_curves.benchmark_equity == pytest.approx(expect(aligned, holdout), rel=1e-9)
    begin = holdout - len(other_walked)
    assert other_walked == pytest.approx(expect(development, begin), rel=1e-9)
    assert len(walked) == len(other_walked)


@pytest.fixture
def trained(data_dir: Path) -> TrainingResult:
    """Return a training with a benchmark; its artifacts are in `artifacts`."""
    return train_model(
        TrainingInput(data=OWN, spec=COMPARED, seed=1),
        data_dir,
        ArtifactStore(str(data_dir / "artifacts")).open("trained"),
        ignore_report,
    )


def backtest(data_dir: Path, trained: TrainingResult, days: DateRange | None = None) -> str | None:
    """Backtest what was trained; return the hash of the bars that it was compared with."""
    workspace = ArtifactStore(str(data_dir / "artifacts")).open("trained")
    result = backtest_holdout(
        BacktestInput(
            data=trained.data.source,
            spec=COMPARED,
            seed=1,
            model_sha256=trained.model_sha256,
            benchmark_hash=trained.benchmark_hash,
            days=days,
        ),
        (workspace.read(Artifact.MODEL) or b"").decode(),
        data_dir,
        workspace,
        ignore_report,
    )
    return result.benchmark.content_hash


def test_a_benchmark_that_was_replaced_since_the_training_is_refused(
    data_dir: Path, trained: TrainingResult
) -> None:
    assert trained.benchmark_hash is not None
    assert backtest(data_dir, trained) == trained.benchmark_hash

    write_bars(data_dir, make(OTHER, 3))

    with pytest.raises(DataChanged, match=f"{OTHER} 1d have changed") as refused:
        backtest(data_dir, trained)
    assert refused.value.field == "benchmark"
    again = TrainingInput(data=OWN, spec=COMPARED, seed=1, benchmark_hash=trained.benchmark_hash)
    with pytest.raises(DataChanged, match="benchmark"):
        train_model(again, data_dir, ArtifactStore(str(data_dir)).open("again"), ignore_report)
    # Days of their own have another clock, and nothing was compared on it.
    every = DateRange(start_date=date(1990, 6, 1))
    assert backtest(data_dir, trained, every) != trained.benchmark_hash
    # An earlier version has not kept what it was compared with.
    earlier = TrainingResult.model_validate(trained.model_dump(exclude={"benchmark_hash"}))
    assert backtest(data_dir, earlier) != trained.benchmark_hash


def test_what_has_no_benchmark_is_written_as_before(trained: TrainingResult) -> None:
    without = trained.model_copy(update={"benchmark_hash": None})
    assert "benchmark_hash" not in without.model_dump_json()
    assert "benchmark_hash" not in TrainingInput(data=OWN, spec=SPEC, seed=1).model_dump_json()


def test_another_benchmark_is_another_trial_but_none_leaves_the_fingerprint() -> None:
    # As it was before strategies had a benchmark.
    assert SPEC.fingerprint() == FINGERPRINT
    named = (None, OTHER, "THIRD")
    chosen = [SPEC.model_copy(update={"benchmark": each}).fingerprint() for each in named]
    assert len(set(chosen)) == len(named)
