"""The conversion of errors for Temporal: short, so that the server never cuts them.

The server keeps 4 KiB of the last failure of a pending activity. It replaces a larger one by
"Failure exceeds size limit", and nobody learns what happened. So failures carry no stack traces,
which are in the log of the worker, and long messages end early.
"""

from typing import Final

from temporalio.api.failure.v1 import Failure
from temporalio.converter import DefaultFailureConverter, PayloadConverter

# The root cause says what happened. With the messages above it, it stays well below the limit.
LONGEST_CAUSE: Final = 1_500
_LONGEST_OTHER: Final = 100
# Between the first and the root.
_MOST_BETWEEN: Final = 5
_CUT: Final = " ..."
_ENCODED: Final = "Encoded failure"


class ShortFailureConverter(DefaultFailureConverter):
    """Converts errors without their stack traces, and cuts long messages."""

    def to_failure(
        self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure
    ) -> None:
        """Fill a failure, and those of its causes, from an error."""
        # Not `super()`, which would come back here for every cause.
        DefaultFailureConverter.default.to_failure(exception, payload_converter, failure)
        chain = _list_chain(failure)
        if len(chain) > _MOST_BETWEEN + 2:
            root = Failure()
            root.CopyFrom(chain[-1])
            chain[_MOST_BETWEEN].cause.CopyFrom(root)
            chain = _list_chain(failure)
        for each in chain:
            longest = LONGEST_CAUSE if each is chain[-1] else _LONGEST_OTHER
            each.stack_trace = ""
            each.message = shorten(each.message, longest)


class EncodingFailureConverter(ShortFailureConverter):
    """Makes payloads of the messages, too, which a codec encrypts."""

    def to_failure(
        self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure
    ) -> None:
        """Fill a failure, and those of its causes, from an error."""
        super().to_failure(exception, payload_converter, failure)
        for each in _list_chain(failure):
            attributes = {"message": each.message, "stack_trace": ""}
            each.encoded_attributes.CopyFrom(payload_converter.to_payloads([attributes])[0])
            each.message = _ENCODED


def shorten(text: str, longest: int) -> str:
    """Return the text, cut to a number of bytes in UTF-8."""
    content = text.encode(errors="replace")
    if len(content) <= longest:
        return text
    return content[: longest - len(_CUT)].decode(errors="ignore") + _CUT


def _list_chain(failure: Failure) -> list[Failure]:
    """Return a failure and its causes, the root last."""
    chain = [failure]
    while chain[-1].HasField("cause"):
        chain.append(chain[-1].cause)
    return chain
