"""Content hashes of the same bars in the usual form."""

from pathlib import Path

import pytest

from tests.quant.bars.reading import days, hours, read


@pytest.fixture
def usual_days(tmp_path: Path) -> str:
    return read(tmp_path, days(), "USUAL.csv").content_hash


@pytest.fixture
def usual_hours(tmp_path: Path) -> str:
    return read(tmp_path, hours(), "USUAL.csv").content_hash
