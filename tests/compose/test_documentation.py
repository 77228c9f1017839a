"""The documented commands for an installation are those that the container tests execute."""

from pathlib import Path

from tests.container.documentation import sections
from tests.support.helpers import ROOT


def test_every_command_for_an_installation_is_executed_by_a_test() -> None:
    about_containers = {
        heading
        for heading, blocks in sections().items()
        if any("docker compose" in block for block in blocks)
    }
    assert len(about_containers) >= 7
    tests = "".join(path.read_text() for path in Path(ROOT / "tests/container").glob("*.py"))
    assert not {heading for heading in about_containers if f'"{heading}"' not in tests}
