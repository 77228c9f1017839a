"""A metered language model: every call is reserved at its maximum cost, then settled.

Answers are stored with the operation, so an activity that runs again does not pay for the same
answer twice: the conversation continues where it broke off.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import uuid4

from pydantic import BaseModel
from pydantic_ai.exceptions import ModelAPIError, ModelTimeoutError, UnexpectedModelBehavior
from pydantic_ai.messages import ModelMessage, ModelMessagesTypeAdapter, ModelResponse
from pydantic_ai.models import Model, ModelRequestParameters
from pydantic_ai.models.wrapper import WrapperModel
from pydantic_ai.settings import ModelSettings
from temporalio import activity

from activities.llm.failures import broken_off, provider_failure
from activities.llm.prices import Prices
from activities.llm.providers import ModelName
from quant.messages.artifacts import Artifact
from storage.artifacts import OperationArtifacts
from storage.ledger import Ledger
from storage.money import to_microdollars
from storage.records import Tokens
from storage.spending import ModelCall

MAX_ANSWER_TOKENS = 8_000
# A provider that says that it is alive, and nothing else, is never silent.
_LONGEST_ANSWER_SECONDS = 900.0


class Conversation(BaseModel):
    """The first prompt, and all answers."""

    prompt: str
    answers: list[ModelResponse] = []


@dataclass
class Meter:
    """Accounts for the calls of one conversation.

    Attributes:
        name: name of the model.
        research_id: the research that pays.
        max_cost: US dollars that the research may cost; None for no limit of its own.
        ledger: with the spending.
        prices: prices of the models.
        artifacts: where the conversation is stored.
        conversation: the conversation so far.
        tell: called while an answer arrives.
    """

    name: ModelName
    research_id: str
    max_cost: float | None
    ledger: Ledger
    prices: Prices
    artifacts: OperationArtifacts
    conversation: Conversation
    tell: Callable[[str], None]
    asked: int = field(default=0, init=False)

    async def reserve(self, most: Tokens) -> str:
        """Set aside the maximum cost of a call; return the id of the call."""
        call = ModelCall(
            uuid4().hex, self.research_id, str(self.name), self.prices.cost(self.name, most)
        )
        reserve = self.ledger.spending.reserve
        await self.ledger.ask(reserve, call, datetime.now(UTC), self.max_cost)
        return call.call_id

    async def settle(self, call_id: str, tokens: Tokens) -> None:
        """Replace the amount set aside by the actual cost."""
        cost = self.prices.cost(self.name, tokens)
        await self.ledger.ask(self.ledger.spending.settle, call_id, cost, tokens)
        if not activity.in_activity():
            return
        spend = activity.metric_meter().create_counter(
            "ktrdr_llm_spend", "Cost of language models in millionths of a US dollar"
        )
        spend.add(to_microdollars(cost), {"model": str(self.name)})

    async def keep(self, answer: ModelResponse) -> None:
        """Store an answer for an activity that runs again."""
        self.conversation.answers.append(answer)
        await self._write()

    async def forget(self) -> None:
        """Forget all answers, so that the next attempt starts a new conversation."""
        self.conversation.answers.clear()
        await self._write()

    async def _write(self) -> None:
        content = self.conversation.model_dump_json().encode()
        await self.artifacts.store(Artifact.CONVERSATION, content)


class MeteredModel(WrapperModel):
    """A model that answers as the wrapped one does, streamed, metered and at most once."""

    def __init__(self, wrapped: Model, meter: Meter) -> None:
        super().__init__(wrapped)
        self._meter = meter

    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> ModelResponse:
        """Answer.

        Raises:
            BudgetExhausted: the call might cost more than is left.
            ApplicationError: the provider refused or broke off.
        """
        meter = self._meter
        meter.asked += 1
        if meter.asked <= len(meter.conversation.answers):
            return meter.conversation.answers[meter.asked - 1]
        settings = ModelSettings(max_tokens=MAX_ANSWER_TOKENS, cache=True) | (model_settings or {})
        call_id = await meter.reserve(_at_most(messages, model_request_parameters))
        answer = await self._stream(call_id, messages, settings, model_request_parameters)
        # The provider's own reason: the library treats any end of a stream as the end of an answer.
        if "finish_reason" not in (answer.provider_details or {}):
            raise broken_off(meter.name)
        # Without usage from the provider, the call counts with its maximum cost.
        if answer.usage.total_tokens:
            await meter.settle(call_id, Tokens.model_validate(answer.usage, from_attributes=True))
        await meter.keep(answer)
        return answer

    async def _stream(
        self,
        call_id: str,
        messages: list[ModelMessage],
        settings: ModelSettings,
        parameters: ModelRequestParameters,
    ) -> ModelResponse:
        opened = False
        try:
            async with (
                asyncio.timeout(_LONGEST_ANSWER_SECONDS),
                self.wrapped.request_stream(messages, settings, parameters) as stream,
            ):
                opened = True
                received = 0
                async for _ in stream:
                    received += 1
                    self._meter.tell(f"{self._meter.name} is answering ({received} parts)")
                return stream.get()
        except ModelAPIError as error:
            # A refusal costs nothing. A call under way may have cost: that amount stays set aside.
            if not opened and not isinstance(error, ModelTimeoutError):
                await self._meter.settle(call_id, Tokens())
            # Not as the cause, which contains the provider's message.
            raise provider_failure(self._meter.name, error) from None
        except (UnexpectedModelBehavior, TimeoutError):
            raise broken_off(self._meter.name) from None


def _at_most(messages: list[ModelMessage], parameters: ModelRequestParameters) -> Tokens:
    """Return how many tokens a call can take: no token is shorter than a byte.

    All of them may be written to a cache, which some providers charge more for.
    """
    most = len(ModelMessagesTypeAdapter.dump_json(messages)) + len(repr(parameters).encode())
    return Tokens(input_tokens=most, cache_write_tokens=most, output_tokens=MAX_ANSWER_TOKENS)
