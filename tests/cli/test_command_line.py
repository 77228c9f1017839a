"""What the `ktrdr` command does by itself, without any stack."""

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from rich.console import Console

from cli.export import explain_write_errors
from cli.follow import follow_to_end
from cli.main import app
from cli.service.client import Api
from cli.service.transport import ApiUnreachable
from errors import InvalidInput
from settings import Settings
from tests.support.helpers import ROOT, free_port

ID = "op_agent_research_20261125_121439_5b290c3f"


def test_the_command_starts_without_the_libraries_of_servers_and_numbers() -> None:
    heavy = {"fastapi", "google.protobuf", "numpy", "pandas", "pyarrow", "sqlalchemy", "temporalio"}
    program = f"import sys, cli.main; print(*{heavy} & set(sys.modules))"
    imported = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=60
    )
    assert imported.stdout.split() == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("compare", ID), "at least two"),
        (("compare", ID, ID), "twice"),
        (("cancel", "--all"), "--owner or --symbol"),
    ],
)
def test_a_request_without_sense_is_refused_before_it_is_sent(
    ktrdr: Any, arguments: tuple[str, ...], message: str
) -> None:
    refused = ktrdr(*arguments)
    assert refused.exit_code == 1
    assert message in refused.stderr


def test_what_is_typed_wins_over_the_environment(
    ktrdr: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KTRDR_API_URL", f"http://127.0.0.1:{free_port()}/environment")
    port = str(free_port())
    assert "/environment" in ktrdr("status").stderr
    assert f"localhost:{port}" in ktrdr("--port", port, "status").stderr
    typed = f"http://127.0.0.1:{port}/typed"
    assert typed in ktrdr("--port", port, "--url", typed, "status").stderr


def test_following_ends_at_once_if_there_was_never_an_api() -> None:
    settings = Settings()
    with pytest.raises(ApiUnreachable, match="`make up` starts one"):
        follow_to_end(
            Api(f"http://127.0.0.1:{free_port()}", settings), ID, Console(file=io.StringIO())
        )


@pytest.mark.parametrize("place", ["nosuch/report.html", "file/report.html", "."])
def test_a_file_that_cannot_be_written_is_one_sentence(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").touch()
    path = tmp_path / place
    with (
        pytest.raises(InvalidInput, match=r"--output: .* cannot be written: ") as refusal,
        explain_write_errors("--output", path),
    ):
        path.write_bytes(b"")
    assert refusal.value.field == "output"


def test_the_state_directory_is_the_same_wherever_a_command_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert Settings().home == ROOT / "var"
    assert Settings().data_dir == ROOT / "var" / "data"
    # As in an installed wheel, beside which there is no checkout.
    monkeypatch.setattr("settings.__file__", str(tmp_path / "settings.py"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert Settings().home == tmp_path / "state" / "ktrdr"
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "ann"))
    assert Settings().home == tmp_path / "ann" / ".local" / "state" / "ktrdr"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("cancel", ID, "--dry-run"), "--dry-run has no effect"),
        (("experiments", ID, "--symbol", "SP500"), "--symbol has no effect"),
        (("experiments", "--export", "x.csv", "--limit", "3"), "--limit has no effect"),
        (("cancel", ID, "--owner", "ann"), "--all"),
        (("cancel", "--all", "--owner", "ann", "--force"), "--force"),
        (("--port", "8001", "up"), "up asks no API"),
        (("--url", "http://127.0.0.1:1", "admin", "versions"), "admin asks no API"),
        (("--port", "8001", "research", "--embedded"), "--embedded"),
    ],
)
def test_an_option_without_effect_is_refused(
    ktrdr: Any, arguments: tuple[str, ...], message: str
) -> None:
    refusal = ktrdr(*arguments)
    assert refusal.exit_code == 2
    assert message in refusal.stderr


def test_a_schedule_has_all_options_of_a_research() -> None:
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    of_research = {each.name for each in commands["research"].params}
    of_schedule = {each.name for each in commands["schedule"].commands["create"].params}
    assert of_research - of_schedule == {"follow", "embedded", "dry_run"}
    assert {"goal", "designer", "memory", "min_sharpe", "bypass_gates"} <= of_schedule


def test_the_help_of_a_research_lists_the_words_of_a_brief(ktrdr: Any) -> None:
    shown = " ".join(ktrdr("research", "--help").stdout.split())
    for word in ("momentum", "contrarian", "Bollinger", "long only", "15 minute"):
        assert word in shown
