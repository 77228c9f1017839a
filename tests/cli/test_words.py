"""How the command speaks: help, refusals, progress and suggestions."""

import io
import json
import os
import signal
import subprocess
import sys
from importlib.metadata import version
from typing import Any

import pytest
import typer
from fastapi import Request
from fastapi.responses import JSONResponse
from rich.console import Console
from typer.main import get_command
from typer.testing import CliRunner

from cli.follow import make_bars
from cli.input.labels import Labels
from cli.links import keep_working
from cli.main import app
from cli.render.suggestions import suggest_next
from cli.render.terminal.prose import print_prose
from cli.service.transport import ProblemOfField
from tests.cli.answering import answering
from tests.support.helpers import KTRDR, free_port
from workflows.interface.contract import OperationInfo, OperationStatus, OperationType

ID = "op_agent_research_20261125_121439_5b290c3f"


def commands(command: Any, path: tuple[str, ...] = ()) -> Any:
    yield path, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from commands(inner, (*path, name))


ALL = dict(commands(get_command(app)))


def labels(*path: str) -> Labels:
    return Labels.of(ALL[path].params)


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_h_is_help_and_f_is_follow_everywhere(path: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(app, [*path, "-h"])
    assert shown.exit_code == 0
    assert "Usage" in shown.stdout
    short = [each.opts for each in ALL[path].params if "-f" in each.opts]
    assert all("--follow" in opts for opts in short)
    follows = [each.opts for each in ALL[path].params if "--follow" in each.opts]
    assert all("-f" in opts for opts in follows)


def test_the_version_is_told() -> None:
    assert CliRunner().invoke(app, ["--version"]).stdout == f"ktrdr {version('ktrdr')}\n"


def test_a_shell_completes_commands() -> None:
    environment = os.environ | {
        "_KTRDR_COMPLETE": "complete_bash",
        "COMP_WORDS": "ktrdr lea",
        "COMP_CWORD": "1",
    }
    completed = subprocess.run(
        [KTRDR], env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    assert completed.stdout.split() == ["leaderboard"]


def test_help_says_the_defaults_of_the_api(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    shown = CliRunner().invoke(app, ["research", "--help"]).stdout
    for default in ("(SP500)", "(12)", "(search)", "(0.6)", "(-2.0)"):
        assert f"[default: {default}]" in shown


def test_ctrl_c_while_it_loads_ends_the_command_without_a_word() -> None:
    program = """
import os, signal, sys
class Interrupt:
    def find_spec(self, name, *_):
        if name == "cli.main":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupt())
# A shell switches it off for what it starts in the background.
signal.signal(signal.SIGINT, signal.default_int_handler)
from cli.__main__ import main
main()
"""
    ended = subprocess.run(
        [sys.executable, "-c", program, "status"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (-signal.SIGINT, "", "")


@pytest.mark.parametrize(
    ("path", "field", "label"),
    [
        (("research",), "trials", "--trials"),
        (("research",), "brief", "GOAL"),
        (("research",), "max_cost", "--max-cost"),
        (("research",), "gates.backtest.trades", "--min-trades"),
        (("research",), "gates.training.excess_log_loss", "--max-excess-log-loss"),
        (("train",), "strategy_name", "STRATEGY"),
        (("schedule", "create"), "interval_seconds", "--every"),
        (("schedule", "create"), "time_zone", "--timezone"),
        (("schedule", "create"), "research.symbol", "--symbol"),
        (("campaign", "start"), "briefs", "--goals"),
        (("campaign", "start"), "symbols", "--each-symbol"),
        (("campaign", "start"), "research.symbols", "--symbols"),
        (("research",), "symbols", "--symbols"),
        (("campaign", "start"), "budget.trials", "--max-trials"),
        (("campaign", "start"), "research.trials", "--trials"),
        (("ops",), "operation_type", "--type"),
        (("status",), "operation_id", "OPERATION_ID"),
        (("status",), "unheard_of", "unheard_of"),
    ],
)
def test_a_field_is_called_as_it_was_typed(path: tuple[str, ...], field: str, label: str) -> None:
    assert labels(*path).get(field) == label


def test_each_problem_is_a_sentence_in_the_words_of_the_command() -> None:
    problems = [
        ProblemOfField(field="trials", message="must be at least 1"),
        ProblemOfField(field="body", message="give either `brief` or `strategy`, not both"),
    ]
    message = "; ".join(f"{each.field}: {each.message}" for each in problems)
    assert labels("research").explain(message, problems) == [
        "--trials: must be at least 1",
        "give either GOAL or --strategy, not both",
    ]
    sentence = "There is no strategy 'x'."
    alone = [ProblemOfField(field="strategy", message=sentence)]
    assert labels("research").explain(sentence, alone) == [sentence]
    in_a_file = [ProblemOfField(field="name", message="is missing", line=1)]
    assert labels("research").explain("x.yaml: name: is missing", in_a_file) == [
        "x.yaml: line 1: name: is missing"
    ]


def test_a_refusal_has_one_shape_for_programs() -> None:
    problems = [{"field": "trials", "message": "must be at least 1"}]
    refusal = {"reason": "invalid_input", "message": "trials: must be at least 1"}

    def refuse(_: Request) -> JSONResponse:
        return JSONResponse({**refusal, "errors": problems}, status_code=422)

    with answering(refuse) as address:
        runner = CliRunner()
        as_json = runner.invoke(app, ["--url", address, "research", "--json"])
        for_people = runner.invoke(app, ["--url", address, "research"])
    assert json.loads(as_json.stdout) == {
        "success": False,
        "status": "error",
        **refusal,
        "errors": problems,
    }
    assert for_people.stderr == "Error: --trials: must be at least 1\n"


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        (["ops", "--limit", "many", "--json"], "limit"),
        (["--json", "ops", "--unheard-of"], "unheard-of"),
        (["follow", "--json"], "operation_id"),
        (["cancel", "--json"], None),
        (["unheard-of", "--json"], None),
    ],
)
def test_a_usage_error_has_the_shape_of_a_refusal(typed: list[str], field: str | None) -> None:
    shown = CliRunner().invoke(app, typed)
    assert (shown.exit_code, shown.stderr) == (2, "")
    error = json.loads(shown.stdout)
    assert (error["success"], error["status"]) == (False, "error")
    assert error["reason"] == "invalid_input"
    assert [each["field"] for each in error["errors"]] == ([field] if field else [])
    for_people = CliRunner().invoke(app, [each for each in typed if each != "--json"])
    assert (for_people.exit_code, for_people.stdout) == (2, "")
    assert "Usage:" in for_people.stderr


def test_json_is_not_asked_for_after_the_end_of_options() -> None:
    shown = CliRunner().invoke(app, ["ops", "--", "--json"])
    assert shown.stdout == ""
    assert "Usage:" in shown.stderr


def test_warnings_say_options_where_the_api_says_fields() -> None:
    warning = "The features that the brief names have no effect: `features` says others."
    triggered = {
        "triggered": True,
        "operation_id": ID,
        "model": "search",
        "message": "started",
        "understood": {"symbols": ["SP500"], "timeframe": "1d"},
        "warnings": [warning],
    }
    operation = {
        "operation_id": ID,
        "operation_type": "agent_research",
        "status": "pending",
        "created_at": "2026-11-25T12:14:39Z",
        "warnings": [warning],
    }

    def answer(request: Request) -> JSONResponse:
        return JSONResponse(triggered if request.method == "POST" else {"data": operation})

    with answering(answer) as address:
        for typed in (["research", "momentum", "--feature", "rsi"], ["status", ID]):
            shown = CliRunner().invoke(app, ["--url", address, *typed])
            assert "no effect: --feature says others." in shown.stdout


def test_a_sentence_is_wrapped_between_words_and_an_id_is_never_cut() -> None:
    output = io.StringIO()
    console = Console(file=output, width=30, force_terminal=True, color_system=None)
    print_prose(console, f"A sentence with quite a few words about {ID} and others.")
    lines = output.getvalue().splitlines()
    assert ID in output.getvalue()
    assert " ".join(line.strip() for line in lines).startswith("A sentence with quite a few words")
    assert all(len(line.rstrip()) <= 30 for line in lines if ID not in line)


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_progress_fits_a_terminal_of_any_width(width: int) -> None:
    output = io.StringIO()
    console = Console(file=output, width=width, force_terminal=True, color_system=None)
    bars = make_bars(console)
    bars.add_task("  backtesting", total=100.0, completed=38, step="Training model... Fold 3 of 5")
    console.print(bars.get_renderable())
    [line] = output.getvalue().splitlines()
    assert len(line) <= width
    assert line.startswith("  backtesting")
    assert "38%" in line
    assert "Training" in line
    assert ("Fold 3" in line) == (width >= 60)


def test_a_link_that_does_not_answer_is_not_shown() -> None:
    with answering(lambda _: JSONResponse({})) as address:
        known = {"API docs": f"{address}/docs", "Logs": "/var/logs"}
        dead = {"Temporal Web UI": f"http://127.0.0.1:{free_port()}"}
        assert keep_working(known | dead) == known


@pytest.mark.parametrize(
    ("kind", "status", "suggested"),
    [
        (OperationType.RESEARCH, OperationStatus.COMPLETED, [f"ktrdr report {ID} --open"]),
        (OperationType.TRAINING, OperationStatus.COMPLETED, [f"ktrdr backtest {ID} --follow"]),
        (OperationType.BACKTEST, OperationStatus.COMPLETED, [f"ktrdr results {ID}"]),
        (
            OperationType.RESEARCH,
            OperationStatus.CANCELLED,
            [f"ktrdr resume {ID} --follow", f"ktrdr retry {ID} --follow"],
        ),
        (OperationType.RESEARCH, OperationStatus.RUNNING, []),
    ],
)
def test_what_comes_next_is_suggested(
    kind: OperationType, status: OperationStatus, suggested: list[str]
) -> None:
    operation = OperationInfo.model_validate(
        {
            "operation_id": ID,
            "operation_type": kind,
            "status": status,
            "created_at": "2026-11-25T12:14:39Z",
        }
    )
    assert suggest_next(operation) == suggested


def test_every_suggested_command_exists() -> None:
    for name in ("report", "backtest", "results", "resume", "retry", "follow", "up"):
        assert isinstance(ALL[name,], typer.core.TyperCommand)
