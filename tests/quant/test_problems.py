"""What is said of a value that is not valid."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from api.auth.keys import KeyName
from api.schedules.ids import ScheduleId
from errors import InvalidInput
from quant.messages.data import Symbol, Timeframe
from quant.messages.strategy import StrategyName, StrategySpec
from quant.problems import MOST_PROBLEMS, list_problems
from quant.strategy.lines import find_lines
from quant.strategy.parser import parse_strategy
from quant.suggestions import list_fields, suggest
from workflows.interface.owned import Owner


@pytest.mark.parametrize("kind", [Owner, Symbol, Timeframe, StrategyName, KeyName, ScheduleId])
@pytest.mark.parametrize("value", ["", "../x", 5])
def test_a_name_is_refused_in_words_and_published_as_a_pattern(kind: Any, value: object) -> None:
    adapter: TypeAdapter[str] = TypeAdapter(kind)
    with pytest.raises(ValidationError) as refusal:
        adapter.validate_python(value)
    [(_, said)] = list_problems(refusal.value)
    assert said.startswith("must be ")
    pattern = adapter.json_schema()["pattern"]
    assert pattern.startswith("^")
    assert pattern not in said


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("RSl", "; did you mean rsi?"),
        ("bolinger", "; did you mean bollinger?"),
        ("elephant", ""),
        ("r" * 1000, ""),
        (5, ""),
        (None, ""),
    ],
)
def test_only_what_is_close_is_suggested(word: object, meant: str) -> None:
    assert suggest(word, ["rsi", "return", "bollinger"]) == meant


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("stop_loss", 0, "must be more than 0, not 0"),
        ("stop_loss", 1.0, "must be less than 1, not 1.0"),
        ("volatility_target", 2.5, "must be at most 1, not 2.5"),
        ("max_holding", 0, "must be at least 1, not 0"),
        ("max_holding", -(2**31) - 1, "must be at least 1, not -2147483649"),
        ("max_holding", -(10**400), "must be at least 1"),
        ("weights", "by_size", "must be 'equal' or 'inverse_volatility', not 'by_size'"),
        ("weights", "x" * 1000, "must be 'equal' or 'inverse_volatility'"),
        ("weights", "a\x1bb", "must be 'equal' or 'inverse_volatility'"),
        ("weights", ["equal"], "must be 'equal' or 'inverse_volatility'"),
    ],
)
def test_a_short_value_is_named(field: str, value: object, said: str) -> None:
    features = [{"kind": "rsi", "period": 14}]
    with pytest.raises(ValidationError) as refusal:
        StrategySpec.model_validate({"name": "x", "features": features, field: value})
    assert list_problems(refusal.value) == [(field, said)]


def test_fields_are_suggested_where_they_belong() -> None:
    assert "horizon" in list_fields(StrategySpec, [])
    assert list_fields(StrategySpec, ["features", 3]) == [
        "kind",
        "period",
        "timeframe",
        "relative",
    ]
    assert "num_leaves" in list_fields(StrategySpec, ["model"])
    assert list_fields(StrategySpec, ["name"]) == []


def test_lines_are_those_of_the_fields() -> None:
    text = (
        b"name: x\na.b: 1\nfeatures:\n  - kind: rsi\n    period: 1\n  - {}\nmodel:\n  c: {d: 2}\n"
    )
    fields = ["name", "a.b", "features.0.period", "features.1.kind", "model.c.d", "missing"]
    assert find_lines(text, fields) == [1, 2, 5, 6, 8, 1]


def test_problems_stand_in_the_order_of_their_lines_and_are_bounded() -> None:
    text = "featurs: []\n" + "".join(f"x{number}: 1\n" for number in range(4000))
    with pytest.raises(InvalidInput, match=r"and 3,9\d\d more") as refusal:
        parse_strategy(text)
    problems = refusal.value.problems
    assert len(problems) == MOST_PROBLEMS
    lines = [each.line for each in problems]
    assert lines == sorted(lines, key=lambda line: line or 0)
    assert "did you mean features?" in " ".join(each.message for each in problems)
    assert refusal.value.message.startswith(f"{problems[0].field}: {problems[0].message}")
