"""The documentation and the schema of strategy files say what the code does."""

import json
import re
from pathlib import Path
from typing import Any, get_args

import jsonschema_rs
import pytest
import yaml

from errors import InvalidInput
from quant.messages.strategy import FeatureKind
from quant.strategy.files import EXAMPLES_DIR
from quant.strategy.parser import parse_strategy
from quant.strategy.schema import strategy_schema
from quant.universe.files import UniverseFile
from tests.support.documents import rows_of
from tests.support.helpers import ROOT

SMALLEST = {"name": "a", "features": [{"kind": "return", "period": 20}]}


def test_the_published_schema_is_that_of_the_code() -> None:
    published = json.loads((ROOT / "docs" / "strategy.schema.json").read_text())
    assert published == strategy_schema(), "python -m quant.strategy.schema > docs/..."


@pytest.mark.parametrize("path", sorted(EXAMPLES_DIR.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_schema_accepts_the_examples(path: Path) -> None:
    jsonschema_rs.validate(strategy_schema(), yaml.safe_load(path.read_text()))


@pytest.mark.parametrize(
    "wrong",
    [
        {"horizon": 0},
        {"treshold": 0.1},
        {"features": []},
        {"features": [{"kind": "rsi", "period": 1}]},
        {"features": [{"kind": "magic", "period": 5}]},
        {"model": {"num_leaves": 1}},
        {"positions": "short"},
        {"name": "With Spaces"},
    ],
    ids=json.dumps,
)
def test_schema_and_parser_refuse_the_same(wrong: dict[str, Any]) -> None:
    content = SMALLEST | wrong
    assert not jsonschema_rs.is_valid(strategy_schema(), content)
    with pytest.raises(InvalidInput):
        parse_strategy(yaml.safe_dump(content))


def test_every_kind_of_feature_is_documented() -> None:
    documented = [row[0].strip("`") for row in rows_of("strategies.md", "Kinds of features")]
    assert documented == list(get_args(FeatureKind))


def test_every_field_is_documented_with_its_default_limits_and_meaning() -> None:
    documented = {
        row[0].strip("`"): (row[1], row[2], row[3], row[4])
        for row in rows_of("strategies.md", "Fields")
    }
    expected = dict(fields(strategy_schema()))
    assert documented == {
        # Patterns and lists of values are worded for people.
        name: (kind, default, documented[name][2] if limits is None else limits, meaning)
        for name, (kind, default, limits, meaning) in expected.items()
    }


def test_the_smallest_file_of_the_documentation_is_valid() -> None:
    page = (ROOT / "docs" / "strategies.md").read_text()
    smallest = re.findall(r"```yaml\n(name: my-trend\n.*?)```", page, re.DOTALL)
    assert len(smallest) == 1
    assert parse_strategy(smallest[0]).name == "my-trend"


def test_the_list_of_symbols_of_the_documentation_is_valid() -> None:
    page = (ROOT / "docs" / "strategies.md").read_text()
    lists = re.findall(r"```yaml\n(name: dax\n.*?)```", page, re.DOTALL)
    assert [UniverseFile.model_validate(yaml.safe_load(each)).name for each in lists] == ["dax"]


def fields(schema: dict[str, Any]) -> list[tuple[str, tuple[str, str, str | None, str]]]:
    """Return name, type, default, limits and meaning of every field, as the page words them."""
    found = []
    for name, field in schema["properties"].items():
        target = field.get("$ref")
        if target is None:
            found.append((name, row(schema, name, field)))
        else:
            definition = schema["$defs"][target.rpartition("/")[2]]
            found += [
                (f"{name}.{inner}", row(definition, inner, value))
                for inner, value in definition["properties"].items()
            ]
        if field.get("type") == "array":
            definition = schema["$defs"][field["items"]["$ref"].rpartition("/")[2]]
            found += [
                (f"{name}[].{inner}", row(definition, inner, value))
                for inner, value in definition["properties"].items()
            ]
    return found


def row(
    owner: dict[str, Any], name: str, field: dict[str, Any]
) -> tuple[str, str, str | None, str]:
    if "anyOf" in field:  # It may be left out.
        field = field | next(each for each in field["anyOf"] if each["type"] != "null")
    kind = {"array": "list"}.get(field["type"], field["type"])
    return kind, default_of(owner, name, field), limits_of(field), field["description"]


def default_of(owner: dict[str, Any], name: str, field: dict[str, Any]) -> str:
    if name in owner.get("required", []):
        return "required"
    default = field["default"]
    if default is None or isinstance(default, bool):
        return {None: "none", False: "false", True: "true"}[default]
    if isinstance(default, str):
        return f"`{default}`" if default else "empty"
    return f"{default:g}"


def limits_of(field: dict[str, Any]) -> str | None:
    if field["type"] == "array":
        return f"{field['minItems']} to {field['maxItems']}"
    if field["type"] == "boolean":
        return None
    if field["type"] == "string":
        return f"{field['maxLength']:,} characters" if "maxLength" in field else None
    low = (
        f"{field['minimum']:g}"
        if "minimum" in field
        else f"more than {field['exclusiveMinimum']:g}"
    )
    high = (
        f"{field['maximum']:,g}"
        if "maximum" in field
        else f"less than {field['exclusiveMaximum']:g}"
    )
    return f"{low} to {high}"
