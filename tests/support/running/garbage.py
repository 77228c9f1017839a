"""The plugin of pytest that spares the collector of garbage what lasts as long as the run.

Modules and tests are half a million objects. While they are made there is no garbage among them;
afterwards no collection looks at them.
"""

import gc
from collections.abc import Generator

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_configure() -> None:
    """Collect nothing while modules load."""
    gc.disable()


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect what is made from now on."""
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()
