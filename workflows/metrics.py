"""The metrics that workflows record. Temporal's SDK leaves them out while it replays."""

from datetime import timedelta

from temporalio import workflow

from workflows.interface.contract import OperationStatus, OperationType, Phase


def record_phase(phase: Phase, duration: timedelta) -> None:
    """Record how long a research was in a phase."""
    workflow.metric_meter().with_additional_attributes(
        {"phase": phase.value}
    ).create_histogram_timedelta(
        "ktrdr_phase_duration", "How long researches are in a phase", "s"
    ).record(duration)


def record_cancel(latency: timedelta) -> None:
    """Record how long a cancelled operation took to stop."""
    workflow.metric_meter().create_histogram_timedelta(
        "ktrdr_cancel_latency", "From an accepted cancel until the work has stopped", "s"
    ).record(latency)


def count_ended(operation_type: OperationType, status: OperationStatus, reason: str) -> None:
    """Count an operation that has ended."""
    workflow.metric_meter().with_additional_attributes(
        {"operation_type": operation_type.value, "status": status.value, "reason": reason}
    ).create_counter("ktrdr_operations_ended", "Operations by how they have ended").add(1)


def count_verdict(verdict: str) -> None:
    """Count a completed research."""
    workflow.metric_meter().with_additional_attributes({"verdict": verdict}).create_counter(
        "ktrdr_verdicts", "Completed researches by verdict"
    ).add(1)
