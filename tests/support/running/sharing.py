"""The plugin of pytest that loads the system under test where tests run.

Without it, the process that only shares the tests out among others starts them two seconds sooner.
"""

from typing import Final

import pytest

SYSTEM: Final = "tests.support.system"


def pytest_configure(config: pytest.Config) -> None:
    """Load the fixtures that all tests share."""
    if not _shares_out(config):
        config.pluginmanager.import_plugin(SYSTEM)


def _shares_out(config: pytest.Config) -> bool:
    others = config.getoption("tx", default=None) and not config.option.collectonly
    return bool(others) and not hasattr(config, "workerinput")
