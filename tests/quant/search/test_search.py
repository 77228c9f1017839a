from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from errors import InvalidInput
from quant.bars.bars import Bars
from quant.bars.loader import load_bars
from quant.brief.words import ALL_KINDS, FAMILIES
from quant.messages.artifacts import Artifact
from quant.messages.data import DataSource
from quant.messages.progress import Progress, ignore_report
from quant.messages.record.trials import Trial, TrialOnBars
from quant.messages.steps import DesignInput, DesignResult
from quant.messages.strategy import FeatureSpec, ModelSpec, StrategySpec
from quant.search.scorer import Scorer, count_trades, keeps_trading
from quant.search.search import search
from quant.search.space import PERIODS, Space
from quant.steps.design import design_strategy
from storage.artifacts import ArtifactStore


@pytest.fixture(scope="module")
def development() -> Bars:
    return load_bars(DataSource(), None).split()[0].slice(0, 1500)


def test_the_same_seed_finds_the_same(development: Bars) -> None:
    first = search(development, 12, 5, ignore_report, on_trial=ignore_report)
    assert search(development, 12, 5, ignore_report, on_trial=ignore_report) == first
    assert search(development, 12, 6, ignore_report, on_trial=ignore_report) != first


def test_the_best_candidate_wins_and_is_named_after_its_content(development: Bars) -> None:
    found = search(development, 12, 5, ignore_report, on_trial=ignore_report)
    best = max(found.trials, key=lambda trial: -np.inf if trial.sharpe is None else trial.sharpe)
    assert found.sharpe == best.sharpe
    assert found.spec.fingerprint() == best.fingerprint
    assert found.spec.name == f"search-{best.fingerprint[:8]}"
    assert found.spec.description.startswith("Predicts whether the price rises")
    assert [trial.number for trial in found.trials] == list(range(1, 13))
    assert Scorer(development, 5).score(found.spec) == found.sharpe


def test_bars_without_volume_are_searched_without_features_of_it(development: Bars) -> None:
    silent = replace(development, volume=np.zeros(len(development)))
    features = *FAMILIES["volume"], *FAMILIES["momentum"]
    found = search(silent, 6, 5, ignore_report, on_trial=ignore_report, features=features)
    assert {feature.kind for feature in found.spec.features} <= set(FAMILIES["momentum"])
    assert not any("volume_ratio" in trial.parameters for trial in found.trials)
    with pytest.raises(InvalidInput, match="Name another family: momentum") as refused:
        search(silent, 1, 5, ignore_report, on_trial=ignore_report, features=FAMILIES["volume"])
    assert refused.value.field == "brief"


def design(directory: Path, frame: pd.DataFrame) -> tuple[DesignResult, bytes | None]:
    directory.mkdir()
    frame.to_csv(directory / "GOLD.csv", index=False)
    artifacts = ArtifactStore(str(directory)).open("design")
    inp = DesignInput(data=DataSource(symbol="GOLD"), trials=4, seed=3)
    result = design_strategy(inp, directory, artifacts, ignore_report)
    return result, artifacts.read(Artifact.TRIALS)


def test_only_development_bars_matter(tmp_path: Path) -> None:
    bars = load_bars(DataSource(), None).slice(0, 1200)
    start = bars.holdout_start
    frame = pd.DataFrame(
        {
            "timestamp": bars.timestamps,
            "open": bars.open,
            "high": bars.high,
            "low": bars.low,
            "close": bars.close,
            "volume": bars.volume,
        }
    )
    changed = frame.copy()
    changed.loc[start:, ["open", "high", "low", "close"]] *= 2.5
    before, trials_before = design(tmp_path / "before", frame)
    after, trials_after = design(tmp_path / "after", changed)
    assert before.data.content_hash != after.data.content_hash
    assert before.model_copy(update={"data": after.data}) == after
    assert trials_before == trials_after


def test_a_candidate_that_never_trades_has_no_sharpe_and_loses(development: Bars) -> None:
    cautious = StrategySpec(
        name="cautious",
        features=(FeatureSpec(kind="rsi", period=14),),
        threshold=0.49,
        model=ModelSpec(num_iterations=10, learning_rate=0.01),
    )
    assert Scorer(development, 1).score(cautious) is None
    price = np.linspace(100.0, 50.0, len(development))
    falling = replace(development, open=price, high=price, low=price, close=price)
    nothing = search(falling, 3, 1, ignore_report, on_trial=ignore_report, long_only=True)
    assert nothing.sharpe is None
    assert [trial.sharpe for trial in nothing.trials] == [None, None, None]


def test_a_candidate_that_stops_trading_has_no_score(
    development: Bars, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = StrategySpec(name="busy", features=(FeatureSpec(kind="rsi", period=5),), threshold=0.0)
    assert Scorer(development, 1).score(spec) is not None
    monkeypatch.setattr("quant.search.scorer.BARS_PER_TRADE", 1)
    assert Scorer(development, 1).score(spec) is None


def test_every_entry_is_a_trade_and_a_reversal_is_one() -> None:
    positions = np.array([[0.0], [1.0], [1.0], [-1.0], [0.0], [-1.0]])
    assert count_trades(positions) == 3
    assert count_trades(np.hstack([positions, positions * 0.5])) == 6
    assert count_trades(np.zeros((4, 2))) == 0


def test_every_trial_is_told_as_soon_as_it_is_made(development: Bars) -> None:
    told: list[Trial] = []

    def count(progress: Progress) -> None:
        assert progress.items_processed == len(told)

    assert search(development, 3, 5, count, on_trial=told.append).trials == told


def test_another_seed_is_another_trial_where_it_samples_and_only_there() -> None:
    plain = StrategySpec(name="one", features=(FeatureSpec(kind="rsi", period=14),))
    assert plain.trial_fingerprint(1) == plain.trial_fingerprint(2) == plain.fingerprint()
    for fraction in ("bagging_fraction", "feature_fraction"):
        sampled = plain.model_copy(update={"model": ModelSpec(**{fraction: 0.5})})
        assert len({sampled.trial_fingerprint(seed) for seed in (1, 2, 2)}) == 2
        renamed = sampled.model_copy(update={"name": "two"})
        assert renamed.trial_fingerprint(1) == sampled.trial_fingerprint(1)


def test_a_search_begins_simply_unless_it_remembers(development: Bars) -> None:
    first = search(development, 11, 5, ignore_report, on_trial=ignore_report)
    assert [trial.parameters["num_leaves"] for trial in first.trials] == [2] * 11
    again = search(development, 11, 5, ignore_report, on_trial=ignore_report, earlier=first.trials)
    assert again.remembered > 0
    assert {trial.fingerprint for trial in again.trials} != {
        trial.fingerprint for trial in first.trials
    }


def test_trials_of_versions_that_mirrored_none_are_remembered(development: Bars) -> None:
    first = search(development, 2, 5, ignore_report, on_trial=ignore_report)
    recorded = [
        trial.model_copy(
            update={"parameters": {k: v for k, v in trial.parameters.items() if k != "mirrored"}}
        )
        for trial in first.trials
    ]
    assert recorded != first.trials
    again = search(development, 1, 5, ignore_report, on_trial=ignore_report, earlier=recorded)
    assert again.remembered == sum(trial.sharpe is not None for trial in recorded) > 0


def test_a_slow_trend_that_reverses_trades_often_enough() -> None:
    """A reversal is an exit and an entry. Parts of 600 bars need four entries each."""
    positions = np.repeat([1.0, -1.0] * 6, 150)[:, np.newaxis]
    assert keeps_trading(positions)
    assert not keeps_trading(np.abs(positions))
    assert not keeps_trading(np.where(np.arange(1800) < 500, 1.0, positions[:, 0])[:, np.newaxis])


def test_a_design_names_the_bars_of_its_trials() -> None:
    told: list[TrialOnBars] = []
    artifacts = ArtifactStore("memory://design").open("design")
    inp = DesignInput(data=DataSource(), trials=2, seed=3)
    result = design_strategy(inp, None, artifacts, ignore_report, told.append)
    assert [each.data for each in told] == [result.data.source] * 2


def test_equal_candidates_are_computed_once(development: Bars) -> None:
    scorer = Scorer(development, 1)
    spec = StrategySpec(
        name="one",
        features=(FeatureSpec(kind="rsi", period=14),),
        model=ModelSpec(num_iterations=10),
    )
    assert scorer.score(spec) == scorer.score(spec.model_copy(update={"name": "two"}))


def test_progress_tells_the_best_so_far(development: Bars) -> None:
    seen: list[Progress] = []
    search(development, 3, 5, seen.append, on_trial=ignore_report)
    assert [progress.items_processed for progress in seen] == [1, 2, 3]
    assert seen[-1].percentage == 100.0
    assert seen[1].current_step.startswith("Trial 2 of 3, best Sharpe ")


def test_a_search_chooses_from_the_given_features_in_one_order(development: Bars) -> None:
    assert Space.make(5000).kinds == ALL_KINDS
    assert Space.make(5000, ("rsi", "macd", "rsi")).kinds == ("macd", "rsi")
    found = search(
        development, 3, 5, ignore_report, on_trial=ignore_report, features=("rsi",), long_only=True
    )
    assert {feature.kind for feature in found.spec.features} == {"rsi"}
    assert found.spec.positions == "long_only"


def test_an_input_of_an_earlier_version_has_a_brief_only(tmp_path: Path) -> None:
    inp = DesignInput(data=DataSource(), trials=1, seed=3, brief="Long-only volume")
    result = design_strategy(inp, None, ArtifactStore(str(tmp_path)).open("op"), ignore_report)
    assert [feature.kind for feature in result.spec.features] == ["volume_ratio"]
    assert result.spec.positions == "long_only"
    other = inp.model_copy(update={"features": ("rsi",), "long_only": False})
    result = design_strategy(other, None, ArtifactStore(str(tmp_path)).open("op"), ignore_report)
    assert [feature.kind for feature in result.spec.features] == ["rsi"]


def test_periods_are_short_against_the_bars() -> None:
    assert Space.make(350).periods == (5, 10)
    assert Space.make(3500).periods == PERIODS


def test_the_fewest_bars_allowed_can_be_searched() -> None:
    found = search(
        load_bars(DataSource(), None).slice(0, 350),
        10,
        1,
        ignore_report,
        on_trial=ignore_report,
    )
    assert len(found.trials) == 10
