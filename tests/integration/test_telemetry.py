"""What a process tells: metrics as Prometheus reads them, logs as JSON."""

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest
from temporalio.client import Client

from bench.ports import find_free_ports
from settings import Settings
from temporal.telemetry import JsonFormatter
from tests.api.answers import accepted, ended
from tests.support.helpers import (
    PATIENCE,
    ROOT,
    assert_eventually,
    environment,
    process,
    until_ready,
    worker_process,
)
from tests.support.quant.data import FLAT

pytestmark = pytest.mark.long

# What docs/operations.md tells the operator to look at.
OF_WORKERS = (
    "temporal_activity_schedule_to_start_latency",
    "temporal_activity_execution_latency",
    "temporal_worker_task_slots_available",
    "ktrdr_phase_duration",
    "ktrdr_operations_ended",
    "ktrdr_cancel_latency",
    "ktrdr_verdicts",
)


async def read(address: str) -> str:
    """Return the metrics that are served there."""
    async with httpx2.AsyncClient() as http:
        try:
            answer = await http.get(f"http://{address}/metrics")
        except httpx2.TransportError as error:
            raise AssertionError(str(error)) from error
    assert answer.is_success
    return answer.text


def values(metrics: str, name: str, **labels: str) -> list[float]:
    """Return the values of a metric with these labels."""
    wanted = [f'{label}="{value}"' for label, value in labels.items()]
    return [
        float(line.rpartition(" ")[2])
        for line in metrics.splitlines()
        if line.startswith(f"{name}{{") and all(label in line for label in wanted)
    ]


def lines(log: Path) -> list[dict[str, str]]:
    """Return the entries of a log of which every line is JSON."""
    return [json.loads(line) for line in log.read_text().splitlines()]


async def test_metrics_and_logs_of_a_research(
    alone: Client, settings: Settings, tmp_path: Path
) -> None:
    api_port, *metrics_ports = find_free_ports(3)
    own = settings.model_copy(update={"api_port": api_port, "log_format": "json"})
    addresses = [f"127.0.0.1:{port}" for port in metrics_ports]
    of_api, of_worker = (own.model_copy(update={"metrics_address": each}) for each in addresses)
    logs = [tmp_path / "api.log", tmp_path / "worker.log"]
    with (
        logs[0].open("wb") as output,
        process(
            [sys.executable, "-m", "api"],
            cwd=ROOT,
            env=environment(alone, of_api),
            stderr=output,
        ),
        worker_process(alone, of_worker, log=logs[1]),
    ):
        async with httpx2.AsyncClient(base_url=own.api_url, timeout=30) as api:
            await until_ready(api)
            body = {"trials": 1, "seed": 7, "bypass_gates": True}
            done = accepted(await api.post("/agent/trigger", json=body), 202)["operation_id"]
            verdict = (await ended(api, done))["result_summary"]["verdict"]
            failing = accepted(await api.post("/agent/trigger", json={"symbol": FLAT}), 202)
            await ended(api, failing["operation_id"])
            endless = accepted(await api.post("/agent/trigger", json={"trials": 10_000}), 202)
            accepted(await api.delete(f"/agent/cancel/{endless['operation_id']}?wait=20"))

            async def complete() -> str:
                metrics = await read(addresses[1])
                assert 'status="cancelled"' in metrics
                return metrics

            metrics = await assert_eventually(complete, within=PATIENCE)
            requests = (await api.get("/metrics")).text
        assert await read(addresses[0])
    for name in OF_WORKERS:
        assert name in metrics, name
    assert values(metrics, "ktrdr_verdicts_total", verdict=verdict) == [1.0]
    ends = {"operation_type": "agent_research"}
    for status in ("completed", "failed", "cancelled"):
        assert values(metrics, "ktrdr_operations_ended_total", status=status, **ends) == [1.0]
    reason = "invalid_input"
    assert values(metrics, "ktrdr_operations_ended_total", reason=reason, **ends) == [1.0]
    for phase in ("training", "backtesting", "assessing"):
        assert values(metrics, "ktrdr_phase_duration_seconds_count", phase=phase) == [1.0]
    assert 'route="/agent/cancel/{operation_id}"' in requests
    # Ids are not for labels: there would be more and more of them.
    assert done not in requests
    of_api_log, of_worker_log = (lines(log) for log in logs)
    assert any(entry["message"].startswith("serving ") for entry in of_worker_log)
    audit = [entry for entry in of_api_log if entry["logger"] == "ktrdr.audit"]
    assert [(entry["event"], entry["operation_id"]) for entry in audit] == [
        ("research started", done),
        ("research started", failing["operation_id"]),
        ("research started", endless["operation_id"]),
        ("cancelled", endless["operation_id"]),
    ]
    told = [entry["message"] for entry in of_worker_log if entry.get("operation_id") == done]
    phases = ["designing", "training", "backtesting", "assessing", "done"]
    assert told == [f"{done}: {event}" for event in ("begun", *phases, "completed")]
    assert values(metrics, "ktrdr_cancel_latency_seconds_count") == [1.0]


def test_a_line_names_the_operation_that_it_is_about() -> None:
    record = logging.LogRecord("a", logging.WARNING, "", 0, "it %s", ("broke",), None)
    record.temporal_activity = {"workflow_id": "op_1", "activity_type": "design", "attempt": 2}
    entry = json.loads(JsonFormatter().format(record))
    assert entry.pop("time").endswith("+00:00")
    assert entry == {
        "level": "warning",
        "logger": "a",
        "message": "it broke",
        "operation_id": "op_1",
        "activity": "design",
        "attempt": 2,
    }


@pytest.mark.parametrize("address", ["9464", "localhost:", "a:b"])
def test_a_bad_address_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="metrics_address"):
        Settings(metrics_address=address)


@pytest.mark.parametrize(("wanted", "number"), [(None, 1), ("3", 3)])
def test_the_core_has_one_thread_unless_the_environment_says_otherwise(
    wanted: str | None, number: int
) -> None:
    code = (
        "from pathlib import Path\n"
        "from settings import Settings\n"
        "from temporal.telemetry import make_runtime\n"
        "runtime = make_runtime(Settings())\n"
        "names = [each.read_text() for each in Path('/proc/self/task').glob('*/comm')]\n"
        "print(sum(name.startswith('tokio') for name in names))\n"
    )
    others = {name: value for name, value in os.environ.items() if name != "TOKIO_WORKER_THREADS"}
    given = {} if wanted is None else {"TOKIO_WORKER_THREADS": wanted}
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=others | given,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    assert int(run.stdout) == number
