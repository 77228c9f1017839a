"""Failures of a provider of language models, and whether a retry may help."""

from datetime import timedelta

from pydantic_ai.exceptions import (
    ModelAPIError,
    ModelConnectionError,
    ModelHTTPError,
    ModelQuotaExceededError,
)
from temporalio.exceptions import ApplicationError

from activities.llm.providers import ModelName

FAILURE = "language_model_failed"

_LONGEST_WAIT = timedelta(hours=1)
_TOO_MANY_REQUESTS = 429
_SERVER_ERRORS = 500


def make_provider_failure(name: ModelName, error: ModelAPIError) -> ApplicationError:
    """Return the failure for Temporal, which says whether and when to retry.

    It omits the provider's message: some of those repeat a part of the key.
    """
    wait = None
    if error.retry_after is not None:
        wait = min(timedelta(seconds=max(0.0, error.retry_after)), _LONGEST_WAIT)
    return ApplicationError(
        f"{name} {_describe(error)}.",
        type=FAILURE,
        non_retryable=not _retry_may_help(error),
        next_retry_delay=wait,
    )


def make_break_failure(name: ModelName) -> ApplicationError:
    """Return the failure for an answer that breaks off. A retry may help."""
    return ApplicationError(f"{name} broke off in the middle of its answer.", type=FAILURE)


def make_endless_failure(name: ModelName, *, last: bool) -> ApplicationError:
    """Return the failure for an answer that does not end in time.

    Args:
        name: Name of the model.
        last: Whether enough attempts were made. Each holds a slot all the time.
    """
    return ApplicationError(
        f"{name} did not end its answer in time.", type=FAILURE, non_retryable=last
    )


def _retry_may_help(error: ModelAPIError) -> bool:
    if isinstance(error, ModelQuotaExceededError):
        return False  # The account is exhausted. The status is that of a rate limit.
    if isinstance(error, ModelHTTPError):
        return error.status_code == _TOO_MANY_REQUESTS or error.status_code >= _SERVER_ERRORS
    return True


def _describe(error: ModelAPIError) -> str:
    if isinstance(error, ModelHTTPError):
        reason = f" ({error.provider_error_type})" if error.provider_error_type else ""
        return f"answered with status {error.status_code}{reason}"
    if isinstance(error, ModelConnectionError):
        return "cannot be reached or does not answer"
    return "failed"
