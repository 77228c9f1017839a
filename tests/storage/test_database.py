"""Connections of the ledger's database."""

import gc
import warnings
from pathlib import Path

from storage.ledger.ledger import Ledger


def test_a_ledger_that_nobody_uses_any_more_is_closed(tmp_path: Path) -> None:
    """From CPython 3.13 on there is a warning of a connection that is not."""
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
        ledger.upgrade()
        assert ledger.experiments.find(limit=1) == ([], 0)
        del ledger
        gc.collect()
    assert not [each for each in warned if issubclass(each.category, ResourceWarning)]
