"""The embedded stack: Temporal's development server, worker and API as local processes."""

import contextlib
import fcntl
import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Self

import httpx2

from activities.llm.providers import KEY_IS_SET, KEY_VARIABLES
from cli.temporal_server import find_temporal, make_server_command
from errors import StartupError
from quant.processes import bind_to_parent
from settings import Settings
from storage.private_directory import make_private_directory
from temporal.dynamic_config import load_dynamic_config

_START_SECONDS = 60
_STOP_SECONDS = 20
_ROOT = Path(__file__).resolve().parent.parent
# In the Web UI: the researches, without their steps and without idempotency keys.
_RESEARCHES = "/namespaces/default/workflows?query=OperationType%3D%22agent_research%22"
_WORKER = (str(_ROOT / "worker.py"),)


class Stack:
    """The embedded stack. It runs until its context ends. Its state stays in `settings.home`.

    Its processes die with the thread that has started them, however that ends.

    Args:
        settings: Ports and directories.
        worker: Arguments with which Python runs the worker.
        server_config: Dynamic configuration of the server; that of `temporal/` if None.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        worker: Sequence[str] = _WORKER,
        server_config: Mapping[str, Any] | None = None,
    ) -> None:
        self._settings = settings
        self._worker = worker
        self._server_config = load_dynamic_config() if server_config is None else server_config
        self._commands: dict[str, list[str]] = {}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._lock: BinaryIO | None = None
        self._temporal_address = f"127.0.0.1:{settings.temporal_port}"
        self.api = f"http://{settings.api_host}:{settings.api_port}"
        self._web_ui = f"http://127.0.0.1:{settings.ui_port}"
        self.logs = settings.home / "logs"

    def __enter__(self) -> Self:
        settings = self._settings
        executable = find_temporal(settings.temporal_bin)
        server = make_server_command(
            executable,
            port=settings.temporal_port,
            ui_port=settings.ui_port or None,
            database=settings.home / "temporal.db",
            config=self._server_config,
        )
        self._commands = {
            # Its fork server takes longest.
            "worker": [sys.executable, *self._worker],
            "temporal": server,
            # -P: never import a folder `api` of the working directory.
            "api": [sys.executable, "-P", "-m", "api"],
        }
        try:
            self._lock_state()
            _require_free_ports(settings)
            # All at once. Worker and API wait for the server.
            for name in self._commands:
                self._start(name)
            self._wait_until_ready()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def addresses(self) -> dict[str, str]:
        """Return the addresses of the parts, by name."""
        web_ui = f"{self._web_ui}{_RESEARCHES}"
        return {
            "Page": f"{self.api}/",
            "API docs": f"{self.api}/api/v1/docs",
            **({"Temporal Web UI": web_ui} if self._settings.ui_port else {}),
            "Temporal": self._temporal_address,
            "State": str(self._settings.home),
            "Logs": str(self.logs),
        }

    def get_pid(self, name: str) -> int:
        """Return the process id of `temporal`, `worker` or `api`."""
        return self._processes[name].pid

    def wait(self) -> None:
        """Block until one of the processes ends by itself.

        Raises:
            StartupError: One has ended. The message says which, and where its log is.
        """
        while True:
            pids = {process.pid: name for name, process in self._processes.items()}
            ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
            if ended and ended.si_pid in pids:
                raise self._explain_end(pids[ended.si_pid])

    def _lock_state(self) -> None:
        """Lock the state directory for this stack. The server holds the lock as long as it runs.

        Raises:
            StartupError: Another stack holds the lock, or the directory cannot be written.
        """
        home = self._settings.home
        try:
            make_private_directory(home, is_ours="home" not in self._settings.model_fields_set)
            make_private_directory(self.logs, is_ours=True)
            self._lock = (home / ".lock").open("ab")
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StartupError(
                f"Another stack runs on {home}: use that one (`ktrdr research`), stop it, or set "
                "KTRDR_HOME to another directory."
            ) from None
        except OSError as error:
            raise StartupError(f"KTRDR_HOME cannot be used: {error}") from None

    def _environment(self, process: str) -> dict[str, str]:
        """Return the environment of a process: these settings, and this Temporal server.

        The user may have a profile for a production cluster. The embedded stack must never use it.
        """
        settings = self._settings
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith("TEMPORAL_")
        }
        if process != "worker":
            # Only workers call language models. The API asks whether there is a key.
            for variable in KEY_VARIABLES:
                if inherited.pop(variable, "").strip() and process == "api":
                    inherited[variable] = KEY_IS_SET
            # Only workers tell people.
            inherited.pop("KTRDR_NOTIFY_URL", None)
        if process == "api":
            # Only one process can listen at an address, and the API has a route for its metrics.
            inherited.pop("KTRDR_METRICS_ADDRESS", None)
        if process == "api" and settings.ui_port:
            inherited.setdefault("KTRDR_TEMPORAL_UI_URL", self._web_ui)
        directories = {
            "KTRDR_HOME": settings.home,
            "KTRDR_DATA_DIR": settings.data_dir,
            "KTRDR_STRATEGY_DIR": settings.strategy_dir,
            "KTRDR_UNIVERSE_DIR": settings.universe_dir,
        }
        return (
            inherited
            | {name: str(path) for name, path in directories.items()}
            | {
                "TEMPORAL_ADDRESS": self._temporal_address,
                "TEMPORAL_CONFIG_FILE": os.devnull,
                "KTRDR_API_HOST": settings.api_host,
                "KTRDR_API_PORT": str(settings.api_port),
            }
        )

    def restart(self, name: str) -> None:
        """Kill `temporal`, `worker` or `api` as a crash would, and restart it.

        From now on the process dies with the thread that calls this.
        """
        self._processes[name].kill()
        self._processes[name].wait()
        self._start(name)

    def _start(self, name: str) -> None:
        with (self.logs / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(  # noqa: S603 - the command is ours
                bind_to_parent(self._commands[name]),
                env=self._environment(name),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Ctrl-C must reach this process only, because it stops the server last.
                start_new_session=True,
                # Databases, artifacts and logs are nobody else's.
                umask=0o077,
                pass_fds=[self._lock.fileno()] if self._lock and name == "temporal" else [],
            )

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        with httpx2.Client(base_url=self.api, timeout=5.0) as client:
            while time.monotonic() < deadline:
                for name, process in self._processes.items():
                    if process.poll() is not None:
                        raise self._explain_end(name)
                with contextlib.suppress(httpx2.TransportError):
                    if client.get("/health/ready").is_success:
                        return
                time.sleep(0.05)
        raise StartupError(f"The stack is not ready after {_START_SECONDS} s; see {self.logs}")

    def _explain_end(self, name: str) -> StartupError:
        log = self.logs / f"{name}.log"
        lines = log.read_text(errors="replace").strip().splitlines()
        return StartupError(f"{name} has ended: {lines[-1] if lines else 'silently'} (see {log})")

    def _stop(self) -> None:
        running = self._processes
        # The server last: worker and API tell it that they end.
        ending = [running[name] for name in ("api", "worker") if name in running]
        for process in ending:
            process.terminate()
        deadline = time.monotonic() + _STOP_SECONDS
        for process in ending:
            try:
                process.wait(deadline - time.monotonic())
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if server := running.get("temporal"):
            # Its orderly end takes a second. Whatever it has accepted is in its database
            # by then, and nobody is left who waits for an answer.
            server.kill()
            server.wait()
        if self._lock is not None:
            self._lock.close()


def _require_free_ports(settings: Settings) -> None:
    ports = {
        "KTRDR_TEMPORAL_PORT": ("127.0.0.1", settings.temporal_port),
        **({"KTRDR_UI_PORT": ("127.0.0.1", settings.ui_port)} if settings.ui_port else {}),
        "KTRDR_API_PORT": (settings.api_host, settings.api_port),
    }
    # All bound at the same time, because two of the ports may be equal.
    with contextlib.ExitStack() as probes:
        for variable, address in ports.items():
            probe = probes.enter_context(socket.socket())
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(address)
                probe.listen()
            except OSError as error:
                raise StartupError(
                    f"Port {address[1]} is in use: stop the process that uses it, or set "
                    f"{variable} to a free port."
                ) from error
