"""One trace from the request to the compute process, at a collector on this machine."""

import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx2
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from temporalio.client import Client

from errors import StartupError
from settings import Settings
from temporal import tracing
from tests.api.answers import accepted, ended
from tests.support.helpers import (
    PATIENCE,
    ROOT,
    assert_eventually,
    environment,
    free_port,
    process,
    until_ready,
)
from tests.support.processes import compute_processes

pytestmark = pytest.mark.long


class Collector(ThreadingHTTPServer):
    """Keeps every span that it is sent."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Receiver)
        self.spans: list[Span] = []

    @property
    def url(self) -> str:
        """Where spans go."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def trace_of(self, name: str) -> dict[bytes, Span]:
        """Return the spans, by their ids, of the one trace that has a span of this name."""
        first = next((span for span in self.spans if span.name == name), None)
        assert first is not None, f"no {name} yet"
        return {span.span_id: span for span in self.spans if span.trace_id == first.trace_id}


class _Receiver(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        """Take spans."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        request = ExportTraceServiceRequest.FromString(body)
        for resource in request.resource_spans:
            for scope in resource.scope_spans:
                self.server.spans.extend(scope.spans)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def path(span: Span, spans: dict[bytes, Span]) -> list[str]:
    """Return the names of a span and of those above it."""
    names = [span.name]
    while span.parent_span_id in spans:
        span = spans[span.parent_span_id]
        names.append(span.name)
    return names


async def test_a_research_is_one_trace_and_a_cancel_is_seen(
    alone: Client, settings: Settings, collector: Collector
) -> None:
    own = settings.model_copy(update={"api_port": free_port()})
    given = {
        **environment(alone, own),
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "OTEL_BSP_SCHEDULE_DELAY": "200",
    }
    with (
        process([sys.executable, "-m", "api"], cwd=ROOT, env=given),
        process([sys.executable, "worker.py"], cwd=ROOT, env=given) as worker,
    ):
        async with httpx2.AsyncClient(base_url=own.api_url, timeout=30) as api:
            await until_ready(api)
            body = {"trials": 1, "seed": 7, "bypass_gates": True}
            done = accepted(await api.post("/agent/trigger", json=body), 202)["operation_id"]
            await ended(api, done)

            async def complete() -> bool:
                spans = collector.trace_of("POST /agent/trigger")
                paths = {span.name: path(span, spans) for span in spans.values()}
                assert "RunWorkflow:Research" in paths
                for job in ("design", "train", "backtest", "assess"):
                    names = paths.get(f"job {job}", [])
                    assert names[1:2] == [f"compute {job}"], names
                    assert names[-1] == "POST /agent/trigger", names
                    assert any(name.startswith("RunActivity") for name in names)
                    assert "RunWorkflow:Research" in names or "StartWorkflow:Research" in names
                return True

            await assert_eventually(complete, within=PATIENCE)

            async def computing() -> bool:
                return bool(compute_processes(worker.pid))

            endless = accepted(await api.post("/agent/trigger", json={"trials": 10_000}), 202)
            await assert_eventually(computing, within=PATIENCE)
            accepted(await api.delete(f"/agent/cancel/{endless['operation_id']}?wait=20"))

        async def killed() -> bool:
            assert any(span.name.startswith("DELETE /agent/cancel/") for span in collector.spans)
            return any(
                attribute.key == "ktrdr.killed" and attribute.value.bool_value
                for span in collector.spans
                if span.name == "compute design"
                for attribute in span.attributes
            )

        await assert_eventually(killed, within=PATIENCE)


def test_without_a_collector_nothing_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    assert tracing.make_plugins("test") == []
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.resources", None)
    with pytest.raises(StartupError, match=r"ktrdr\[tracing\]"):
        tracing.make_plugins("test")
