"""`Dockerfile`: what the image is made of."""

import ast
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import NamedTuple

from tests.compose.composition import OURS, SERVICES
from tests.support.helpers import ROOT

PACKAGES = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "bench"}


class Instruction(NamedTuple):
    """One of the Dockerfile."""

    name: str
    arguments: str


def instructions() -> list[Instruction]:
    """Return what the Dockerfile does; a comment does nothing."""
    text = re.sub(r"^\s*#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    lines = text.replace("\\\n", " ").splitlines()
    return [Instruction(*line.split(maxsplit=1)) for line in lines if line.strip()]


def of(name: str, within: list[Instruction] | None = None) -> list[str]:
    """Return the arguments of all instructions of a name."""
    return [each.arguments for each in within or instructions() if each.name == name]


def last_stage() -> list[Instruction]:
    """Return what makes the image itself."""
    all_of_them = instructions()
    begin = max(at for at, each in enumerate(all_of_them) if each.name == "FROM")
    return all_of_them[begin:]


def sources() -> list[Path]:
    """Return all modules that are not for tests and benchmarks."""
    inside = [path for folder in PACKAGES for path in (ROOT / folder).rglob("*.py")]
    return [*ROOT.glob("*.py"), *inside]


def test_all_stages_start_from_the_same_image_for_ever() -> None:
    base, *derived = [arguments.partition(" ")[0] for arguments in of("FROM")]
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-bookworm@sha256:[0-9a-f]{64}", base)
    assert set(derived) <= {"base", "dependencies"}


def test_nothing_runs_as_root() -> None:
    [user] = of("USER", last_stage())
    [made] = [line for line in of("RUN", last_stage()) if "useradd" in line]
    found = re.search(r"useradd --uid (\d+) .*?(\w+)$", made)
    assert found is not None
    assert found[2] == user
    assert {SERVICES[name]["user"] for name in OURS} == {f"{found[1]}:{found[1]}"}


def test_the_image_has_all_that_is_imported_and_copies_what_exists() -> None:
    assert any("libgomp1" in line for line in of("RUN", last_stage()))
    copied = {
        part.rstrip("/")
        for arguments in of("COPY")
        if not arguments.startswith("--from")
        for part in arguments.split()[:-1]
    }
    kept = set(re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE))
    assert copied == kept
    assert all((ROOT / part).exists() for part in copied)
    assert copied >= PACKAGES


def pinned(lock: str) -> dict[str, str]:
    """Return the versions in a lock, by distribution."""
    found = re.findall(r"^([\w.-]+)==(\S+)", (ROOT / lock).read_text(), re.MULTILINE)
    return dict(found)


def test_the_image_has_what_its_lock_pins() -> None:
    [installed, _] = [line for line in of("RUN") if "--require-hashes" in line]
    assert "-r requirements.lock" in installed


def test_what_is_installed_has_all_modules(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    [wheel] = tmp_path.iterdir()
    with zipfile.ZipFile(wheel) as opened:
        installed = set(opened.namelist())
    assert {str(path.relative_to(ROOT)) for path in sources()} <= installed


def test_all_that_our_code_imports_is_in_the_image() -> None:
    names = {name for path in sources() for name in imported(ast.parse(path.read_text()))}
    theirs = names - sys.stdlib_module_names - PACKAGES - {path.stem for path in ROOT.glob("*.py")}
    assert {"temporalio", "opentelemetry", "yfinance"} <= theirs
    image = pinned("requirements.lock").keys()
    distributions = packages_distributions()
    missing = {
        name
        for name in theirs
        if not {re.sub(r"[-_.]+", "-", each).lower() for each in distributions[name]} & image
    }
    assert not missing


def imported(module: ast.Module) -> Iterator[str]:
    """Yield the top-level packages that a module imports anywhere in it."""
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]
