"""The command."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.main import app
from tests.support.helpers import free_port


@pytest.fixture
def ktrdr(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The command with bars of its own and nothing behind its API."""
    monkeypatch.setenv("KTRDR_DATA_DIR", str(tmp_path / "bars"))
    monkeypatch.setenv("KTRDR_API_PORT", str(free_port()))
    monkeypatch.delenv("KTRDR_API_URL", raising=False)
    runner = CliRunner()
    return lambda *arguments: runner.invoke(app, arguments)
