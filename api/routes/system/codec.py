"""`/codec`: encrypts and decrypts payloads for the Temporal Web UI and the `temporal` command.

Both use Temporal's protocol for codec servers: they send payloads, and show the answer.
"""

from collections.abc import Callable, Sequence
from typing import Final

from fastapi import Request, Response
from google.protobuf.json_format import MessageToJson, Parse, ParseError
from pydantic_core import from_json
from temporalio.api.common.v1 import Payload, Payloads

from api.paths import ResourceRouter
from api.services import Services, ServicesDep
from errors import InvalidInput, MissingArtifact
from temporal.encryption import EncryptingCodec

router = ResourceRouter(prefix="/codec", include_in_schema=False)

# More than the events of a page of a history have.
_MOST_PAYLOADS: Final = 2000

_Conversion = Callable[[Sequence[Payload]], list[Payload]]


@router.post("/decode")
async def decode(services: ServicesDep, request: Request) -> Response:
    """Decrypt payloads."""
    codec = _require_codec(services)
    return await services.heavy_work.run(_convert, await request.body(), codec.decrypt)


@router.post("/encode")
async def encode(services: ServicesDep, request: Request) -> Response:
    """Encrypt payloads."""
    codec = _require_codec(services)
    return await services.heavy_work.run(_convert, await request.body(), codec.encrypt)


def _require_codec(services: Services) -> EncryptingCodec:
    codec = services.client.data_converter.payload_codec
    if not isinstance(codec, EncryptingCodec):
        raise MissingArtifact("Payloads are not encrypted here.")
    return codec


def _convert(body: bytes, convert: _Conversion) -> Response:
    _check_size(body)
    try:
        message = Parse(body, Payloads())
    except (ParseError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidInput(f"body: not a Payloads message: {error}", field="body") from None
    payloads = Payloads(payloads=convert(message.payloads))
    return Response(MessageToJson(payloads), media_type="application/json")


def _check_size(body: bytes) -> None:
    """Check the number of payloads, before a slow parser makes an object of each.

    Raises:
        InvalidInput: There are too many, or the body is not a JSON object.
    """
    try:
        content = from_json(body)
    except ValueError as error:
        raise InvalidInput(f"body: not a Payloads message: {error}", field="body") from None
    payloads = content.get("payloads", []) if isinstance(content, dict) else content
    if not isinstance(payloads, list):
        raise InvalidInput("body: not a Payloads message.", field="body")
    if len(payloads) > _MOST_PAYLOADS:
        raise InvalidInput(
            f"body: {len(payloads):,} payloads; at most {_MOST_PAYLOADS:,} at once.", field="body"
        )
