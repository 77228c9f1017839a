"""What the runner of the workflows takes for granted, and what it must not give up."""

from pathlib import Path

import pytest
from temporalio.converter import DataConverter, WorkflowSerializationContext

from temporal.converter import data_converter, make_encrypting_converter
from temporal.encryption import EncryptingCodec, rotate_key


@pytest.fixture(params=["plain", "encrypting"])
def converter(request: pytest.FixtureRequest, tmp_path: Path) -> DataConverter:
    if request.param == "plain":
        return data_converter
    keys = tmp_path / "payload-keys.json"
    rotate_key(keys)
    return make_encrypting_converter(EncryptingCodec(keys))


def test_payloads_are_converted_alike_whatever_they_belong_to(converter: DataConverter) -> None:
    context = WorkflowSerializationContext(namespace="default", workflow_id="op")
    assert converter.with_context(context) is converter


def test_payloads_are_stored_nowhere_else(converter: DataConverter) -> None:
    assert converter.external_storage is None
