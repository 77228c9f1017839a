"""The wheel is the whole application: it needs no checkout."""

import subprocess
import sys
import venv
from pathlib import Path

import pytest

from bench.ports import find_free_ports
from tests.support.helpers import ROOT

pytestmark = pytest.mark.long

# Everything that a Python could find before what is installed.
SHADOWING = ("activities", "api", "cli", "quant", "storage", "temporal", "workflows")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `ktrdr` of an environment that has the wheel and the dependencies, but no checkout."""
    root = tmp_path_factory.mktemp("installed")
    run(sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(root))
    [wheel] = root.glob("ktrdr-*.whl")
    environment = root / "environment"
    venv.create(environment, with_pip=True)
    python = environment / "bin" / "python"
    run(str(python), "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", str(wheel))
    # As a plain entry of the path: what makes the checkout importable there is not followed.
    packages = [path for path in sys.path if path.endswith("site-packages")]
    [own] = environment.glob("lib/python*/site-packages")
    (own / "dependencies.pth").write_text("\n".join(packages))
    found = run(str(python), "-P", "-c", "import api, worker; print(api.__file__, worker.__file__)")
    assert str(ROOT) not in found.stdout
    return environment / "bin" / "ktrdr"


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a command in the checkout, which must succeed."""
    return subprocess.run(
        command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=100
    )


def test_a_research_runs_where_folders_have_the_names_of_our_packages(
    installed: Path, tmp_path: Path
) -> None:
    for name in SHADOWING:
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise ImportError('not ours')")
    temporal_port, ui_port, api_port = find_free_ports(3)
    research = subprocess.run(
        [installed, "research", "--embedded", "--trials", "1", "--seed", "1"],
        cwd=tmp_path,
        env={
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
            "HOME": str(tmp_path / "home"),
            "KTRDR_TEMPORAL_PORT": str(temporal_port),
            "KTRDR_UI_PORT": str(ui_port),
            "KTRDR_API_PORT": str(api_port),
        },
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert research.returncode == 0, research.stdout + research.stderr
    assert "Verdict: " in research.stdout
    state = tmp_path / "home" / ".local" / "state" / "ktrdr"
    assert f"State            {state}" in research.stdout + research.stderr
    [report] = (state / "artifacts").glob("*.assessment/report.html")
    assert report.stat().st_size
