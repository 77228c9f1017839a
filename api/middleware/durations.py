"""How long requests take, by route, for Prometheus.

A cancel is answered when the work has stopped, so the duration of its route is its latency.
"""

import socket
import time
from datetime import timedelta

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from temporalio.common import MetricHistogramTimedelta, MetricMeter

from settings import Settings


def with_metrics(settings: Settings) -> Settings:
    """Return settings by which metrics are served, if for nobody but the route `/metrics`."""
    if settings.metrics_address is not None:
        return settings
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return settings.model_copy(update={"metrics_address": f"127.0.0.1:{port}"})


def request_durations(meter: MetricMeter) -> MetricHistogramTimedelta:
    """Return the histogram of request durations."""
    return meter.create_histogram_timedelta(
        "ktrdr_http_request_duration", "How long requests take", "s"
    )


class Observer:
    """Measures every request that matches a route."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Measure from the first byte received to the beginning of the answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()

        async def observed(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._record(scope, message["status"], time.perf_counter() - began)
            await send(message)

        await self._app(scope, receive, observed)

    def _record(self, scope: Scope, status: int, seconds: float) -> None:
        durations: MetricHistogramTimedelta = scope["app"].state.durations
        route = getattr(scope.get("route"), "path", "none")
        durations.record(
            timedelta(seconds=seconds),
            {"method": scope["method"], "route": route, "status": status},
        )
