"""The connection to a language model. Temporal retries; the client libraries do not."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from anthropic import AsyncAnthropic
from openai import AsyncOpenAI
from pydantic_ai.models import Model
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider

from activities.llm.providers import ModelName


@asynccontextmanager
async def connect_model(name: ModelName, timeout_seconds: float) -> AsyncIterator[Model]:
    """Yield a model. Its connections close with the context.

    Args:
        name: Name of the model.
        timeout_seconds: How long the provider may stay silent.

    Raises:
        InvalidInput: The key of its provider is missing.
    """
    if name.provider == "anthropic":
        async with AsyncAnthropic(
            api_key=name.read_key(), base_url=name.address, timeout=timeout_seconds, max_retries=0
        ) as client:
            yield AnthropicModel(name.model, provider=AnthropicProvider(anthropic_client=client))
    else:
        async with AsyncOpenAI(
            api_key=name.read_key(), base_url=name.address, timeout=timeout_seconds, max_retries=0
        ) as openai:
            provider = (
                OpenAICompatibleProvider("openai-compatible", openai_client=openai)
                if name.address
                else OpenAIProvider(openai_client=openai)
            )
            yield OpenAIChatModel(name.model, provider=provider)
