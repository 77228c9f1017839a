"""The JSON Schema of a strategy file, for editors: `python -m quant.strategy.schema`."""

import json
import sys
from typing import Any

from quant.messages.strategy import StrategySpec


def strategy_schema() -> dict[str, Any]:
    """Return the schema (draft 2020-12) that every valid strategy file satisfies."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **StrategySpec.model_json_schema(),
    }


if __name__ == "__main__":
    json.dump(strategy_schema(), sys.stdout, indent=2)
    sys.stdout.write("\n")
