import subprocess
import sys
from pathlib import Path

import pytest

from errors import InvalidInput, UnknownStrategy
from quant.strategy.files import EXAMPLES_DIR, list_strategies, load_strategy
from quant.strategy.parser import MAX_BYTES, parse_strategy
from tests.support.helpers import ROOT

MINIMAL = """
name: mine
description: One feature.
features:
  - {kind: rsi, period: 14}
"""


def test_a_minimal_strategy_has_defaults_for_the_rest() -> None:
    spec = parse_strategy(MINIMAL)
    assert spec.name == "mine"
    assert spec.features[0].period == 14
    assert spec.positions == "long_short"


@pytest.mark.parametrize("name", ["mean-reversion", "momentum", "volatility-breakout"])
def test_examples_are_valid(name: str) -> None:
    assert load_strategy(name, None).name == name


@pytest.mark.parametrize(
    ("text", "field", "message"),
    [
        (MINIMAL.replace("14", "1"), "features.0.period", "must be at least 2"),
        (MINIMAL.replace("14", "yes"), "features.0.period", "whole number"),
        (MINIMAL.replace("14", "'14'"), "features.0.period", "whole number"),
        (MINIMAL.replace("rsi", "magic"), "features.0.kind", "'return', 'rsi'"),
        (MINIMAL + "leverage: 5", "leverage", "is not known"),
        (MINIMAL + "model: {num_leavs: 5}", "model.num_leavs", "is not known"),
        (MINIMAL + "threshold: .nan", "threshold", "finite number"),
        (MINIMAL + "costs: {slippage: .inf}", "costs.slippage", "finite number"),
        (MINIMAL.replace("mine", "../mine"), "name", "does not match"),
        (MINIMAL.replace("mine", "2001-01-01 00:00:00"), "name", "does not match"),
        (MINIMAL + "2001-01-01: 1", "2001-01-01", "is not known"),
        (MINIMAL.replace("One feature.", '"\\ud800"'), "strategy", "plain text"),
        ("", "strategy", "must be a mapping"),
        ("- a\n- b", "strategy", "must be a mapping"),
        ("{}", "name", "is missing"),
        (MINIMAL.split("features", maxsplit=1)[0] + "features: []", "features", "at least 1 entry"),
    ],
)
def test_invalid_strategies_are_refused_with_the_path(text: str, field: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message) as refusal:
        parse_strategy(text)
    assert refusal.value.field == field


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(InvalidInput) as refusal:
        parse_strategy("name: mine\nfeatures: []\nhorizon: 0\npositions: both\n")
    assert refusal.value.field == "features"
    assert [problem.split(":")[0] for problem in refusal.value.message.split("; ")] == [
        "features",
        "horizon",
        "positions",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (MINIMAL + "name: again", "line 6: name appears twice"),
        (MINIMAL + "model: {num_leaves: 5, num_leaves: 6}", "num_leaves appears twice"),
        ("a: &a [1]\nb: *a", "line 2: aliases are not allowed"),
        ("a: !!python/object/apply:os.system [ls]", "tags are not allowed"),
        ("a: !unknown 1", "tags are not allowed"),
        ("a: !!int ''", "tags are not allowed"),
        ("[" * 10_000, "nested too deeply"),
        ("a: [1", "line 1"),
        ("<<: {name: mine}", "merge keys are not allowed"),
        (f"a: {'9' * 5000}", "the number is too long"),
        (f"a: 0x{'f' * 5000}", "the number is too long"),
        (f"a: {':'.join(['1'] * 5000)}", "the number is too long"),
        (f"a: {'9' * 5000}.5", "the number is too long"),
        ("a: 1\n---\nb: 2", "another document"),
        ("? [a]\n: 1", "unhashable key"),
        ("a: \x07", "unacceptable character"),
    ],
)
def test_what_is_not_plain_yaml_is_refused(text: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message) as refusal:
        parse_strategy(text)
    assert refusal.value.field == "strategy"


def test_invalid_utf8_is_refused_with_the_line() -> None:
    with pytest.raises(InvalidInput, match="Line 2 is not valid UTF-8"):
        parse_strategy(b"name: mine\ndescription: \xff\xfe")


@pytest.mark.parametrize("text", ["#" * (MAX_BYTES + 1), b"#" * (MAX_BYTES + 1)])
def test_files_beyond_the_size_limit_are_refused(text: str | bytes) -> None:
    with pytest.raises(InvalidInput, match="at most 65,536 bytes"):
        parse_strategy(text)


def test_a_file_of_the_user_wins_over_an_example(tmp_path: Path) -> None:
    (tmp_path / "momentum.yaml").write_text(MINIMAL.replace("mine", "momentum"))
    assert load_strategy("momentum", tmp_path).description == "One feature."


def test_a_name_that_differs_from_the_file_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text(MINIMAL)
    with pytest.raises(InvalidInput, match=r"other\.yaml: name: must be other") as refusal:
        load_strategy("other", tmp_path)
    assert refusal.value.field == "name"


def test_complaints_name_the_file_but_not_its_directory(tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("a: [")
    with pytest.raises(InvalidInput) as refusal:
        load_strategy("broken", tmp_path)
    assert refusal.value.message.startswith("broken.yaml: Not valid YAML")
    assert str(tmp_path) not in refusal.value.message


def test_an_unknown_strategy_lists_those_that_exist(tmp_path: Path) -> None:
    (tmp_path / "mine.yml").write_text(MINIMAL)
    with pytest.raises(
        UnknownStrategy, match="mean-reversion, mine, momentum, volatility-breakout"
    ) as refusal:
        load_strategy("yours", tmp_path)
    assert refusal.value.field == "strategy"


@pytest.mark.parametrize(
    "name", ["../mine", "../../etc/passwd", "/etc/passwd", "..", "", "mine.yaml", "a\0b"]
)
def test_names_that_are_paths_are_unknown(tmp_path: Path, name: str) -> None:
    inside = tmp_path / "strategies"
    inside.mkdir()
    (tmp_path / "mine.yaml").write_text(MINIMAL)
    (inside / "mine.yaml").symlink_to(tmp_path / "mine.yaml")
    for unknown in (name, "mine"):
        with pytest.raises(UnknownStrategy):
            load_strategy(unknown, inside)


def test_listing_shows_invalid_files_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(MINIMAL)
    (tmp_path / "broken.yaml").write_text("name: broken")
    (tmp_path / "Not A Name.yaml").write_text(MINIMAL)
    entries = {entry.name: entry for entry in list_strategies(tmp_path)}
    assert list(entries) == ["broken", "mean-reversion", "mine", "momentum", "volatility-breakout"]
    assert entries["mine"].description == "One feature."
    assert not entries["mine"].built_in
    assert entries["momentum"].built_in
    assert entries["broken"].invalid == "broken.yaml: features: is missing"
    assert all(entry.invalid is None for entry in list_strategies(None))


def test_examples_have_nothing_but_strategies() -> None:
    assert {path.suffix for path in EXAMPLES_DIR.iterdir()} == {".yaml"}


def test_listing_bars_and_strategies_needs_no_numerical_library() -> None:
    code = (
        "import sys, quant.bars.catalog, quant.strategy.files; "
        "heavy = {'numpy', 'pandas', 'lightgbm', 'arch', 'talib', 'pyarrow'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    root = ROOT
    output = subprocess.check_output([sys.executable, "-c", code], cwd=root, text=True)
    assert output == "[]\n"
