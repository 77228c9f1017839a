"""What is installed: with other versions, equal seeds may give other figures."""

import platform
from functools import cache
from importlib.metadata import version
from typing import Final

_LIBRARIES: Final = (
    "ktrdr",
    "arch",
    "jsharpe",
    "lightgbm",
    "numpy",
    "optuna",
    "pandas",
    "raptorbt",
    "scipy",
    "ta-lib",
)


@cache
def installed() -> dict[str, str]:
    """Return the version of Python and of everything that a figure can depend on."""
    return {"python": platform.python_version()} | {name: version(name) for name in _LIBRARIES}
