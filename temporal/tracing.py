"""Traces from a request through workflow and activities to the compute process.

OpenTelemetry's own environment variables enable them (`OTEL_EXPORTER_OTLP_ENDPOINT`). Its libraries
are an extra: without them nothing is traced. FastAPI creates the span of a request by itself.
"""

import os
from typing import Final

from temporalio.client import Plugin

from errors import StartupError

_SECONDS_TO_SEND: Final = "2"
_SWITCHES: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


def make_plugins(service: str) -> list[Plugin]:
    """Enable traces if the environment asks for them, and return the plugins of the client.

    Args:
        service: Name of this process in traces, unless `OTEL_SERVICE_NAME` is set.

    Raises:
        StartupError: Traces are enabled, but the extra is not installed.
    """
    if not any(os.environ.get(switch) for switch in _SWITCHES):
        return []
    try:
        from opentelemetry import trace  # noqa: PLC0415 - an optional extra
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
            OTLPSpanExporter,
        )
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
        from temporalio.contrib.opentelemetry import (  # noqa: PLC0415
            OpenTelemetryPlugin,
            create_tracer_provider,
        )
    except ImportError:
        raise StartupError(
            f"{_SWITCHES[0]} is set, but OpenTelemetry is not installed: "
            "pip install 'ktrdr[tracing]'."
        ) from None
    os.environ.setdefault("OTEL_SERVICE_NAME", service)
    # A process sends its last spans before it ends. It must not wait long for a silent collector.
    os.environ.setdefault("OTEL_EXPORTER_OTLP_TIMEOUT", _SECONDS_TO_SEND)
    provider = create_tracer_provider(resource=Resource.create())
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    return [OpenTelemetryPlugin(add_temporal_spans=True)]
