"""How errors become failures in Temporal: short, and with the progress of their activity.

A server keeps only small failures of attempts, up to 4 kB by default. It replaces a larger one with
"Failure exceeds size limit", and nobody sees what went wrong. The whole trace is in the log.
"""

from collections.abc import Iterator
from typing import Final

from temporalio.api.failure.v1 import Failure
from temporalio.converter import DefaultFailureConverter, PayloadConverter

from activities.heartbeat import get_last_progress

# In bytes. All of them together, with what surrounds them in a failure, stay below the limit.
_LONGEST_MESSAGE: Final = 1200
_LONGEST_TRACE: Final = 600
_LONGEST_CAUSE: Final = 250
_MOST_CAUSES: Final = 3

_ENCODED: Final = "Encoded failure"

_PLAIN: Final = DefaultFailureConverter()


class ShortFailureConverter(DefaultFailureConverter):
    """Keeps failures short. Adds how far an activity was, as the last detail."""

    def to_failure(
        self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure
    ) -> None:
        """Convert an error into a failure."""
        _PLAIN.to_failure(exception, payload_converter, failure)
        _shorten(failure)
        _add_progress(failure, payload_converter)


class EncodedFailureConverter(ShortFailureConverter):
    """Moves messages and traces to where the codec encrypts them."""

    def to_failure(
        self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure
    ) -> None:
        """Convert an error into a failure."""
        super().to_failure(exception, payload_converter, failure)
        for each in _list_chain(failure):
            if each.message == _ENCODED:
                continue  # A cause that came from Temporal, and was shortened before.
            texts = {"message": each.message, "stack_trace": each.stack_trace}
            [payload] = payload_converter.to_payloads([texts])
            each.encoded_attributes.CopyFrom(payload)
            each.message, each.stack_trace = _ENCODED, ""


def _list_chain(failure: Failure) -> Iterator[Failure]:
    """Yield a failure and its causes."""
    yield failure
    while failure.HasField("cause"):
        failure = failure.cause
        yield failure


def _shorten(failure: Failure) -> None:
    """Cut the texts, and leave out causes in the middle. The root says what went wrong."""
    for each in _list_chain(failure):
        # Some exceptions of Python have no message. Their type says more than nothing.
        each.message = each.message or each.application_failure_info.type
    failure.message = _cut(failure.message, _LONGEST_MESSAGE)
    # The end of a trace is where the error was raised.
    failure.stack_trace = _cut(failure.stack_trace, _LONGEST_TRACE, from_end=True)
    _, *causes = _list_chain(failure)
    for cause in causes:
        # The root carries the message that the user reads.
        longest = _LONGEST_MESSAGE if cause is causes[-1] else _LONGEST_CAUSE
        cause.message = _cut(cause.message, longest)
        cause.stack_trace = ""
    if len(causes) > _MOST_CAUSES:
        root = Failure()
        root.CopyFrom(causes[-1])
        causes[_MOST_CAUSES - 2].cause.CopyFrom(root)


def _cut(text: str, longest: int, *, from_end: bool = False) -> str:
    content = text.encode()
    if len(content) <= longest:
        return text
    kept = content[-longest:] if from_end else content[:longest]
    cut = kept.decode(errors="ignore")
    return f"…{cut}" if from_end else f"{cut}…"


def _add_progress(failure: Failure, payload_converter: PayloadConverter) -> None:
    progress = get_last_progress()
    if progress is None:
        return
    if failure.HasField("application_failure_info"):
        details = failure.application_failure_info.details
    elif failure.HasField("canceled_failure_info"):
        details = failure.canceled_failure_info.details
    else:
        return
    details.payloads.extend(payload_converter.to_payloads([progress]))
