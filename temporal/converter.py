"""The conversion of values for Temporal: JSON of pydantic models."""

from collections.abc import Sequence
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError
from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue
from temporalio.contrib.pydantic import PydanticPayloadConverter
from temporalio.converter import DataConverter, PayloadCodec
from temporalio.exceptions import ApplicationError

from errors import InvalidInput
from quant.problems import join_problems, shorten
from temporal.failures import EncodedFailureConverter, ShortFailureConverter

_JSON: Final = b"json/plain"
# A value with more problems is something else. To describe each of 80,000 would take a busy machine
# longer than the two seconds that a workflow task has.
_MOST_DESCRIBED: Final = 1_000


class ReadablePayloadConverter(PydanticPayloadConverter):
    """Reports a value that cannot be used in plain words, by field.

    Whoever has access to Temporal may send a payload of any encoding and type. A user who starts a
    workflow by hand sees the message in the Web UI. An ApplicationError also fails the workflow at
    once. After any other error its first task would be retried for ever.
    """

    def from_payloads(
        self, payloads: Sequence[Payload], type_hints: list[type[Any]] | None = None
    ) -> list[Any]:
        """Return the values.

        Raises:
            ApplicationError: A value cannot be read, or does not match its type hint.
        """
        try:
            values = super().from_payloads(payloads, type_hints)
            for payload, value, hint in zip(payloads, values, type_hints or (), strict=False):
                if payload.metadata.get("encoding") != _JSON:
                    _check_type(value, hint)
        except ValidationError as error:
            raise _make_failure(_describe(error)) from None
        except (LookupError, RuntimeError, TypeError, ValueError) as error:
            problem = shorten(str(error.args[0] if error.args else error))
            raise _make_failure(f"The value cannot be read: {problem}.") from None
        return values


def _check_type(value: object, hint: Any) -> None:
    """Check a value that pydantic has not validated: none, bytes or a message of protobuf.

    Raises:
        ValidationError: It is not of the type.
    """
    if hint is None or hint is RawValue or (isinstance(hint, type) and isinstance(value, hint)):
        return
    TypeAdapter(hint).validate_python(value, strict=True)


def _describe(error: ValidationError) -> str:
    """Return what is wrong with a value, by field."""
    if error.error_count() > _MOST_DESCRIBED:
        return f"The value is no {error.title}: it has {error.error_count():,} problems."
    return join_problems(
        [
            (": ".join(str(part) for part in each["loc"]), each["msg"])
            for each in error.errors(include_url=False, include_input=False)
        ]
    )


def _make_failure(message: str) -> ApplicationError:
    return ApplicationError(message, type=InvalidInput.reason, non_retryable=True)


data_converter = DataConverter(
    payload_converter_class=ReadablePayloadConverter,
    failure_converter_class=ShortFailureConverter,
)
"""The converter for payloads that are not encrypted."""


def make_encrypting_converter(codec: PayloadCodec) -> DataConverter:
    """Return a converter that encrypts payloads and the messages of failures."""
    return DataConverter(
        payload_converter_class=ReadablePayloadConverter,
        payload_codec=codec,
        failure_converter_class=EncodedFailureConverter,
    )
