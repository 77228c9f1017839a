"""Tests that hang, die or leave something behind, as text: the guardian's tests run them."""

NEVER = """
import asyncio, collections, gc, itertools, subprocess, sys

async def never():
    await asyncio.Event().wait()
"""

# What is frozen, as programs do with what they have loaded, the collector no longer knows.
WAITS_IN_A_TEST = f"""{NEVER}
async def test_waits():
    gc.freeze()
    await asyncio.create_task(never(), name="the one that waits")
"""

HOLDS_THE_INTERPRETER = f"""{NEVER}
def test_holds():
    collections.deque(itertools.count(), maxlen=0)
"""

CATCHES_EVERYTHING = f"""{NEVER}
async def test_catches():
    while True:
        try:
            await asyncio.sleep(0.01)
        except BaseException:
            pass
"""

WAITS_IN_A_FIXTURE = f"""{NEVER}
import pytest_asyncio

@pytest_asyncio.fixture(scope="session")
async def stays():
    yield
    await never()

async def test_fails(stays):
    raise AssertionError("as it may, before its fixture hangs")
"""

CANNOT_STOP_A_WORKER = f"""{NEVER}
import pytest_asyncio
from temporalio import workflow
from temporalio.worker import Worker
from tests.support.helpers import assert_eventually
from tests.support.outside.temporal_server import connect, dev_server

@workflow.defn(sandboxed=False)
class Refuses:
    '''Left in the state in which the deadlock detector leaves a workflow that it interrupts.'''
    @workflow.run
    async def run(self):
        loop = asyncio.get_running_loop()
        loop.call_soon(asyncio.tasks._enter_task, loop, asyncio.current_task())
        self.left = loop.create_task(never())
        raise RuntimeError("fails the task, so that the workflow is evicted")

@pytest_asyncio.fixture(scope="session")
async def client(tmp_path_factory):
    with dev_server(tmp_path_factory.mktemp("temporal")) as address:
        client = await connect(address)
        async with Worker(client, task_queue="refusing", workflows=[Refuses]):
            yield client

async def test_refuses(client, caplog):
    await client.start_workflow(Refuses.run, id="refuses", task_queue="refusing")

    async def refused():
        return "tasks remain" in caplog.text

    await assert_eventually(refused)
    raise AssertionError("as it may, before its fixture hangs")
"""

STARTS_A_CHILD = f"""{NEVER}
async def test_starts(tmp_path):
    here = tmp_path / "child.log"
    with here.open("wb") as log:
        subprocess.Popen(
            [sys.executable, "-c", "import time\\ndef napping():\\n time.sleep(3600)\\nnapping()"],
            stderr=log, start_new_session=True,
        )
    print("started", file=sys.__stderr__, flush=True)
    await never()
"""

LEAVES_A_CHILD = f"""{NEVER}
def test_leaves():
    subprocess.Popen(["sleep", "3600"], start_new_session=True)
"""


DIES_BESIDE_ANOTHER = f"""{NEVER}
import os, signal, time

def test_dies():
    os.kill(os.getpid(), signal.SIGKILL)

async def test_waits():
    await never()
"""

DIES_AFTER_ITS_TESTS = """
import os, pytest

@pytest.fixture(scope="session")
def dies():
    yield
    os._exit(0)

def test_passes(dies):
    pass
"""
