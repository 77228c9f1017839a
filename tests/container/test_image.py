"""What is in the image, and what a release moves."""

from pathlib import Path
from typing import Final

import pytest

from tests.container.commands import run
from tests.container.engine import Engine
from tests.container.images import FIRST_BUILD as IMAGE
from tests.container.images import SECONDS_TO_BUILD, inspected

pytestmark = pytest.mark.timeout(1800)

MEGABYTE: Final = 1_000_000

IMPORT_EVERYTHING: Final = """
import importlib, pathlib
names = [path.relative_to("/app").with_suffix("") for path in pathlib.Path("/app").rglob("*.py")]
for name in names:
    if name.name not in {"__main__", "env"} and "versions" not in name.parts:
        importlib.import_module(".".join(name.parts).removesuffix(".__init__"))
print(len(names))
"""


def test_the_image_is_small(engine: Engine, images: Path) -> None:
    assert images.exists()
    assert inspected(engine, IMAGE)["Size"] <= 800 * MEGABYTE


def test_the_image_has_neither_a_server_nor_pip_nor_tests_of_libraries(
    engine: Engine, images: Path
) -> None:
    assert images.exists()
    absent = (
        "! command -v temporal && ! command -v pip && ! python -c 'import pip' 2>/dev/null"
        ' && test -z "$(find /venv -type d -name tests)"'
    )
    engine.docker("run", "--rm", IMAGE, "sh", "-c", absent)


def test_everything_in_the_image_can_be_imported(engine: Engine, images: Path) -> None:
    assert images.exists()
    confined = ("run", "--rm", "--read-only", "--tmpfs", "/tmp", "--network", "none")
    assert int(engine.docker(*confined, IMAGE, "python", "-c", IMPORT_EVERYTHING)) > 100


def test_a_release_moves_megabytes(engine: Engine, images: Path) -> None:
    changed = images / "quant/__init__.py"
    before = changed.read_text()
    try:
        changed.write_text(before + "\n# A release.\n")
        tag = "ktrdr:a-release"
        run(
            *("docker", "build", "--tag", tag, "."),
            within=SECONDS_TO_BUILD,
            environment=engine.environment,
            directory=images,
        )
    finally:
        changed.write_text(before)
    layers = [inspected(engine, image)["RootFS"]["Layers"] for image in (IMAGE, tag)]
    shared = [one for one, other in zip(*layers, strict=True) if one == other]
    assert len(shared) == len(layers[0]) - 1
    history = engine.docker("history", "--human=false", "--format", "{{.Size}} {{.CreatedBy}}", tag)
    [moved] = [line for line in history.splitlines() if "COPY /app" in line]
    assert int(moved.split()[0]) < 10 * MEGABYTE
