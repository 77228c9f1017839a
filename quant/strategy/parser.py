"""Reads a strategy from YAML text, strictly."""

import json
from typing import Any, Final

from pydantic import ValidationError

from errors import InvalidInput
from quant.messages.strategy import StrategySpec
from quant.problems import join_problems, list_problems, shorten
from quant.strict_yaml import InvalidYaml, read_yaml

MAX_BYTES: Final = 64 * 1024


def parse_strategy(text: bytes | str) -> StrategySpec:
    """Parse the content of a strategy file.

    Raises:
        InvalidInput: The text is too large, not UTF-8, not YAML, or not a strategy. `field` is the
            path of the invalid field, such as `features.0.period`.
    """
    encoded = text.encode(errors="surrogatepass") if isinstance(text, str) else text
    try:
        content = read_yaml(encoded, MAX_BYTES)
    except InvalidYaml as error:
        raise InvalidInput(str(error), field="strategy") from error
    if not isinstance(content, dict):
        raise InvalidInput(
            "A strategy must be a mapping with name, features and so on.", field="strategy"
        )
    return validate_strategy(content)


def validate_strategy(content: dict[Any, Any]) -> StrategySpec:
    """Validate the parsed content of a strategy file.

    Raises:
        InvalidInput: It is not a strategy. The message lists the problems; `field` is the path of
            the first.
    """
    try:
        # Strict validation takes a list for a tuple in JSON, but not in Python objects.
        plain = json.dumps(content, default=str, ensure_ascii=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidInput(
            "All field names and texts must be plain text, and all numbers short.",
            field="strategy",
        ) from error
    try:
        return StrategySpec.model_validate_json(plain, strict=True)
    except ValidationError as error:
        found = [(field or "strategy", said) for field, said in list_problems(error)]
        raise InvalidInput(join_problems(found), field=shorten(found[0][0])) from error
