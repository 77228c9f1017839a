"""The connection to a language model. Temporal retries; the client libraries do not.

The library of a provider is loaded when it is used: each takes a second of processor time.
"""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final

import httpx2
from pydantic_ai.models import Model

from activities.llm.providers import ModelName
from errors import ModelMisbehaved

# A kilobyte for each token of the longest answer.
_MOST_ANSWER_BYTES: Final = 8 * 1024 * 1024

# A few compressed bytes may stand for gigabytes.
_UNCOMPRESSED: Final = {"Accept-Encoding": "identity"}


def connect_model(name: ModelName, timeout_seconds: float) -> AbstractAsyncContextManager[Model]:
    """Return a model as a context. Its connections close with the context.

    Args:
        name: Name of the model.
        timeout_seconds: How long the provider may stay silent.

    Raises:
        InvalidInput: The key of its provider is missing.
    """
    connect = _connect_anthropic if name.provider == "anthropic" else _connect_openai
    return connect(name, timeout_seconds)


@asynccontextmanager
async def _connect_anthropic(name: ModelName, timeout_seconds: float) -> AsyncIterator[Model]:
    from anthropic import AsyncAnthropic, DefaultAsyncHttpxClient  # noqa: PLC0415
    from pydantic_ai.models.anthropic import AnthropicModel  # noqa: PLC0415
    from pydantic_ai.providers.anthropic import AnthropicProvider  # noqa: PLC0415

    options = _make_options(name, timeout_seconds, DefaultAsyncHttpxClient)
    async with AsyncAnthropic(**options) as client:
        yield AnthropicModel(name.model, provider=AnthropicProvider(anthropic_client=client))


@asynccontextmanager
async def _connect_openai(name: ModelName, timeout_seconds: float) -> AsyncIterator[Model]:
    from openai import AsyncOpenAI, DefaultAsyncHttpxClient  # noqa: PLC0415
    from pydantic_ai.models.openai import OpenAIChatModel  # noqa: PLC0415
    from pydantic_ai.providers.openai import OpenAIProvider  # noqa: PLC0415
    from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider  # noqa: PLC0415

    options = _make_options(name, timeout_seconds, DefaultAsyncHttpxClient)
    async with AsyncOpenAI(**options) as client:
        provider = (
            OpenAICompatibleProvider("openai-compatible", openai_client=client)
            if name.address
            else OpenAIProvider(openai_client=client)
        )
        yield OpenAIChatModel(name.model, provider=provider)


def _make_options(
    name: ModelName, timeout_seconds: float, http_client: type[Any]
) -> dict[str, Any]:
    """Return what both libraries call alike."""
    return {
        "http_client": http_client(
            event_hooks={"response": [_bound_response]}, headers=_UNCOMPRESSED
        ),
        "api_key": name.read_key(),
        "base_url": name.address,
        "timeout": timeout_seconds,
        "max_retries": 0,
    }


async def _bound_response(response: httpx2.Response) -> None:
    """Bound the length of an answer, of which the libraries keep every line in memory.

    Raises:
        ModelMisbehaved: It is compressed.
    """
    if response.headers.get("content-encoding", "identity") != "identity":
        raise ModelMisbehaved("The provider compresses its answer although it may not.")
    if isinstance(response.stream, httpx2.AsyncByteStream):
        response.stream = _BoundedStream(response.stream)


class _BoundedStream(httpx2.AsyncByteStream):
    """An answer that ends with an error if it is too long."""

    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        received = 0
        async for chunk in self._stream:
            received += len(chunk)
            if received > _MOST_ANSWER_BYTES:
                raise ModelMisbehaved("The language model gave an answer without end.")
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()
