"""An uninterrupted training, to compare with."""

from pathlib import Path

import pytest

from quant.messages.steps import TrainingResult
from tests.support.quant.training import run


@pytest.fixture(scope="session")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, TrainingResult]:
    """The directory and the result of an uninterrupted training."""
    directory = tmp_path_factory.mktemp("uninterrupted")
    return directory, run(directory)
