"""The span of a compute process: the last one in a trace that began with a request."""

import contextlib
import os
import threading
from collections.abc import Iterator, Mapping

from opentelemetry import propagate

_SECONDS_TO_SEND = 0.5


def carried() -> dict[str, str]:
    """Return by what a process goes on with the present trace; empty if there is none."""
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    return carrier


@contextlib.contextmanager
def continued(name: str, carrier: Mapping[str, str]) -> Iterator[None]:
    """Go on with a trace in this process, which sends its span itself before it ends.

    A process that is killed has no last word; that it was killed stands in the worker's span.
    """
    if not carrier:
        yield
        return
    # An extra; that there is a trace to go on with shows that it is installed.
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
        # The SDK's own time limit has no effect, and a result must not wait for a collector that
        # is away.
        sending = threading.Thread(target=provider.force_flush, daemon=True)
        sending.start()
        sending.join(_SECONDS_TO_SEND)
