"""Telemetry of a process: metrics for Prometheus, and logs as JSON.

The SDK's own metrics are served with ours: how long tasks wait in a queue
(`temporal_activity_schedule_to_start_latency`), how long they run, which fail. The few that matter
are listed in docs/operations.md.
"""

import json
import logging
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
from settings import Settings

_SECONDS: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 7200.0)
_OURS: Final = ("ktrdr_phase_duration", "ktrdr_cancel_latency", "ktrdr_http_request_duration")

# The core's logs in our format, interleaved with our own lines.
_LOGS_OF_THE_CORE: Final = LoggingConfig(
    filter=LoggingConfig.default.filter,
    forwarding=LogForwardingConfig(logging.getLogger("temporalio"), append_target_to_name=False),
)


def runtime(settings: Settings, worker_heartbeat_interval: timedelta | None = None) -> Runtime:
    """Return a runtime of the SDK; with KTRDR_METRICS_ADDRESS it serves metrics there.

    Args:
        settings: with the address of the metrics.
        worker_heartbeat_interval: how often workers report to Temporal; the SDK's default if None.

    Raises:
        StartupError: the address cannot be used.
    """
    metrics = settings.metrics_address and PrometheusConfig(
        bind_address=settings.metrics_address,
        counters_total_suffix=True,
        unit_suffix=True,
        durations_as_seconds=True,
        histogram_bucket_overrides=dict.fromkeys(_OURS, _SECONDS),
    )
    telemetry = TelemetryConfig(
        logging=_LOGS_OF_THE_CORE, metrics=metrics or None, attach_service_name=False
    )
    try:
        if worker_heartbeat_interval is None:
            return Runtime(telemetry=telemetry)
        return Runtime(telemetry=telemetry, worker_heartbeat_interval=worker_heartbeat_interval)
    except ValueError as error:
        raise StartupError(f"KTRDR_METRICS_ADDRESS: {error}") from error


class JsonFormatter(logging.Formatter):
    """One line of JSON per event, with its operation."""

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
    """Write logs to standard error, as text for people or as JSON for programs."""
    handler = logging.StreamHandler()
    if settings.log_format == "json":
        handler.setFormatter(JsonFormatter())
    else:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=level, handlers=[handler])
    # The workflow or activity of a line is in fields of their own.
    workflow.logger.workflow_info_on_message = False
    activity.logger.activity_info_on_message = False
    # The audit log is written at every log level.
    logging.getLogger("ktrdr.audit").setLevel(logging.INFO)
