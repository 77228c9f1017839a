"""An interrupted training ends with the same bits, and continues from its own checkpoint only."""

import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from errors import CheckpointMismatch
from quant.learning import checkpoint
from quant.learning.splits import TRAINING_FOLDS
from quant.learning.training import train
from quant.messages.artifacts import Artifact
from quant.messages.progress import ignore_report
from quant.messages.steps import TrainingResult
from quant.messages.strategy import StrategySpec
from tests.support.helpers import ROOT
from tests.support.quant.training import (
    ITERATIONS,
    SPEC,
    assert_same,
    bars,
    interrupt,
    run,
    workspace,
)


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
from quant.learning.training import train
from tests.support.quant import training as t

def wait_to_be_killed(progress):
    if progress.items_processed == 395:
        print("in the middle", flush=True)
        sys.stdin.read()

bars = t.bars()
train(bars.split()[0], t.SPEC, 7, t.workspace(Path(sys.argv[1])), wait_to_be_killed,
        data=bars.describe(), checkpoint_seconds=0.0)
"""


def test_a_training_resumes_after_its_process_was_killed(
    tmp_path: Path, uninterrupted: tuple[Path, TrainingResult]
) -> None:
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-c", CHILD, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={"PYTHONPATH": "."},
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "in the middle\n"
        child.send_signal(signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL
    assert workspace(tmp_path).read(Artifact.MODEL) is None
    assert workspace(tmp_path).read(Artifact.CHECKPOINT) is not None
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
        train(
            changed.split()[0],
            SPEC,
            7,
            workspace(tmp_path),
            ignore_report,
            data=everything.describe(),
        )


@pytest.mark.parametrize("damage", [b"", b"{", b'{"sha256": "0", "state": "{}"}', b"\xff"])
def test_a_damaged_checkpoint_starts_over_and_says_so(
    tmp_path: Path, uninterrupted: tuple[Path, TrainingResult], damage: bytes
) -> None:
    workspace(tmp_path).write(Artifact.CHECKPOINT, damage)
    steps: list[str] = []
    everything = bars()
    result = train(
        everything.split()[0],
        SPEC,
        7,
        workspace(tmp_path),
        lambda progress: steps.append(progress.current_step),
        data=everything.describe(),
    )
    assert steps[0] == "Checkpoint is damaged, starting over"
    assert_same(tmp_path, result, uninterrupted)


def test_a_flipped_digit_in_a_checkpoint_is_noticed(tmp_path: Path) -> None:
    interrupt(tmp_path, 300)
    content = workspace(tmp_path).read(Artifact.CHECKPOINT)
    assert content is not None
    workspace(tmp_path).write(
        Artifact.CHECKPOINT, content.replace(b"leaf_value=0", b"leaf_value=1")
    )
    with pytest.raises(checkpoint.CorruptCheckpoint):
        checkpoint.restore({}, workspace(tmp_path))
