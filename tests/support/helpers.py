"""What tests of several layers share: waiting, ports, processes and applications."""

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, TypeVar

import httpx2
from fastapi import FastAPI
from temporalio.client import Client
from temporalio.testing import ActivityEnvironment

from bench.ports import find_free_ports
from settings import Settings
from tests.support.processes import compute_processes
from workflows.policies import HEARTBEAT_TIMEOUT

ROOT = Path(__file__).resolve().parents[2]

KTRDR = str(Path(sys.executable).parent / "ktrdr")

_Value = TypeVar("_Value")

PATIENCE: Final = 90.0
"""Seconds to wait for what starts processes or computes, on a machine with other work."""

_SECONDS_TO_KILL: Final = 5.0

# The first look again comes soon; later ones are rarer, because a look costs processor time.
_FIRST_PAUSE = 0.02
_LONGEST_PAUSE = 0.2
_PAUSES_GROW_BY = 1.3


async def assert_eventually(
    look: Callable[[], Awaitable[_Value]], *, within: float = 30.0
) -> _Value:
    """Look again and again until what is seen is true, and return it.

    A look may also raise AssertionError to say what is missing; the last one is raised in the end.
    A look that takes too long is an error as well.
    """
    deadline = time.monotonic() + within
    pause = _FIRST_PAUSE
    while True:
        try:
            async with asyncio.timeout(within):
                seen = await look()
            if seen:
                return seen
            problem = AssertionError(f"still {seen!r} after {within} s")
        except AssertionError as error:
            problem = error
        if time.monotonic() > deadline:
            raise problem
        await asyncio.sleep(pause)
        pause = min(pause * _PAUSES_GROW_BY, _LONGEST_PAUSE)


def free_port() -> int:
    """Return a port of loopback on which nothing listens."""
    [port] = find_free_ports(1)
    return port


def new_id(prefix: str = "op_agent_research_test") -> str:
    """Return an operation id that no other test has."""
    return f"{prefix}_{uuid.uuid4().hex[:12]}"


@contextmanager
def process(command: list[str], **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process that does not outlive the block. A hangup ends it, also under `nohup`."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    try:
        started = subprocess.Popen(command, stdin=subprocess.DEVNULL, **options)
    finally:
        signal.signal(signal.SIGHUP, before)
    with started as running:
        try:
            yield running
        finally:
            if running.poll() is None:
                running.terminate()
                try:
                    running.wait(20)
                except subprocess.TimeoutExpired:
                    running.kill()


async def said(command: subprocess.Popen[bytes], word: str) -> str:
    """Wait until a command has printed a word into its first pipe; returns all that it has."""
    pipe = command.stdout or command.stderr
    assert pipe is not None
    os.set_blocking(pipe.fileno(), False)
    heard = b""

    async def look() -> bool:
        nonlocal heard
        heard += pipe.read() or b""
        return word.encode() in heard

    await assert_eventually(look, within=PATIENCE)
    return heard.decode()


@contextmanager
def worker_process(
    client: Client, settings: Settings, *queues: str, log: Path | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run `worker.py` as a process of its own on the namespace of this client."""
    path = log or settings.home / f"worker-{uuid.uuid4().hex[:8]}.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, str(ROOT / "worker.py"), *queues]
    with (
        path.open("ab") as output,
        process(command, stdout=output, stderr=output, env=environment(client, settings)) as worker,
    ):
        yield worker


def environment(client: Client, settings: Settings) -> Mapping[str, str]:
    """Return the environment in which a process of ours works for this client and settings."""
    given = {
        f"KTRDR_{name.upper()}": str(value)
        for name, value in settings.model_dump(exclude_unset=True).items()
        if value is not None
    }
    return os.environ | {
        "TEMPORAL_ADDRESS": client.service_client.config.target_host,
        "TEMPORAL_NAMESPACE": client.namespace,
        **given,
    }


def activity_environment() -> ActivityEnvironment:
    """Return an environment for activities without a worker, with the timeout of a step."""
    environment = ActivityEnvironment()
    environment.info = replace(environment.info, heartbeat_timeout=HEARTBEAT_TIMEOUT)
    return environment


@asynccontextmanager
async def serving(app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    """Run the application's life, and yield a client of it."""
    async with app.router.lifespan_context(app):
        transport = httpx2.ASGITransport(app=app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as http:
            yield http


async def until_ready(*apis: httpx2.AsyncClient) -> None:
    """Wait until these APIs, as processes of their own, accept work."""

    async def ready() -> bool:
        try:
            answers = [await api.get("/health/ready") for api in apis]
        except httpx2.TransportError as error:
            raise AssertionError(str(error)) from error
        return all(answer.is_success for answer in answers)

    await assert_eventually(ready, within=PATIENCE)


async def computing(processes: int) -> None:
    """Wait until so many compute processes run."""

    async def look() -> bool:
        return len(compute_processes()) == processes

    await assert_eventually(look, within=PATIENCE)


async def all_killed() -> None:
    """Check that nothing computes, but for a process whose start was cancelled: it dies soon."""

    async def look() -> bool:
        return compute_processes() == []

    await assert_eventually(look, within=_SECONDS_TO_KILL)


def leftovers(directory: Path) -> list[Path]:
    """Return the half-written files below a directory."""
    return list(directory.rglob("*.part"))


def looks_like_a_stack_trace(text: str) -> bool:
    """Whether a message shows more of the code than its user should see."""
    return re.search(r'Traceback|File "|line \d+, in ', text) is not None
