"""Failures stay below the limit of the server, and carry how far their activity was."""

from collections.abc import Iterator

import pytest
from temporalio.api.failure.v1 import Failure
from temporalio.converter import FailureConverter
from temporalio.exceptions import ApplicationError, CancelledError

from quant.messages.progress import Progress
from temporal import failures
from temporal.converter import data_converter
from temporal.failures import EncodedFailureConverter, ShortFailureConverter
from workflows.interface.contract import Phase
from workflows.interface.failures import describe_failure
from workflows.interface.progress import find_progress, place_step

# Temporal's default for the failure of an attempt.
LIMIT = 4096
ROOT = "the provider answered with status 429"


def convert(error: BaseException, converter: FailureConverter) -> Failure:
    failure = Failure()
    converter.to_failure(error, data_converter.payload_converter, failure)
    return failure


def read(failure: Failure) -> BaseException:
    converter = ShortFailureConverter()
    return converter.from_failure(failure, data_converter.payload_converter)


def list_stories() -> Iterator[BaseException]:
    """Yield errors that are too long in one way or another, with the same root cause."""
    yield ApplicationError(ROOT + " äö" * 50_000)
    error: BaseException = ApplicationError(ROOT)
    for number in range(30):
        try:
            raise RuntimeError(f"{number} {'blah ' * 1000}") from error
        except RuntimeError as raised:
            error = raised
    yield error
    yield _recurse(80)


def _recurse(depth: int) -> BaseException:
    try:
        if depth:
            return _recurse(depth - 1)
        raise ApplicationError(ROOT)
    except ApplicationError as error:
        return error


@pytest.mark.parametrize("converter", [ShortFailureConverter(), EncodedFailureConverter()])
@pytest.mark.parametrize("story", [*list_stories()], ids=["message", "causes", "trace"])
def test_a_failure_stays_below_the_limit_and_names_its_root(
    story: BaseException, converter: FailureConverter
) -> None:
    failure = convert(story, converter)
    assert failure.ByteSize() < LIMIT
    assert describe_failure(read(failure)).startswith(ROOT)


def test_an_error_without_a_message_is_known_by_its_type() -> None:
    failure = convert(ConnectionResetError(), ShortFailureConverter())
    assert describe_failure(read(failure)) == "ConnectionResetError"


@pytest.mark.parametrize("error", [ApplicationError(ROOT, {"field": None}), CancelledError("")])
def test_an_activity_leaves_how_far_it_was(
    error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert find_progress(read(convert(error, ShortFailureConverter()))) is None
    halfway = Progress(percentage=50.0, items_processed=6, items_total=12)
    monkeypatch.setattr(failures, "get_last_progress", lambda: halfway)
    assert find_progress(read(convert(error, ShortFailureConverter()))) == halfway


def test_a_step_has_its_place_in_its_phase() -> None:
    step = Progress(percentage=33.333333, current_step="Fold 2 of 5", items_total=5)
    placed = place_step(Phase.TRAINING, step)
    assert (placed.percentage, placed.items_total) == (35.0, 5)
    assert placed.current_step == "Training model... Fold 2 of 5"
    assert place_step(Phase.DONE, Progress()).percentage == 100.0
