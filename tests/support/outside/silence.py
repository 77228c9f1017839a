"""Parties outside a process that fall silent: they run and accept connections, and never answer."""

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from sqlalchemy import NullPool, create_engine, make_url, text

from tests.support.helpers import free_port, process

_LONGEST_START = 60.0


@contextmanager
def silent(port: int) -> Iterator[None]:
    """Stop the server that listens on this port, and its children, for as long as the block runs.

    The kernel goes on accepting connections for it, as it does for a machine that hangs.
    """
    server = _listening_on(port)
    stopped = [server, *server.children(recursive=True)]
    pids = [str(each.pid) for each in stopped]
    # It resumes them when its input ends, so also when this process is killed.
    resumes = ["sh", "-c", 'cat; kill -CONT "$@"', "sh", *pids]
    with subprocess.Popen(resumes, stdin=subprocess.PIPE, start_new_session=True) as guard:
        try:
            for each in stopped:
                with contextlib.suppress(psutil.NoSuchProcess):
                    each.suspend()
            yield
        finally:
            guard.communicate(timeout=_LONGEST_START)


@contextmanager
def silent_database(url: str) -> Iterator[None]:
    """Let a PostgreSQL server fall silent."""
    with silent(make_url(url).port or 5432):
        yield


@contextmanager
def shut_database(url: str) -> Iterator[None]:
    """Refuse connections to a database, and end those that are open."""
    beside = make_url(url).set(drivername="postgresql+pg8000", database="template1")
    engine = create_engine(beside, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as admin:
        admin.execute(text("ALTER DATABASE postgres WITH ALLOW_CONNECTIONS false"))
        admin.execute(
            text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname='postgres'")
        )
        yield
        admin.execute(text("ALTER DATABASE postgres WITH ALLOW_CONNECTIONS true"))


@contextmanager
def silent_http_server(directory: Path) -> Iterator[int]:
    """Run a web server that has fallen silent, and yield its port."""
    port = free_port()
    command = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"]
    with (
        (directory / "http.log").open("ab") as log,
        process(command, cwd=directory, stdout=log, stderr=log),
    ):
        _await_listener(port)
        with silent(port):
            yield port


def _await_listener(port: int) -> None:
    deadline = time.monotonic() + _LONGEST_START
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), _LONGEST_START).close()
        except OSError:
            assert time.monotonic() < deadline, f"nobody listens on {port}"
        else:
            return


def _listening_on(port: int) -> psutil.Process:
    [pid] = {
        each.pid
        for each in psutil.net_connections("tcp4")
        if each.status == psutil.CONN_LISTEN and each.laddr[1:] == (port,)
    }
    return psutil.Process(pid)
