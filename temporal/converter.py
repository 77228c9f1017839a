"""The conversion of values for Temporal: JSON of pydantic models."""

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError
from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import PydanticPayloadConverter
from temporalio.converter import DataConverter, PayloadCodec
from temporalio.exceptions import ApplicationError

from errors import InvalidInput
from temporal.failures import EncodedFailureConverter, ShortFailureConverter


class ReadablePayloadConverter(PydanticPayloadConverter):
    """Reports an invalid value in plain words, by field.

    A user who starts a workflow by hand sees the message in the Web UI. An ApplicationError also
    fails the workflow at once. After any other error its first task would be retried for ever.
    """

    def from_payloads(
        self, payloads: Sequence[Payload], type_hints: list[type[Any]] | None = None
    ) -> list[Any]:
        """Return the values.

        Raises:
            ApplicationError: A value does not match its type hint.
        """
        try:
            return super().from_payloads(payloads, type_hints)
        except ValidationError as error:
            problems = "; ".join(
                ": ".join([*(str(part) for part in problem["loc"]), problem["msg"]])
                for problem in error.errors(include_url=False, include_input=False)
            )
            raise ApplicationError(problems, type=InvalidInput.reason, non_retryable=True) from None


data_converter = DataConverter(
    payload_converter_class=ReadablePayloadConverter,
    failure_converter_class=ShortFailureConverter,
)
"""The converter for payloads that are not encrypted."""


def make_encrypting_converter(codec: PayloadCodec) -> DataConverter:
    """Return a converter that encrypts payloads, and messages and stack traces of failures."""
    return DataConverter(
        payload_converter_class=ReadablePayloadConverter,
        payload_codec=codec,
        failure_converter_class=EncodedFailureConverter,
    )
