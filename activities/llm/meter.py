"""A metered language model: every call is reserved at its maximum cost, then settled.

Answers are stored with the operation. If the activity is retried, the conversation continues where
it broke off, and no answer is paid for twice.
"""

import asyncio
import logging
import time
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

from activities.llm.failures import (
    make_break_failure,
    make_endless_failure,
    make_provider_failure,
)
from activities.llm.prices import Prices
from activities.llm.providers import ModelName
from errors import ModelMisbehaved
from quant.messages.artifacts import Artifact
from storage.artifacts import OperationArtifacts
from storage.ledger.ledger import Ledger
from storage.ledger.records import Tokens
from storage.ledger.rows import to_microdollars
from storage.ledger.spending import ModelCall

MAX_ANSWER_TOKENS = 8_000
# The limit on silence does not end a stream that carries nothing but signs of life. These do.
_LONGEST_ANSWER_SECONDS = 900.0
_ATTEMPTS_AT_AN_ANSWER = 3
_LONGEST_CONVERSATION_SECONDS = 4 * 3600.0

_log = logging.getLogger(__name__)


class Conversation(BaseModel):
    """The first prompt, all answers, and how long they took to arrive."""

    prompt: str
    answers: list[ModelResponse] = []
    seconds: float = 0.0


@dataclass
class Meter:
    """Accounts for the calls of one conversation.

    Attributes:
        name: Name of the model.
        research_id: The research that pays.
        max_cost: What the research may cost, in US dollars. None for no limit of its own.
        ledger: Holds the spending.
        prices: Prices of the models.
        artifacts: Where the conversation is stored.
        conversation: The conversation so far.
        report_step: Called while an answer arrives.
        asked: How many requests this attempt has made.
    """

    name: ModelName
    research_id: str
    max_cost: float | None
    ledger: Ledger
    prices: Prices
    artifacts: OperationArtifacts
    conversation: Conversation
    report_step: Callable[[str], None]
    asked: int = field(default=0, init=False)

    async def reserve(self, at_most: Tokens) -> ModelCall:
        """Set aside the maximum cost of a call, and return the call."""
        call = ModelCall(
            uuid4().hex, self.research_id, str(self.name), self.prices.cost(self.name, at_most)
        )
        reserve = self.ledger.spending.reserve
        await self.ledger.ask(reserve, call, datetime.now(UTC), self.max_cost)
        return call

    async def settle(self, call: ModelCall, tokens: Tokens) -> None:
        """Replace the amount set aside by the actual cost.

        The provider reports the tokens. No report makes a call cost more than it can have cost.
        """
        try:
            cost = min(self.prices.cost(self.name, tokens), call.max_cost)
        except ValueError:  # The counts contradict each other.
            cost = call.max_cost
        await self.ledger.ask(self.ledger.spending.settle, call.call_id, cost, tokens)
        if not activity.in_activity():
            return
        spend = activity.metric_meter().create_counter(
            "ktrdr_llm_spend", "Cost of language models in millionths of a US dollar"
        )
        spend.add(to_microdollars(cost), {"model": str(self.name)})

    async def keep_answer(self, answer: ModelResponse, seconds: float) -> None:
        """Store an answer for the next attempt of the activity, and how long it took."""
        self.conversation.answers.append(answer)
        self.conversation.seconds += seconds
        await self._write()

    async def forget_answers(self) -> None:
        """Forget all answers, so that the next attempt starts a new conversation."""
        self.conversation.answers.clear()
        await self._write()

    async def _write(self) -> None:
        content = self.conversation.model_dump_json().encode()
        await self.artifacts.store(Artifact.CONVERSATION, content)


class MeteredModel(WrapperModel):
    """Streams and meters the requests to another model. It asks no stored answer again."""

    def __init__(self, wrapped: Model, meter: Meter) -> None:
        super().__init__(wrapped)
        self._meter = meter

    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> ModelResponse:
        """Return the stored answer to this request, or ask the model.

        Raises:
            BudgetExhausted: The budget may not cover the call.
            ModelMisbehaved: The answer is too long, or all answers together have taken too long.
            ApplicationError: The provider refused the call or broke off its answer.
        """
        meter = self._meter
        meter.asked += 1
        if meter.asked <= len(meter.conversation.answers):
            return meter.conversation.answers[meter.asked - 1]
        settings = ModelSettings(max_tokens=MAX_ANSWER_TOKENS, cache=True) | (model_settings or {})
        if meter.conversation.seconds > _LONGEST_CONVERSATION_SECONDS:
            raise ModelMisbehaved(f"{meter.name} takes too long for its answers.")
        at_most = _limit_tokens(messages, model_request_parameters)
        call = await meter.reserve(at_most)
        began = time.monotonic()
        answer = await self._stream(call, messages, settings, model_request_parameters)
        # Only the provider knows whether the answer is whole. The library takes any end for that.
        if "finish_reason" not in (answer.provider_details or {}):
            raise make_break_failure(meter.name)
        # If the provider does not say what was used, the call counts with its maximum cost.
        if answer.usage.total_tokens:
            await meter.settle(call, _read_usage(answer, at_most))
        await meter.keep_answer(answer, time.monotonic() - began)
        return answer

    async def _stream(
        self,
        call: ModelCall,
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
                    self._meter.report_step(f"{self._meter.name} is answering ({received} parts)")
                return stream.get()
        except ModelAPIError as error:
            # A refusal costs nothing. A call that had begun may cost: its amount stays set aside.
            if not opened and not isinstance(error, ModelTimeoutError):
                await self._meter.settle(call, Tokens())
            # Without the cause, which contains the provider's message.
            raise make_provider_failure(self._meter.name, error) from None
        except TimeoutError:
            last = not activity.in_activity() or activity.info().attempt >= _ATTEMPTS_AT_AN_ANSWER
            raise make_endless_failure(self._meter.name, last=last) from None
        except UnexpectedModelBehavior:
            raise make_break_failure(self._meter.name) from None


def _read_usage(answer: ModelResponse, at_most: Tokens) -> Tokens:
    """Return the tokens that the provider reports, within what they can be."""
    usage = answer.usage
    reported = {name: getattr(usage, name) for name in Tokens.model_fields}
    most = dict.fromkeys(reported, at_most.input_tokens) | {"output_tokens": at_most.output_tokens}
    used = {name: min(max(0, count), most[name]) for name, count in reported.items()}
    if used != reported:
        _log.warning("%s reports impossible counts of tokens: %s", answer.model_name, reported)
    return Tokens(**used)


def _limit_tokens(messages: list[ModelMessage], parameters: ModelRequestParameters) -> Tokens:
    """Return an upper bound of the tokens of a call. No token is shorter than a byte.

    All of them may be written to a cache, for which some providers charge more.
    """
    most = len(ModelMessagesTypeAdapter.dump_json(messages)) + len(repr(parameters).encode())
    return Tokens(input_tokens=most, cache_write_tokens=most, output_tokens=MAX_ANSWER_TOKENS)
