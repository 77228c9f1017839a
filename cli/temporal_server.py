"""The Temporal server to embed: its executable, and its command line."""

import json
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from errors import StartupError

_SQLITE_PRAGMAS: Final = {"journal_mode": "wal", "synchronous": "normal"}


def find_temporal(chosen: str | None = None) -> str:
    """Return the path of the `temporal` executable to embed.

    Args:
        chosen: Its name or path; that of the virtual environment, or else of PATH, if None.

    Raises:
        StartupError: There is none.
    """
    beside_python = Path(sys.executable).parent / "temporal"
    candidates = [chosen] if chosen else [str(beside_python), "temporal"]
    for candidate in candidates:
        if found := shutil.which(candidate):
            return found
    raise StartupError(
        f"There is no Temporal server at {candidates[0]}: install the requirements "
        "(`make install`), or set KTRDR_TEMPORAL_BIN to a `temporal` executable."
    )


def make_server_command(
    executable: str,
    *,
    port: int,
    ui_port: int | None,
    database: Path,
    config: Mapping[str, Any],
) -> list[str]:
    """Return the command line of a Temporal server on loopback with a SQLite file."""
    command = [executable, "server", "start-dev", "--ip", "127.0.0.1", "--port", str(port)]
    if ui_port is None:
        command += ["--headless"]
    else:
        # On loopback only, and without a request to the outside.
        command += ["--ui-ip", "127.0.0.1", "--ui-port", str(ui_port), "--ui-disable-news-fetch"]
    command += ["--db-filename", str(database), "--log-level", "warn"]
    for name, value in _SQLITE_PRAGMAS.items():
        command += ["--sqlite-pragma", f"{name}={value}"]
    for name, value in config.items():
        command += ["--dynamic-config-value", f"{name}={json.dumps(value)}"]
    return command
