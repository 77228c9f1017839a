"""Failures of a provider, and whether a retry may help."""

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


def provider_failure(name: ModelName, error: ModelAPIError) -> ApplicationError:
    """Return the error that tells Temporal what to do.

    It leaves out the provider's own message: some repeat a part of the key.
    """
    wait = None
    if error.retry_after is not None:
        wait = min(timedelta(seconds=max(0.0, error.retry_after)), _LONGEST_WAIT)
    return ApplicationError(
        f"{name} {_said(error)}.",
        type=FAILURE,
        non_retryable=not _may_help(error),
        next_retry_delay=wait,
    )


def broken_off(name: ModelName) -> ApplicationError:
    """Return the error for an answer that breaks off."""
    return ApplicationError(f"{name} broke off in the middle of its answer.", type=FAILURE)


def _may_help(error: ModelAPIError) -> bool:
    if isinstance(error, ModelQuotaExceededError):
        return False  # The account's quota; it has the status of a rate limit.
    if isinstance(error, ModelHTTPError):
        return error.status_code == _TOO_MANY_REQUESTS or error.status_code >= _SERVER_ERRORS
    return True


def _said(error: ModelAPIError) -> str:
    if isinstance(error, ModelHTTPError):
        reason = f" ({error.provider_error_type})" if error.provider_error_type else ""
        return f"answered with status {error.status_code}{reason}"
    if isinstance(error, ModelConnectionError):
        return "cannot be reached or does not answer"
    return "failed"
