"""The locks: what is installed where, and for which Pythons.

That all pins have wheels for these Pythons asks an index, and is `make lock-check`.
"""

import re
import tomllib
from typing import NamedTuple

import pytest
import yaml

from tests.support.helpers import ROOT

LOCKS = sorted(path.name for path in ROOT.glob("requirements*.lock"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
EXTRAS: dict[str, list[str]] = PROJECT["project"]["optional-dependencies"]


class Pin(NamedTuple):
    """One version of a package, and where it is used."""

    version: str
    marker: str


def pins(lock: str) -> dict[str, list[Pin]]:
    """Return what a lock pins, by distribution. Anything that is no pin with hashes is refused."""
    found: dict[str, list[Pin]] = {}
    text = (ROOT / lock).read_text()
    for entry in re.split(r"\n(?=\S)", text.strip()):
        parsed = re.fullmatch(
            r"([a-z0-9.-]+)==([^\s;]+)( ; [^\\]+)?((?: \\\n    --hash=sha256:[0-9a-f]{64})+)", entry
        )
        assert parsed is not None, entry
        found.setdefault(parsed[1], []).append(Pin(parsed[2], parsed[3] or ""))
    return found


def names(requirements: list[str]) -> set[str]:
    """Return the normalised names of requirements."""
    return {re.split(r"[\[<>=~! ]", each)[0].lower().replace("_", "-") for each in requirements}


@pytest.mark.parametrize("lock", LOCKS)
def test_all_that_is_installed_is_part_of_what_is_tested(lock: str) -> None:
    tested = pins("requirements-dev.lock")
    assert pins(lock).items() <= tested.items()


def test_every_python_computes_with_the_same_versions() -> None:
    several = {name for name, each in pins("requirements-embedded.lock").items() if len(each) > 1}
    assert not several


def test_who_runs_ktrdr_installs_nothing_that_only_tests_need() -> None:
    embedded = pins("requirements-embedded.lock").keys()
    runtime = names(PROJECT["project"]["dependencies"])
    wanted = runtime | names([*EXTRAS["embedded"], *EXTRAS["tracing"], *EXTRAS["yahoo"]])
    assert wanted <= embedded
    assert not (names(EXTRAS["dev"]) - runtime) & embedded


def test_an_installation_with_a_server_of_its_own_has_neither_another_nor_tools_to_build() -> None:
    image = pins("requirements.lock").keys()
    others = names([*EXTRAS["embedded"], *EXTRAS["dev"], *PROJECT["dependency-groups"]["build"]])
    assert not (others - names(PROJECT["project"]["dependencies"])) & image


def test_one_range_of_pythons_is_named_everywhere() -> None:
    stated = re.fullmatch(r">=3\.(\d+),<3\.(\d+)", PROJECT["project"]["requires-python"])
    assert stated is not None
    minors = range(int(stated[1]), int(stated[2]))
    [workflow] = (ROOT / ".github" / "workflows").iterdir()
    matrix = yaml.safe_load(workflow.read_text())["jobs"]["run"]["strategy"]["matrix"]
    assert matrix["python"] == [f"3.{minor}" for minor in minors]
    assert PROJECT["tool"]["ruff"]["target-version"] == f"py3{minors[0]}"
    assert f"--python-version 3.{minors[0]} " in (ROOT / "Makefile").read_text()
    readme = (ROOT / "README.md").read_text().replace("\n", " ")
    assert f"Python 3.{minors[0]} to 3.{minors[-1]}" in readme
