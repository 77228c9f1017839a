"""How long requests take, by route, for Prometheus.

The answer to a cancel comes when the work has stopped. So the duration of its route is the latency
of the cancel.
"""

import socket
import time
from datetime import timedelta

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from temporalio.common import MetricHistogramTimedelta, MetricMeter

from settings import Settings


def ensure_metrics_address(settings: Settings) -> Settings:
    """Return settings with an address for the metrics. The route `/metrics` reads them there.

    If none is set, it is a free port on loopback.
    """
    if settings.metrics_address is not None:
        return settings
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return settings.model_copy(update={"metrics_address": f"127.0.0.1:{port}"})


def make_duration_histogram(meter: MetricMeter) -> MetricHistogramTimedelta:
    """Return the histogram of request durations."""
    return meter.create_histogram_timedelta(
        "ktrdr_http_request_duration", "How long requests take", "s"
    )


class RequestDurations:
    """Measures every request that matches a route."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Measure from the first byte received to the beginning of the answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()

        async def measure_and_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._record(scope, message["status"], time.perf_counter() - began)
            await send(message)

        await self._app(scope, receive, measure_and_send)

    def _record(self, scope: Scope, status: int, seconds: float) -> None:
        durations: MetricHistogramTimedelta = scope["app"].state.durations
        route = getattr(scope.get("route"), "path_format", "none")
        durations.record(
            timedelta(seconds=seconds),
            {"method": scope["method"], "route": route, "status": status},
        )
