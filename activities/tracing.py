"""The trace context that a worker hands to its compute processes.

The span of a compute process is the last one in a trace that began with a request.
"""

import contextlib
import os
import threading
from collections.abc import Iterator, Mapping

from opentelemetry import propagate

_SECONDS_TO_SEND = 0.5


def inject_trace() -> dict[str, str]:
    """Return the current trace context for another process; empty if nothing is traced."""
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    return carrier


@contextlib.contextmanager
def continue_trace(name: str, carrier: Mapping[str, str]) -> Iterator[None]:
    """Record a span of this process in the trace of another one, and send it.

    A killed process sends no span. The worker's span says that it was killed.

    Args:
        name: Name of the span.
        carrier: What `inject_trace` returned in the other process.
    """
    if not carrier:
        yield
        return
    # These libraries are an extra. A trace exists only where they are installed.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
        OTLPSpanExporter,
    )
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    try:
        with provider.get_tracer("ktrdr").start_as_current_span(
            name, propagate.extract(carrier), attributes={"process.pid": os.getpid()}
        ):
            yield
    finally:
        # A result must not wait for an absent collector, and the SDK ignores its own time limit.
        sending = threading.Thread(target=provider.force_flush, daemon=True)
        sending.start()
        sending.join(_SECONDS_TO_SEND)
