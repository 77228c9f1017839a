"""Images: a base by debootstrap, ours from the real Dockerfile, stand-ins for the others."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from tests.compose.composition import SERVICES
from tests.container.base import archive
from tests.container.commands import run
from tests.container.engine import Engine
from tests.support.helpers import ROOT

FIRST_BUILD: Final = "ktrdr:first-build"

_STAND_INS: Final = Path(__file__).with_name("stand_ins")
_PATH: Final = "PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_TEMPORAL: Final = ROOT / ".venv/bin/temporal"
SECONDS_TO_BUILD: Final = 1200.0


def import_base(engine: Engine, root: Path, *names: str) -> None:
    """Make an image of a root file system, under these names."""
    first, *others = names
    with archive(root) as packed:
        assert packed.stdout is not None
        run(
            *("docker", "import", "--change", f"ENV {_PATH}", "-", first),
            environment=engine.environment,
            input_from=packed.stdout,
        )
    for name in others:
        engine.docker("tag", first, name)


def inspected(engine: Engine, image: str) -> dict[str, Any]:
    """Return what the engine knows of an image."""
    [found] = json.loads(engine.docker("image", "inspect", image))
    return dict(found)


def base_of(dockerfile: Path) -> str:
    """Return the image on which a Dockerfile builds, without its digest."""
    found = re.search(r"^FROM ([^@\s]+)", dockerfile.read_text(), re.MULTILINE)
    assert found is not None
    return found[1]


def stood_in() -> dict[str, str]:
    """Return the images that docker-compose.yml takes from elsewhere, with the target of each."""
    images = {service["image"] for service in SERVICES.values()}
    foreign = {image for image in images if not image.startswith("ktrdr:")}
    return {image: image.partition(":")[0].rpartition("/")[2] for image in sorted(foreign)}


def build_stand_ins(engine: Engine, context: Path) -> None:
    """Build an image for each that docker-compose.yml names and that cannot be had here."""
    shutil.copytree(_STAND_INS, context)
    shutil.copy(_TEMPORAL, context / "temporal")
    for image, target in stood_in().items():
        engine.docker(
            *("build", "--target", target, "--tag", image, str(context)), within=SECONDS_TO_BUILD
        )


def checkout(directory: Path) -> Path:
    """Copy this checkout to where an operator would have it; bases have no digest there."""
    listed = ("git", "ls-files", "--cached", "--others", "--exclude-standard", "-z")
    for name in run(*listed, directory=ROOT).split("\0"):
        if name and (ROOT / name).is_file():
            (directory / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, directory / name)
    dockerfile = directory / "Dockerfile"
    # Only a registry knows digests.
    dockerfile.write_text(re.sub(r"@sha256:[0-9a-f]{64}", "", dockerfile.read_text()))
    return directory


@contextmanager
def built_meanwhile(engine: Engine, directory: Path, image: str) -> Iterator[None]:
    """Build the image of the Dockerfile in a directory, while the block does something else."""
    with (directory.parent / "build.log").open("w+") as log:
        command = ["docker", "build", "--progress=plain", "--tag", image, "."]
        with subprocess.Popen(
            command, cwd=directory, env=engine.environment, stdout=log, stderr=subprocess.STDOUT
        ) as build:
            try:
                yield
                code = build.wait(SECONDS_TO_BUILD)
            finally:
                build.kill()
        assert code == 0, Path(log.name).read_text()[-8000:]
