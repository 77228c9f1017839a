"""How errors become failures in Temporal: short, and with the progress of their activity.

The server keeps 4 KiB of the last failure of a pending activity. It replaces a larger one by
"Failure exceeds size limit", and nobody learns what happened. So failures carry no stack traces,
which are in the log of the worker, and long messages end early.
"""

from typing import Final

from temporalio.api.failure.v1 import Failure
from temporalio.converter import DefaultFailureConverter, PayloadConverter

from activities.heartbeat import get_last_progress

# In bytes. The root cause says what happened. With the messages above it, it stays well below the
# limit.
_LONGEST_CAUSE: Final = 1_500
_LONGEST_OTHER: Final = 100
# Between the first and the root.
_MOST_BETWEEN: Final = 5
_CUT: Final = " ..."
_ENCODED: Final = "Encoded failure"


class ShortFailureConverter(DefaultFailureConverter):
    """Leaves stack traces out, and cuts long messages. Adds how far an activity was."""

    def to_failure(
        self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure
    ) -> None:
        """Fill a failure, and those of its causes, from an error."""
        # Not `super()`, which would come back here for every cause.
        DefaultFailureConverter.default.to_failure(exception, payload_converter, failure)
        _shorten(failure)
        _add_progress(failure, payload_converter)


class EncodedFailureConverter(ShortFailureConverter):
    """Makes payloads of the messages, too, which a codec encrypts."""

    def to_failure(
        self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure
    ) -> None:
        """Fill a failure, and those of its causes, from an error."""
        super().to_failure(exception, payload_converter, failure)
        for each in _list_chain(failure):
            if each.message == _ENCODED:
                continue  # A cause that came from Temporal, and was shortened before.
            attributes = {"message": each.message, "stack_trace": ""}
            each.encoded_attributes.CopyFrom(payload_converter.to_payloads([attributes])[0])
            each.message = _ENCODED


def _shorten(failure: Failure) -> None:
    chain = _list_chain(failure)
    if len(chain) > _MOST_BETWEEN + 2:
        root = Failure()
        root.CopyFrom(chain[-1])
        chain[_MOST_BETWEEN].cause.CopyFrom(root)
        chain = _list_chain(failure)
    for each in chain:
        longest = _LONGEST_CAUSE if each is chain[-1] else _LONGEST_OTHER
        each.stack_trace = ""
        # Some exceptions of Python have no message. Their type says more than nothing.
        each.message = _cut(each.message or each.application_failure_info.type, longest)


def _cut(text: str, longest: int) -> str:
    """Return the text, cut to a number of bytes in UTF-8."""
    content = text.encode(errors="replace")
    if len(content) <= longest:
        return text
    return content[: longest - len(_CUT)].decode(errors="ignore") + _CUT


def _add_progress(failure: Failure, payload_converter: PayloadConverter) -> None:
    """Add the progress as the last detail."""
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


def _list_chain(failure: Failure) -> list[Failure]:
    """Return a failure and its causes, the root last."""
    chain = [failure]
    while chain[-1].HasField("cause"):
        chain.append(chain[-1].cause)
    return chain
