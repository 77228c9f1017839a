"""`ktrdr campaign`: what is sent, and what people read."""

import json
from typing import Any

import pytest
from fastapi import Request
from fastapi.responses import JSONResponse
from typer.testing import CliRunner

from api.examples.answers import ANSWERS
from cli.main import app
from tests.cli.answering import answering

ID = "op_campaign_20261124_091509_0c9f1e7a"
ACCEPTED = 202


def run(*arguments: str, answer: dict[str, Any], status: int = 200) -> tuple[Any, list[Any]]:
    """Run a command, and return what came of it and what the API was sent."""
    sent: list[Any] = []

    def reply(request: Request) -> JSONResponse:
        sent.append((request.method, request.url.path))
        return JSONResponse(answer, status_code=status)

    with answering(reply) as url:
        ended = CliRunner().invoke(app, ["--url", url, "campaign", *arguments])
    return ended, sent


def test_a_campaign_is_started() -> None:
    ended, sent = run(
        *("start", "momentum-on-indices", "--each-symbol", "SP500,NASDAQ", "--seeds", "1-2,9"),
        *("--goals", "momentum", "--trials", "30", "--max-hours", "8", "--parallel", "4"),
        answer=ANSWERS["CampaignStarted"],
        status=ACCEPTED,
    )
    assert ended.exit_code == 0, ended.output
    assert sent == [("POST", "/api/v1/campaigns")]
    assert f"Started {ID}" in ended.stdout
    assert "4 researches, 120 trials" in ended.stdout


@pytest.mark.parametrize("seeds", ["", "x", "5-1", "1-", "1-4001", "1-10000000"])
def test_seeds_that_are_none_are_refused(seeds: str) -> None:
    ended, sent = run("start", "a", f"--seeds={seeds}", answer={})
    assert (ended.exit_code, sent) == (2, [])


def test_an_entry_of_a_list_is_named_as_its_option() -> None:
    said = "must be 'search' or 'llm'"
    ended, _ = run(
        *("start", "a", "--designers", "oracle"),
        answer={
            "type": "about:blank",
            "title": "Unprocessable Entity",
            "status": 422,
            "detail": f"designers.0: {said}",
            "instance": "/api/v1/campaigns",
            "success": False,
            "reason": "invalid_input",
            "message": f"designers.0: {said}",
            "errors": [{"field": "designers.0", "message": said}],
        },
        status=422,
    )
    assert ended.exit_code == 1
    assert f"--designers: {said}" in ended.output


def test_a_campaign_is_shown_with_its_running_members() -> None:
    ended, sent = run("status", ID, answer=ANSWERS["CampaignResponse"])
    assert sent == [("GET", f"/api/v1/campaigns/{ID}")]
    assert "1 of 4 researches · 1 running" in ended.stdout
    assert f"{ID}.m0002: NASDAQ 1d, momentum, seed 1" in " ".join(ended.stdout.split())
    assert "1 no signal" in ended.stdout


def test_the_report_is_one_table_or_json() -> None:
    ended, sent = run("report", ID, answer=ANSWERS["CampaignReportResponse"])
    assert sent == [("GET", f"/api/v1/campaigns/{ID}/report")]
    assert "no_signal" in ended.stdout
    assert "2 of 4 researches begun, running" in ended.stdout
    ended, _ = run("report", ID, "--json", answer=ANSWERS["CampaignReportResponse"])
    assert len(json.loads(ended.stdout)["data"]["rows"]) == 2


def test_a_campaign_is_cancelled() -> None:
    ended, sent = run("cancel", ID, "--reason", "enough", answer=ANSWERS["OperationCancelResponse"])
    assert ended.exit_code == 0, ended.output
    assert sent == [("DELETE", f"/api/v1/campaigns/{ID}")]


def test_campaigns_are_listed() -> None:
    ended, sent = run("list", "--active", answer=ANSWERS["OperationListResponse"])
    assert (ended.exit_code, sent) == (0, [("GET", "/api/v1/campaigns")])
