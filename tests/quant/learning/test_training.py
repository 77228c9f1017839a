"""The results and artifacts of a training."""

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import lightgbm as lgb
import numpy as np
import pytest

from errors import InvalidInput
from quant.learning.boosting import chunk_ends, derive_seed
from quant.learning.prediction import predict_rises
from quant.learning.training import train
from quant.messages.artifacts import Artifact
from quant.messages.progress import Progress, ignore_report
from quant.messages.steps import TrainingResult
from quant.messages.strategy import FeatureSpec, ModelSpec
from quant.strategy.features import count_warm_up
from quant.strategy.table import compute_features
from tests.support.quant.training import ITERATIONS, SPEC, assert_same, bars, run, workspace


def test_the_same_seed_gives_the_same_bits(
    tmp_path: Path, uninterrupted: tuple[Path, TrainingResult]
) -> None:
    assert_same(tmp_path, run(tmp_path, checkpoint_seconds=3600.0), uninterrupted)


def test_another_seed_samples_other_rows(
    tmp_path: Path, uninterrupted: tuple[Path, TrainingResult]
) -> None:
    assert run(tmp_path, seed=8).model_sha256 != uninterrupted[1].model_sha256


def test_progress_covers_all_models_and_never_goes_back(tmp_path: Path) -> None:
    seen: list[Progress] = []
    everything = bars()
    train(
        everything.split()[0], SPEC, 7, workspace(tmp_path), seen.append, data=everything.describe()
    )
    assert [one.items_processed for one in seen] == list(range(1, 6 * ITERATIONS + 1))
    assert all(one.percentage < two.percentage for one, two in pairwise(seen))
    assert seen[0].current_step == "Fold 1 of 5"
    assert seen[-1].current_step == "Final model"
    assert seen[-1].percentage == 100.0
    assert seen[-1].items_total == 6 * ITERATIONS


def test_the_result_describes_the_model(uninterrupted: tuple[Path, TrainingResult]) -> None:
    directory, result = uninterrupted
    model = workspace(directory).read(Artifact.MODEL)
    assert model is not None
    assert lgb.Booster(model_str=model.decode()).num_trees() == ITERATIONS == result.iterations
    assert set(result.feature_importance) == {"rsi_14", "return_20", "volatility_10"}
    assert sum(result.feature_importance.values()) == pytest.approx(1.0)
    assert [fold.fold for fold in result.folds] == [1, 2, 3, 4, 5]
    assert result.log_loss == pytest.approx(np.mean([fold.log_loss for fold in result.folds]))
    assert result.data == bars().describe()


def test_the_metrics_of_long_trainings_are_thinned(tmp_path: Path) -> None:
    longer = SPEC.model_copy(update={"model": ModelSpec(num_iterations=500, num_leaves=2)})
    run(tmp_path, longer)
    content = workspace(tmp_path).read(Artifact.TRAINING_METRICS)
    assert content is not None
    metrics = json.loads(content)
    assert metrics["iterations_planned"] == metrics["iterations_completed"] == 6 * 500
    points = metrics["history"]
    assert len(points) <= 1000
    assert points[-1]["iteration"] == 500
    assert {point["fold"] for point in points} == {1, 2, 3, 4, 5, None}
    assert all((point["valid_loss"] is None) == (point["fold"] is None) for point in points)


def test_predictions_are_causal_and_undefined_in_the_warm_up(
    uninterrupted: tuple[Path, TrainingResult],
) -> None:
    model = workspace(uninterrupted[0]).read(Artifact.MODEL)
    assert model is not None
    everything = bars()
    probabilities = predict_rises(model.decode(), everything, SPEC)
    first = count_warm_up(compute_features(everything, SPEC))
    assert np.isnan(probabilities[:first]).all()
    assert ((probabilities[first:] > 0.0) & (probabilities[first:] < 1.0)).all()
    start = everything.holdout_start
    early = predict_rises(model.decode(), everything.slice(0, start), SPEC)
    np.testing.assert_array_equal(probabilities[:start], early)


def test_features_without_any_information_still_train(tmp_path: Path) -> None:
    everything = bars()
    price = np.full(len(everything), 50.0)
    opened = price + 0.01 * np.random.default_rng(1).integers(0, 2, len(everything))
    flat = replace(everything, open=opened, high=price + 0.01, low=price, close=price)
    result = train(
        flat.split()[0], SPEC, 7, workspace(tmp_path), ignore_report, data=everything.describe()
    )
    assert result.auc == 0.5
    assert set(result.feature_importance.values()) == {0.0}


def test_a_price_that_never_changes_is_refused(tmp_path: Path) -> None:
    everything = bars()
    price = np.full(len(everything), 50.0)
    flat = replace(everything, open=price, high=price, low=price, close=price)
    with pytest.raises(InvalidInput, match="price never changes"):
        train(flat.split()[0], SPEC, 7, workspace(tmp_path), ignore_report, data=flat.describe())


def test_too_few_bars_for_the_features_are_refused(tmp_path: Path) -> None:
    slow = SPEC.model_copy(update={"features": (FeatureSpec(kind="macd", period=250),)})
    everything = bars().slice(0, 700)
    with pytest.raises(InvalidInput, match="too few"):
        train(
            everything.split()[0],
            slow,
            7,
            workspace(tmp_path),
            ignore_report,
            data=everything.describe(),
        )


def test_chunks_cover_all_iterations_and_grow() -> None:
    assert list(chunk_ends(10)) == [10]
    assert list(chunk_ends(120)) == [50, 100, 120]
    ends = list(chunk_ends(20_000))
    assert ends[-1] == 20_000
    assert len(ends) < 20


def test_derived_seeds_differ_and_fit_into_31_bits() -> None:
    seeds = {derive_seed(1, stage, chunk) for stage in range(20) for chunk in range(20)}
    assert len(seeds) == 400
    assert all(0 <= seed < 2**31 for seed in seeds)
