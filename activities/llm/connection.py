"""The connection to a language model. Temporal retries; the client libraries do not."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import httpx2
from anthropic import AsyncAnthropic
from anthropic import DefaultAsyncHttpxClient as AnthropicHttpClient
from openai import AsyncOpenAI
from openai import DefaultAsyncHttpxClient as OpenAIHttpClient
from pydantic_ai.models import Model
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider

from activities.llm.providers import ModelName
from errors import ModelMisbehaved

# A kilobyte for each token of the longest answer.
_MOST_ANSWER_BYTES: Final = 8 * 1024 * 1024

# A few compressed bytes may stand for gigabytes.
_UNCOMPRESSED: Final = {"Accept-Encoding": "identity"}


@asynccontextmanager
async def connect_model(name: ModelName, timeout_seconds: float) -> AsyncIterator[Model]:
    """Yield a model. Its connections close with the context.

    Args:
        name: Name of the model.
        timeout_seconds: How long the provider may stay silent.

    Raises:
        InvalidInput: The key of its provider is missing.
    """
    hooks = {"response": [_bound_response]}
    if name.provider == "anthropic":
        async with AsyncAnthropic(
            api_key=name.read_key(),
            base_url=name.address,
            timeout=timeout_seconds,
            max_retries=0,
            http_client=AnthropicHttpClient(event_hooks=hooks, headers=_UNCOMPRESSED),
        ) as client:
            yield AnthropicModel(name.model, provider=AnthropicProvider(anthropic_client=client))
    else:
        async with AsyncOpenAI(
            api_key=name.read_key(),
            base_url=name.address,
            timeout=timeout_seconds,
            max_retries=0,
            http_client=OpenAIHttpClient(event_hooks=hooks, headers=_UNCOMPRESSED),
        ) as openai:
            provider = (
                OpenAICompatibleProvider("openai-compatible", openai_client=openai)
                if name.address
                else OpenAIProvider(openai_client=openai)
            )
            yield OpenAIChatModel(name.model, provider=provider)


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
