"""What a call of a language model costs, from the published prices per token."""

from dataclasses import dataclass

from genai_prices import Usage, calc_price

from activities.llm.providers import ModelName
from errors import InvalidInput
from storage.ledger.records import Tokens

_PER_MILLION = 1_000_000


@dataclass(frozen=True)
class Prices:
    """Prices of models.

    Attributes:
        unknown_input: US dollars per million input tokens of a model without a published price.
        unknown_output: The same for output tokens.
    """

    unknown_input: float | None = None
    unknown_output: float | None = None

    def cost(self, name: ModelName, tokens: Tokens) -> float:
        """Return what these tokens cost, in US dollars.

        Raises:
            InvalidInput: The price is not known.
        """
        try:
            price = calc_price(
                Usage(**tokens.model_dump()),
                name.model,
                provider_id=name.provider,
            )
        except LookupError:
            return self._cost_at_own_price(name, tokens)
        return float(price.total_price)

    def check(self, name: ModelName) -> None:
        """Make sure that the price of this model is known.

        Raises:
            InvalidInput: It is not known. The message says what to do.
        """
        self.cost(name, Tokens())

    def _cost_at_own_price(self, name: ModelName, tokens: Tokens) -> float:
        if self.unknown_input is None or self.unknown_output is None:
            raise InvalidInput(
                f"The price of {name} is not known: set KTRDR_LLM_INPUT_PRICE and "
                "KTRDR_LLM_OUTPUT_PRICE to US dollars per million tokens (0 for your own model).",
                field="model",
            )
        return (
            tokens.input_tokens * self.unknown_input + tokens.output_tokens * self.unknown_output
        ) / _PER_MILLION
