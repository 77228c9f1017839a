"""`ktrdr artifacts`, `note`, `tag`: what is sent, and that nothing is deleted without an answer."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi import Request
from fastapi.responses import JSONResponse
from typer.testing import CliRunner, Result

from cli.main import app
from tests.cli.answering import answering

ID = "op_agent_research_20261125_121439_5b290c3f"
OTHER = "op_agent_research_20261125_121440_0a1b2c3d"

Sent = list[tuple[str, str, dict[str, str]]]
Run = Callable[..., Result]


@pytest.fixture
def sent() -> Sent:
    return []


@pytest.fixture
def run(sent: Sent) -> Iterator[Run]:
    """The command, before an API that has two old operations and takes everything."""

    def answer(request: Request) -> JSONResponse:
        sent.append((request.method, request.url.path, dict(request.query_params)))
        if request.url.path.endswith("/api/v1/artifacts"):
            data: dict[str, Any] = {
                "dry_run": "dry_run" in request.query_params,
                "operation_ids": [ID, OTHER],
                "artifacts": 18,
                "size_bytes": 1_624_800,
                "kept": [],
                "more": False,
            }
        else:
            data = {
                "operation_id": request.url.path.split("/")[-2],
                "artifacts": 9,
                "size_bytes": 812_400,
                "deleted_at": "2026-11-26T12:00:00Z",
            }
        return JSONResponse({"success": True, "data": data})

    with answering(answer) as address:

        def invoke(*arguments: str, typed: str = "") -> Result:
            return CliRunner().invoke(app, ["--url", address, *arguments], input=typed)

        yield invoke


def deletions(sent: Sent) -> list[str]:
    return [path for method, path, query in sent if method == "DELETE" and "dry_run" not in query]


def test_nothing_is_deleted_without_a_yes(run: Run, sent: Sent) -> None:
    for typed in ("", "n\n"):
        assert run("artifacts", "delete", ID, typed=typed).exit_code == 1
        assert run("artifacts", "delete", "--older-than", "90", typed=typed).exit_code == 1
    assert deletions(sent) == []


def test_what_is_named_is_deleted(run: Run, sent: Sent) -> None:
    done = run("artifacts", "delete", ID, OTHER, "--resumable", typed="y\n")
    assert done.exit_code == 0
    assert f"{ID}: deleted 9 artifacts, 812.4 kB" in done.stdout
    assert deletions(sent) == [f"/api/v1/operations/{each}/artifacts" for each in (ID, OTHER)]
    assert {query["resumable"] for _, _, query in sent} == {"true"}


def test_an_age_is_asked_about_with_what_it_would_delete(run: Run, sent: Sent) -> None:
    asked = run("artifacts", "delete", "--older-than", "90", "--owner", "ann", typed="y\n")
    assert asked.exit_code == 0
    assert "Would delete 18 artifacts, 1.6 MB of 2 operations." in asked.stderr
    assert "Deleted 18 artifacts, 1.6 MB of 2 operations." in asked.stdout
    assert [query.get("dry_run") for _, _, query in sent] == ["true", None]
    assert {query["owner"] for _, _, query in sent} == {"ann"}
    sent.clear()
    shown = run("artifacts", "delete", "--older-than", "90", "--dry-run", "--json")
    assert json.loads(shown.stdout)["data"]["operation_ids"] == [ID, OTHER]
    assert deletions(sent) == []
    assert run("artifacts", "delete", "--older-than", "90", "--yes").exit_code == 0
    assert len(sent) == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ("artifacts", "delete"),
        ("artifacts", "delete", ID, "--older-than", "3"),
        ("artifacts", "delete", ID, "--owner", "ann"),
        ("artifacts", "delete", ID, "--dry-run"),
        ("tag", ID),
    ],
)
def test_what_makes_no_sense_is_refused(run: Run, sent: Sent, arguments: tuple[str, ...]) -> None:
    assert run(*arguments).exit_code == 2
    assert sent == []
