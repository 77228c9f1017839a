"""The plugin of pytest that runs the tests in another order: `make test ARGS='--shuffle 7'`.

Files, and the tests of each file, are shuffled. A file stays together, so that what its tests share
is made once.
"""

import random
from collections import defaultdict

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the option."""
    parser.addoption("--shuffle", type=int, metavar="SEED", help="run the tests in random order")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Shuffle; the workers of a run do so alike, because they have the same seed."""
    if (seed := config.getoption("shuffle")) is None:
        return
    order = random.Random(seed)
    files: dict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        files[str(item.path)].append(item)
    groups = list(files.values())
    order.shuffle(groups)
    for group in groups:
        order.shuffle(group)
    items[:] = [item for group in groups for item in group]
