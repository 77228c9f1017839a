import json
import signal
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import lightgbm as lgb
import numpy as np
import pytest

from errors import CheckpointMismatch, InvalidInput
from quant import checkpoint
from quant.boosting import chunk_ends, derive_seed
from quant.data import Bars, load
from quant.features import feature_matrix, warm_up
from quant.models import DataSource, Progress, TrainingResult
from quant.spec import FeatureSpec, ModelSpec, StrategySpec
from quant.splits import TRAINING_FOLDS
from quant.training import predict, train
from storage.artifacts import ArtifactStore, OperationArtifacts

ITERATIONS = 120
SPEC = StrategySpec(
    name="sampled",
    features=(
        FeatureSpec(kind="rsi", period=14),
        FeatureSpec(kind="return", period=20),
        FeatureSpec(kind="volatility", period=10),
    ),
    model=ModelSpec(
        num_iterations=ITERATIONS, num_leaves=7, bagging_fraction=0.7, feature_fraction=0.7
    ),
)
ARTIFACTS = ("model.txt", "metrics.json")


class Interrupted(Exception):
    """Stands for whatever ends an attempt."""


def ignore(progress: Progress) -> None:
    """Take no interest in progress."""


def bars() -> Bars:
    return load(DataSource(), None).part(0, 1500)


def workspace(directory: Path) -> OperationArtifacts:
    return ArtifactStore(str(directory)).operation("training")


def run(
    directory: Path, spec: StrategySpec = SPEC, seed: int = 7, checkpoint_seconds: float = 0.0
) -> TrainingResult:
    everything = bars()
    return train(
        everything.split()[0],
        spec,
        seed,
        workspace(directory),
        ignore,
        data=everything.info(),
        checkpoint_seconds=checkpoint_seconds,
    )


def interrupt(directory: Path, after: int) -> None:
    """Train up to this iteration, counted over all models."""

    def stop(progress: Progress) -> None:
        if progress.items_processed >= after:
            raise Interrupted

    everything = bars()
    with pytest.raises(Interrupted):
        train(
            everything.split()[0],
            SPEC,
            7,
            workspace(directory),
            stop,
            data=everything.info(),
            checkpoint_seconds=0.0,
        )


def artifacts(directory: Path) -> dict[str, bytes | None]:
    return {name: workspace(directory).read(name) for name in ARTIFACTS}


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, TrainingResult]:
    directory = tmp_path_factory.mktemp("uninterrupted")
    return directory, run(directory)


def assert_same(
    directory: Path, result: TrainingResult, uninterrupted: tuple[Path, TrainingResult]
) -> None:
    expected_directory, expected = uninterrupted
    assert artifacts(directory) == artifacts(expected_directory)
    assert result.model_copy(update={"resumed_from_iteration": 0}) == expected


def test_the_same_seed_gives_the_same_bits(
    tmp_path: Path, uninterrupted: tuple[Path, TrainingResult]
) -> None:
    assert_same(tmp_path, run(tmp_path, checkpoint_seconds=3600.0), uninterrupted)


def test_another_seed_samples_other_rows(
    tmp_path: Path, uninterrupted: tuple[Path, TrainingResult]
) -> None:
    assert run(tmp_path, seed=8).model_sha256 != uninterrupted[1].model_sha256


@pytest.mark.parametrize("after", [1, 50, 51, 120, 121, 333, 601, 651, 719])
def test_a_resumed_training_ends_with_the_same_bits(
    tmp_path: Path, uninterrupted: tuple[Path, TrainingResult], after: int
) -> None:
    interrupt(tmp_path, after)
    assert_same(tmp_path, run(tmp_path), uninterrupted)


def test_two_interruptions_are_as_good_as_one(
    tmp_path: Path, uninterrupted: tuple[Path, TrainingResult]
) -> None:
    interrupt(tmp_path, 190)
    interrupt(tmp_path, 460)
    assert_same(tmp_path, run(tmp_path), uninterrupted)


def test_the_result_tells_from_which_iteration_of_the_final_model_it_went_on(
    tmp_path: Path, uninterrupted: tuple[Path, TrainingResult]
) -> None:
    interrupt(tmp_path, TRAINING_FOLDS * ITERATIONS + 75)
    assert run(tmp_path).resumed_from_iteration == 50
    assert uninterrupted[1].resumed_from_iteration == 0


CHILD = """
import sys
from pathlib import Path
sys.path.insert(0, "tests/unit")
import test_training as t

def wait_to_be_killed(progress):
    if progress.items_processed == 395:
        print("in the middle", flush=True)
        sys.stdin.read()

bars = t.bars()
t.train(bars.split()[0], t.SPEC, 7, t.workspace(Path(sys.argv[1])), wait_to_be_killed,
        data=bars.info(), checkpoint_seconds=0.0)
"""


def test_a_training_resumes_after_its_process_was_killed(
    tmp_path: Path, uninterrupted: tuple[Path, TrainingResult]
) -> None:
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-c", CHILD, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
        env={"PYTHONPATH": "."},
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "in the middle\n"
        child.send_signal(signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL
    assert workspace(tmp_path).read("model.txt") is None
    assert workspace(tmp_path).read(checkpoint.ARTIFACT) is not None
    assert_same(tmp_path, run(tmp_path), uninterrupted)


@pytest.mark.parametrize(
    ("spec", "seed", "reason"),
    [
        (SPEC, 8, "seed 7 instead of 8"),
        (SPEC.model_copy(update={"horizon": 6}), 7, "strategy"),
    ],
)
def test_a_checkpoint_of_another_training_is_refused(
    tmp_path: Path, spec: StrategySpec, seed: int, reason: str
) -> None:
    interrupt(tmp_path, 100)
    with pytest.raises(CheckpointMismatch, match=reason):
        run(tmp_path, spec, seed)


def test_a_checkpoint_of_other_bars_is_refused(tmp_path: Path) -> None:
    interrupt(tmp_path, 100)
    everything = bars()
    changed = replace(everything, volume=everything.volume + 1.0)
    with pytest.raises(CheckpointMismatch, match="bars"):
        train(changed.split()[0], SPEC, 7, workspace(tmp_path), ignore, data=everything.info())


@pytest.mark.parametrize("damage", [b"", b"{", b'{"sha256": "0", "state": "{}"}', b"\xff"])
def test_a_damaged_checkpoint_starts_over_and_says_so(
    tmp_path: Path, uninterrupted: tuple[Path, TrainingResult], damage: bytes
) -> None:
    workspace(tmp_path).write(checkpoint.ARTIFACT, damage)
    steps: list[str] = []
    everything = bars()
    result = train(
        everything.split()[0],
        SPEC,
        7,
        workspace(tmp_path),
        lambda progress: steps.append(progress.current_step),
        data=everything.info(),
    )
    assert steps[0] == "Checkpoint is damaged, starting over"
    assert_same(tmp_path, result, uninterrupted)


def test_a_flipped_digit_in_a_checkpoint_is_noticed(tmp_path: Path) -> None:
    interrupt(tmp_path, 300)
    content = workspace(tmp_path).read(checkpoint.ARTIFACT)
    assert content is not None
    workspace(tmp_path).write(
        checkpoint.ARTIFACT, content.replace(b"leaf_value=0", b"leaf_value=1")
    )
    with pytest.raises(checkpoint.CorruptCheckpoint):
        checkpoint.restore({}, workspace(tmp_path))


def test_progress_covers_all_models_and_never_goes_back(tmp_path: Path) -> None:
    seen: list[Progress] = []
    everything = bars()
    train(everything.split()[0], SPEC, 7, workspace(tmp_path), seen.append, data=everything.info())
    assert [one.items_processed for one in seen] == list(range(1, 6 * ITERATIONS + 1))
    assert all(one.percentage < two.percentage for one, two in pairwise(seen))
    assert seen[0].current_step == "Fold 1 of 5"
    assert seen[-1].current_step == "Final model"
    assert seen[-1].percentage == 100.0
    assert seen[-1].items_total == 6 * ITERATIONS


def test_the_result_describes_the_model(uninterrupted: tuple[Path, TrainingResult]) -> None:
    directory, result = uninterrupted
    model = workspace(directory).read("model.txt")
    assert model is not None
    assert lgb.Booster(model_str=model.decode()).num_trees() == ITERATIONS == result.iterations
    assert set(result.feature_importance) == {"rsi_14", "return_20", "volatility_10"}
    assert sum(result.feature_importance.values()) == pytest.approx(1.0)
    assert [fold.fold for fold in result.folds] == [1, 2, 3, 4, 5]
    assert result.log_loss == pytest.approx(np.mean([fold.log_loss for fold in result.folds]))
    assert result.data == bars().info()


def test_the_metrics_of_long_trainings_are_thinned(tmp_path: Path) -> None:
    longer = SPEC.model_copy(update={"model": ModelSpec(num_iterations=500, num_leaves=2)})
    run(tmp_path, longer)
    content = workspace(tmp_path).read("metrics.json")
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
    model = workspace(uninterrupted[0]).read("model.txt")
    assert model is not None
    everything = bars()
    probabilities = predict(model.decode(), everything, SPEC)
    first = warm_up(feature_matrix(everything, SPEC))
    assert np.isnan(probabilities[:first]).all()
    assert ((probabilities[first:] > 0.0) & (probabilities[first:] < 1.0)).all()
    start = everything.holdout_start
    early = predict(model.decode(), everything.part(0, start), SPEC)
    np.testing.assert_array_equal(probabilities[:start], early)


def test_features_without_any_information_still_train(tmp_path: Path) -> None:
    everything = bars()
    price = np.full(len(everything), 50.0)
    flat = replace(everything, open=price, high=price, low=price, close=price)
    result = train(flat.split()[0], SPEC, 7, workspace(tmp_path), ignore, data=everything.info())
    assert result.auc is None
    assert set(result.feature_importance.values()) == {0.0}


def test_too_few_bars_for_the_features_are_refused(tmp_path: Path) -> None:
    slow = SPEC.model_copy(update={"features": (FeatureSpec(kind="macd", period=250),)})
    everything = bars().part(0, 700)
    with pytest.raises(InvalidInput, match="too few"):
        train(everything.split()[0], slow, 7, workspace(tmp_path), ignore, data=everything.info())


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
