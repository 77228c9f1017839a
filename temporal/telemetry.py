"""Telemetry of a process: metrics for Prometheus, and logs as JSON.

The SDK's own metrics are served with ours, such as how long tasks wait in a queue
(`temporal_activity_schedule_to_start_latency`). docs/operations.md lists the few that matter.
"""

import json
import logging
import os
from datetime import UTC, datetime, timedelta
from typing import Final

from temporalio import activity, workflow
from temporalio.runtime import (
    LogForwardingConfig,
    LoggingConfig,
    PrometheusConfig,
    Runtime,
    TelemetryConfig,
)

from errors import StartupError
from quant.wording import strip_controls
from settings import Settings

_BUCKETS: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 7200.0)
_HISTOGRAMS: Final = ("ktrdr_phase_duration", "ktrdr_cancel_latency", "ktrdr_http_request_duration")

# The SDK's core starts as many threads as the machine has cores. They hand calls to each other, and
# each time one waits for its turn. One does all that Python gives it to do.
_CORE_THREADS: Final = ("TOKIO_WORKER_THREADS", "1")

# The SDK's core logs in our format, through our handler.
_CORE_LOGGING: Final = LoggingConfig(
    filter=LoggingConfig.default.filter,
    forwarding=LogForwardingConfig(logging.getLogger("temporalio"), append_target_to_name=False),
)


def make_runtime(settings: Settings, worker_heartbeat_interval: timedelta | None = None) -> Runtime:
    """Return a runtime of the SDK. It serves metrics at KTRDR_METRICS_ADDRESS, if that is set.

    Args:
        settings: Settings with the address of the metrics.
        worker_heartbeat_interval: How often workers report to Temporal, or None for the default.

    Raises:
        StartupError: The address cannot be used.
    """
    metrics = settings.metrics_address and PrometheusConfig(
        bind_address=settings.metrics_address,
        counters_total_suffix=True,
        unit_suffix=True,
        durations_as_seconds=True,
        histogram_bucket_overrides=dict.fromkeys(_HISTOGRAMS, _BUCKETS),
    )
    telemetry = TelemetryConfig(
        logging=_CORE_LOGGING, metrics=metrics or None, attach_service_name=False
    )
    os.environ.setdefault(*_CORE_THREADS)
    try:
        if worker_heartbeat_interval is None:
            return Runtime(telemetry=telemetry)
        return Runtime(telemetry=telemetry, worker_heartbeat_interval=worker_heartbeat_interval)
    except ValueError as error:
        raise StartupError(f"KTRDR_METRICS_ADDRESS: {error}") from error


class TextFormatter(logging.Formatter):
    """Formats an event as text for a terminal.

    Names and reasons come from outside. None of them controls the terminal, or passes for an event
    of its own: further lines are indented.
    """

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - of the base class
        """Return the event without its exception."""
        return strip_controls(super().formatMessage(record)).replace("\n", "\n  ")


class JsonFormatter(logging.Formatter):
    """Formats an event as one line of JSON, with the operation to which it belongs."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        entry: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if audited := getattr(record, "audit", None):
            entry |= audited | {"message": audited["event"]}
        for source in ("temporal_activity", "temporal_workflow"):
            about = getattr(record, source, None)
            if about:
                entry |= {
                    "operation_id": about.get("workflow_id"),
                    "run_id": about.get("workflow_run_id") or about.get("run_id"),
                    "activity": about.get("activity_type"),
                    "attempt": about.get("attempt"),
                }
        if record.exc_info:
            entry["error"] = self.formatException(record.exc_info)
        return json.dumps({name: value for name, value in entry.items() if value is not None})


def set_up_logging(settings: Settings, level: int) -> None:
    """Write logs of this level and above to standard error, as text or as JSON."""
    handler = logging.StreamHandler()
    if settings.log_format == "json":
        handler.setFormatter(JsonFormatter())
    else:
        handler.setFormatter(TextFormatter())
    logging.basicConfig(level=level, handlers=[handler])
    # The workflow or activity is in other fields, so it need not be in the message.
    workflow.logger.workflow_info_on_message = False
    activity.logger.activity_info_on_message = False
    # The audit log is written at every log level.
    logging.getLogger("ktrdr.audit").setLevel(logging.INFO)
