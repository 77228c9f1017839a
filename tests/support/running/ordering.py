"""The plugin of pytest that decides which folders of tests begin.

Tests that wait for other processes begin, so that they wait while others compute. Short tests that
wait for nothing come last, and fill the time until the last long one has ended.
"""

from pathlib import Path
from typing import Final

import pytest

_TESTS: Final = Path(__file__).parents[2]
_FIRST: Final = (
    "e2e",
    "integration",
    "compose",
    "installation",
    "workflows",
    "llm",
    "api",
    "activities",
    "page",
)
_LAST: Final = ("quant", "storage", "replay", "cli")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort the folders; within each, tests stay in their order."""
    items.sort(key=_rank)


def _rank(item: pytest.Item) -> int:
    folder = item.path.relative_to(_TESTS).parts[0]
    if folder in _LAST:
        return len(_FIRST) + 1 + _LAST.index(folder)
    return _FIRST.index(folder) if folder in _FIRST else len(_FIRST)
