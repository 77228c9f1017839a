"""The barest program that does what `make research` does: how long that takes at least.

It starts the same Temporal server, one worker, and one process that computes and draws, all at the
same time. There is no API, no record, no checkpoint, no cancel, and a step is a call. The process
has the libraries that compute processes have. `python -m bench.barest_research` prints the verdict
and the path of the report.
"""
# ruff: noqa: PLC0415 - libraries are loaded where they are needed, while others start

import asyncio
import gc
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

from activities.computing.environment import ONE_THREAD
from cli.temporal_server import find_temporal, make_server_command
from quant.processes import bind_to_parent
from temporal.dynamic_config import load_dynamic_config

TRIALS = 12
SEED = 1

_COMPUTE = "compute"
_QUEUE = "research"


def start_all(home: Path, port: int) -> list[subprocess.Popen[str]]:
    """Start the server, and the process that computes."""
    server = make_server_command(
        find_temporal(),
        port=port,
        ui_port=None,
        database=home / "temporal.db",
        config=load_dynamic_config(),
    )
    compute = [sys.executable, "-m", "bench.barest_research", _COMPUTE]
    return [
        subprocess.Popen(
            bind_to_parent(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ | ONE_THREAD,
            text=True,
        )
        for command in (server, compute)
    ]


def compute_research(home: Path) -> None:
    """Compute a research when told to, and print its verdict and where its report is."""
    from activities.inline_research import run_inline
    from quant.messages.artifacts import Artifact, parse_artifact
    from quant.messages.data import DataSource
    from quant.messages.report.dossier import Dossier
    from quant.report.page import render_report
    from storage.artifacts import ArtifactStore

    store = ArtifactStore(str(home / "artifacts"))
    sys.stdin.readline()
    found = run_inline(DataSource(), trials=TRIALS, seed=SEED, store=store, bypass_gates=True)
    dossier = store.open("assessment").read(Artifact.DOSSIER) or b""
    page = home / "report.html"
    page.write_text(render_report(parse_artifact(Dossier, dossier, Artifact.DOSSIER)))
    print(found.assessment.verdict, page, flush=True)


async def run_research(port: int, process: subprocess.Popen[str]) -> str:
    """Run the one workflow, and return what its activity has found."""
    # Loaded while the server starts.
    from temporalio import activity
    from temporalio.client import Client
    from temporalio.service import RPCError
    from temporalio.worker import UnsandboxedWorkflowRunner, Worker

    from bench.barest_workflow import Barest
    from temporal.connection import register_search_attributes

    @activity.defn
    async def compute() -> str:
        assert process.stdin and process.stdout
        process.stdin.write("\n")
        process.stdin.flush()
        return await asyncio.to_thread(process.stdout.readline)

    while True:
        try:
            client = await Client.connect(f"127.0.0.1:{port}")
            await register_search_attributes(client)
            break
        except (RuntimeError, RPCError):
            await asyncio.sleep(0.01)
    async with Worker(
        client,
        task_queue=_QUEUE,
        workflows=[Barest],
        activities=[compute],
        workflow_runner=UnsandboxedWorkflowRunner(),
        graceful_shutdown_timeout=timedelta(0),
    ):
        return await client.execute_workflow(Barest.run, id="barest", task_queue=_QUEUE)


def main() -> None:
    """Run one research, and leave nothing behind but its report."""
    gc.disable()
    home = Path(os.environ["KTRDR_HOME"])
    if sys.argv[1:] == [_COMPUTE]:
        compute_research(home)
        return
    port = int(os.environ["KTRDR_TEMPORAL_PORT"])
    processes = start_all(home, port)
    try:
        print(asyncio.run(run_research(port, processes[1])))
    finally:
        for process in processes:
            process.kill()
        for process in processes:
            process.communicate()


if __name__ == "__main__":
    main()
