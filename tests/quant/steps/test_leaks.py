"""No result of any step depends on later bars."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from activities.inline_research import run_inline
from quant.backtest.account import Account
from quant.bars.bars import Bars, Floats
from quant.bars.loader import load_bars
from quant.learning import training
from quant.learning.prediction import trade_predictions
from quant.messages.artifacts import Artifact, name_proposals
from quant.messages.data import DataSource
from quant.messages.progress import ignore_report
from quant.messages.report.curves import Curves, WalkForward
from quant.messages.search import SliceInput
from quant.messages.steps import BacktestInput, DesignInput, TrainingInput
from quant.messages.strategy import Costs, FeatureSpec, ModelSpec, StrategySpec
from quant.search.records import Proposals, read_slice
from quant.steps.backtest import backtest_holdout
from quant.steps.design import begin_proposed_design, score_trials
from quant.steps.train import train_model
from quant.universe.universe import Universe
from storage.artifacts import ArtifactStore
from tests.support.quant.oracle import oracle, random_bars

GOLD = DataSource(symbol="GOLD")
ROWS = 1200
SPEC = StrategySpec(
    name="busy",
    features=(
        FeatureSpec(kind="return", period=2),
        FeatureSpec(kind="rsi", period=5),
        FeatureSpec(kind="volume_ratio", period=5),
    ),
    horizon=2,
    threshold=0.01,
    model=ModelSpec(num_iterations=20, num_leaves=4),
)


def frame() -> pd.DataFrame:
    """Return bars that open elsewhere than the close before."""
    bars = load_bars(DataSource(symbol="NASDAQ"), None).slice(0, ROWS)
    names = ("open", "high", "low", "close", "volume")
    return pd.DataFrame(
        {"timestamp": bars.timestamps, **{name: getattr(bars, name) for name in names}}
    )


def change_from(table: pd.DataFrame, start: int) -> pd.DataFrame:
    """Return the bars with other prices and volumes from `start` on."""
    changed = table.copy()
    factors = np.random.default_rng(start).uniform(0.5, 2.0, (len(table) - start, 2))
    for name in ("open", "high", "low", "close"):
        changed.loc[start:, name] *= factors[:, 0]
    changed["volume"] = changed["volume"].astype(float)
    changed.loc[start:, "volume"] *= factors[:, 1]
    return changed


def write(directory: Path, table: pd.DataFrame) -> Path:
    directory.mkdir()
    table.to_csv(directory / "GOLD.csv", index=False)
    return directory


def conduct_without_holdout(directory: Path) -> list[object]:
    """Return all results of a research that must not depend on the holdout."""
    store = ArtifactStore(str(directory / "artifacts"))
    research = run_inline(
        GOLD, trials=2, seed=3, store=store, data_dir=directory, bypass_gates=True
    )
    own = store.open("own")
    begin_proposed_design(DesignInput(data=GOLD, trials=1, seed=3), directory, own)
    own.write(name_proposals(1), Proposals(first=1, specs=(SPEC,)).model_dump_json().encode())
    score_trials(SliceInput(round_number=1, first=1, last=1), directory, own, ignore_report)
    scored = read_slice(own, SliceInput(round_number=1, first=1, last=1))
    assert scored.best is not None
    trained = train_model(
        TrainingInput(data=GOLD, spec=SPEC, seed=3), directory, own, ignore_report
    )
    return [
        research.assessment.stability,
        *(each.model_dump(exclude={"data"}) for each in (research.training, scored, trained)),
        *(
            own.read(name)
            for name in (Artifact.MODEL, Artifact.WALK_FORWARD, Artifact.TRAINING_METRICS)
        ),
    ]


def test_training_score_and_neighbours_do_not_depend_on_the_holdout(tmp_path: Path) -> None:
    table = frame()
    start = len(table) * 70 // 100
    one = conduct_without_holdout(write(tmp_path / "one", table))
    other = conduct_without_holdout(write(tmp_path / "other", change_from(table, start)))
    assert None not in one
    assert one == other


@dataclass(frozen=True)
class Backtester:
    """Backtests one model on any bars."""

    model: str
    sha256: str

    def trade(self, directory: Path) -> Curves:
        source = load_bars(GOLD, directory).describe().source
        store = ArtifactStore(str(directory)).open("backtest")
        inp = BacktestInput(data=source, spec=SPEC, seed=3, model_sha256=self.sha256)
        backtest_holdout(inp, self.model, directory, store, ignore_report)
        return Curves.model_validate_json(store.read(Artifact.CURVES) or b"")


@pytest.fixture(scope="module")
def backtester(tmp_path_factory: pytest.TempPathFactory) -> Backtester:
    directory = write(tmp_path_factory.mktemp("training") / "bars", frame())
    store = ArtifactStore(str(directory)).open("training")
    inp = TrainingInput(data=GOLD, spec=SPEC, seed=3)
    trained = train_model(inp, directory, store, ignore_report)
    return Backtester((store.read(Artifact.MODEL) or b"").decode(), trained.model_sha256)


def list_entries(curves: Curves, until: str) -> list[tuple[object, ...]]:
    return [
        (trade.entry_time, trade.direction, trade.entry_price, trade.size)
        for trade in curves.trades
        if trade.entry_time <= until
    ]


def test_no_position_on_the_holdout_depends_on_the_close_of_its_bar_or_on_later_ones(
    tmp_path: Path, backtester: Backtester
) -> None:
    table = frame()
    curves = backtester.trade(write(tmp_path / "whole", table))
    entries = [curves.timestamps.index(trade.entry_time) for trade in curves.trades]
    assert len(entries) > 40
    for number in entries[1:-1:4]:
        bar = len(table) * 70 // 100 + number
        changed = change_from(table, bar + 1)
        # The position is taken at the open, so the rest of the bar is the future, too.
        closes = changed["close"].to_numpy(copy=True)
        closes[bar] *= 0.8 if number % 2 else 1.25
        changed["close"] = closes
        changed["low"] = changed[["open", "low", "close"]].min(axis=1)
        changed["high"] = changed[["open", "high", "close"]].max(axis=1)
        again = backtester.trade(write(tmp_path / str(number), changed))
        assert list_entries(again, curves.timestamps[number]) == list_entries(
            curves, curves.timestamps[number]
        )
        for level, equity in curves.equity.items():
            assert again.equity[level][:number] == equity[:number]


def decisions(probabilities: Floats, spec: StrategySpec) -> list[int]:
    """Return what to hold after each close, by the rules stated in `quant.strategy.positions`."""
    held: list[int] = []
    direction, left = 0, 0
    for probability in probabilities:
        left -= 1
        if probability >= 0.5 + spec.threshold:
            direction, left = 1, spec.horizon
        elif probability <= 0.5 - spec.threshold:
            direction, left = -1, spec.horizon
        held.append(direction if left > 0 else 0)
    return held


def earn(bars: Bars, probabilities: Floats, spec: StrategySpec) -> Floats:
    equity, _ = oracle(bars, decisions(probabilities, spec), spec.costs, 1.0)
    returns: Floats = np.diff(equity, prepend=1.0) / np.concatenate([[1.0], equity[:-1]])
    return returns


@pytest.mark.parametrize("side", [0.0, 0.0005, 0.01])
def test_predictions_are_traded_as_the_oracle_does_after_cost(side: float) -> None:
    bars = random_bars(5, 300, 0.02)
    probabilities = np.random.default_rng(6).uniform(0.4, 0.6, len(bars))
    spec = SPEC.model_copy(update={"costs": Costs(commission=side, slippage=side)})
    run = trade_predictions(bars, probabilities[:, np.newaxis], spec)
    np.testing.assert_allclose(run.returns, earn(bars, probabilities, spec), atol=1e-12)


def test_the_walk_forward_is_what_the_oracle_earns_by_the_same_predictions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    predicted: list[tuple[Bars, Floats]] = []

    def note(universe: Universe, probabilities: Floats, spec: StrategySpec) -> Account:
        [bars] = universe.instruments
        traded = bars.slice(len(bars) - len(probabilities), len(bars))
        predicted.append((traded, probabilities[:, 0]))
        return trade_predictions(universe, probabilities, spec)

    monkeypatch.setattr(training, "trade_predictions", note)
    directory = write(tmp_path / "bars", frame())
    store = ArtifactStore(str(directory)).open("training")
    result = train_model(
        TrainingInput(data=GOLD, spec=SPEC, seed=3), directory, store, ignore_report
    )
    curves = WalkForward.model_validate_json(store.read(Artifact.WALK_FORWARD) or b"")
    [(bars, probabilities)] = predicted
    expected = earn(bars, probabilities, SPEC)
    np.testing.assert_allclose(curves.returns, expected, atol=1e-12)
    assert result.sharpe == pytest.approx(expected.mean() / expected.std(ddof=1) * 252**0.5)


@pytest.mark.parametrize("bar", [50, 51, 120, 121, 122, 200])
def test_no_walk_forward_position_depends_on_the_close_of_its_bar_or_on_later_ones(
    bar: int,
) -> None:
    bars = random_bars(5, 300, 0.02)
    probabilities = np.random.default_rng(6).uniform(0.4, 0.6, (len(bars), 1))
    one = trade_predictions(bars, probabilities, SPEC)
    later, closes, opens = probabilities.copy(), bars.close.copy(), bars.open.copy()
    later[bar:] = 1.0 - later[bar:]
    closes[bar:] *= 1.1
    opens[bar + 1 :] *= 0.9
    changed = Bars(
        *(bars.symbol, bars.timeframe, bars.timestamps),
        open=opens,
        high=np.maximum(opens, closes),
        low=np.minimum(opens, closes),
        close=closes,
        volume=bars.volume,
    )
    other = trade_predictions(changed, later, SPEC)
    np.testing.assert_array_equal(one.positions[: bar + 1], other.positions[: bar + 1])
    np.testing.assert_array_equal(one.equity[:bar], other.equity[:bar])
    assert not np.array_equal(one.positions, other.positions)
