"""`/codec`: encrypts and decrypts payloads for the Temporal Web UI and the `temporal` command.

Both use Temporal's protocol for codec servers: they send payloads, and show the answer.
"""

from collections.abc import Awaitable, Callable, Sequence

from fastapi import APIRouter, Request, Response
from google.protobuf.json_format import MessageToJson, Parse, ParseError
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.converter import PayloadCodec

from api.services import ServicesDep
from errors import InvalidInput, MissingArtifact

router = APIRouter(prefix="/codec", include_in_schema=False)

_Conversion = Callable[[Sequence[Payload]], Awaitable[list[Payload]]]


@router.post("/decode")
async def decode(services: ServicesDep, request: Request) -> Response:
    """Decrypt payloads."""
    return await _convert(
        request, _require_codec(services.client.data_converter.payload_codec).decode
    )


@router.post("/encode")
async def encode(services: ServicesDep, request: Request) -> Response:
    """Encrypt payloads."""
    return await _convert(
        request, _require_codec(services.client.data_converter.payload_codec).encode
    )


def _require_codec(codec: PayloadCodec | None) -> PayloadCodec:
    if codec is None:
        raise MissingArtifact("Payloads are not encrypted here.")
    return codec


async def _convert(request: Request, convert: _Conversion) -> Response:
    try:
        message = Parse(await request.body(), Payloads())
    except (ParseError, UnicodeDecodeError) as error:
        raise InvalidInput(f"body: not a Payloads message: {error}", field="body") from None
    payloads = Payloads(payloads=await convert(message.payloads))
    return Response(MessageToJson(payloads), media_type="application/json")
