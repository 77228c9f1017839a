"""What a route does not take is refused, never ignored."""

import httpx2
import pytest

from tests.api.answers import accepted, refused


@pytest.mark.parametrize(
    ("method", "path", "field"),
    [
        ("GET", "/operations?statsu=running", "statsu"),
        ("GET", "/operations?limit=3&limit=4", "limit"),
        ("GET", "/operations/op_1?wait=3", "wait"),
        ("GET", "/operations/op_1/report?fromat=json", "fromat"),
        ("DELETE", "/operations/op_1?reason=x", "reason"),
        ("DELETE", "/operations?owner=ann&dryrun=true", "dryrun"),
        ("DELETE", "/agent/cancel/op_1?wiat=3", "wiat"),
        ("POST", "/agent/trigger?trials=3", "trials"),
        ("GET", "/agent/status?owner=ann", "owner"),
        ("GET", "/agent/budget?day=today", "day"),
        ("GET", "/workers?queue=training", "queue"),
        ("GET", "/strategies?name=momentum", "name"),
        ("GET", "/experiments?ordre=cost", "ordre"),
        ("GET", "/leaderboard?page=2", "page"),
        ("GET", "/hypotheses?state=open", "state"),
        ("GET", "/schedules?state=paused", "state"),
        ("POST", "/trainings/start?seed=3", "seed"),
    ],
)
async def test_an_unknown_parameter_is_refused_with_the_known_ones(
    alone_api: httpx2.AsyncClient, method: str, path: str, field: str
) -> None:
    for prefix in ("", "/api/v1"):
        body = refused(await alone_api.request(method, prefix + path), 422, "invalid_input", field)
        assert "takes" in body["detail"] or "times" in body["detail"]


async def test_the_known_parameters_are_named(alone_api: httpx2.AsyncClient) -> None:
    answer = await alone_api.get("/operations", params={"statsu": "running"})
    detail = refused(answer, 422, "invalid_input", "statsu")["detail"]
    assert "status" in detail
    assert "owner" in detail
    answer = await alone_api.delete("/operations/op_1", params={"force": "true"})
    assert "wait" in refused(answer, 422, "invalid_input", "force")["detail"]
    answer = await alone_api.get("/agent/status", params={"x" * 5000: ""})
    assert len(refused(answer, 422, "invalid_input")["detail"]) < 500


async def test_known_parameters_are_taken(alone_api: httpx2.AsyncClient) -> None:
    accepted(await alone_api.get("/operations", params={"limit": 3, "active_only": "true"}))
    answer = await alone_api.delete("/operations", params={"owner": "nobody", "dry_run": "true"})
    accepted(answer, 202)
    assert (await alone_api.get("/health", params={"probe": "1"})).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        *("/operations/op_1/resume", "/operations/op_1/retry", "/experiments/op_1/reproduce"),
        *(f"/schedules/nightly/{change}" for change in ("pause", "unpause", "trigger")),
    ],
)
async def test_a_body_that_a_route_does_not_take_is_refused(
    alone_api: httpx2.AsyncClient, path: str
) -> None:
    refused(await alone_api.post(path, json={"trials": 3}), 422, "invalid_input", "body")
    for nothing in (b"", b"{}", b" null\n"):
        assert (await alone_api.post(path, content=nothing)).status_code == 404
