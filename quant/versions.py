"""The installed versions. With other versions, equal seeds may give different figures."""

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
    "scipy",
    "ta-lib",
)


@cache
def list_versions() -> dict[str, str]:
    """Return the versions of Python and of all libraries that figures depend on, by name."""
    return {"python": platform.python_version()} | {name: version(name) for name in _LIBRARIES}
