from importlib.metadata import version

import httpx2
import pytest
from temporalio.client import Client
from temporalio.runtime import MetricBuffer, Runtime, TelemetryConfig

from api.app import create_app
from settings import Settings
from tests.api.answers import accepted, refused
from tests.support.helpers import assert_eventually, serving
from workflows.policies import WORKFLOW_QUEUES


@pytest.mark.parametrize("prefix", ["", "/api/v1"])
async def test_a_live_api_says_so(alone_api: httpx2.AsyncClient, prefix: str) -> None:
    body = accepted(await alone_api.get(f"{prefix}/health"))
    assert body == {"status": "ok", "version": version("ktrdr")}


async def test_ready_when_every_queue_has_a_worker(api: httpx2.AsyncClient) -> None:
    async def look() -> bool:
        response = await api.get("/health/ready")
        assert response.status_code == 200, response.text
        return True

    await assert_eventually(look)
    body = (await api.get("/health/ready")).json()
    assert body["ready"] is True
    assert body["temporal"] is True
    assert body["workers"].keys() == set(WORKFLOW_QUEUES)


async def test_not_ready_without_a_worker(alone_api: httpx2.AsyncClient) -> None:
    response = await alone_api.get("/health/ready")
    assert response.status_code == 503
    body = response.json()
    assert (body["ready"], body["temporal"]) == (False, True)
    assert set(body["workers"].values()) == {0}


async def test_a_wrong_namespace_is_no_missing_operation(
    alone: Client, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    config = alone.config()
    config["namespace"] = "nosuch"
    async with serving(create_app(settings, Client(**config))) as api:
        readiness = await api.get("/health/ready")
        assert (readiness.status_code, readiness.json()["temporal"]) == (503, False)
        for method, path in (
            ("GET", "/operations"),
            ("GET", "/operations/op_1"),
            ("GET", "/agent/status"),
            ("DELETE", "/agent/cancel/op_1"),
            ("POST", "/agent/trigger"),
        ):
            body = refused(await api.request(method, path), 503, "temporal_unavailable")
            assert "namespace" in body["detail"]
            assert "nosuch" not in body["detail"]
    assert "Namespace nosuch is not found" in caplog.text


async def test_an_unexpected_error_is_answered_like_any_other(
    client: Client, settings: Settings
) -> None:
    buffer = MetricBuffer(100)
    runtime = Runtime(telemetry=TelemetryConfig(metrics=buffer))
    app = create_app(settings, client, runtime)
    async with serving(app) as api:
        services = app.state.services
        app.state.services = "not what any route expects"
        answer = await api.get("/strategies")
        app.state.services = services
    refused(answer, 500, "internal")
    assert answer.headers["x-content-type-options"] == "nosniff"
    counted = [
        update.attributes["status"]
        for update in buffer.retrieve_updates()
        if update.metric.name == "ktrdr_http_request_duration"
    ]
    assert counted == [500]


async def test_an_unknown_route_is_refused_in_the_common_shape(api: httpx2.AsyncClient) -> None:
    refused(await api.get("/nosuch"), 404, "not_found")
    refused(await api.get("/api/v1/nosuch"), 404, "not_found")


@pytest.mark.parametrize("path", ["/", "/record", "/static/shared/api.js", "/api/v1/health"])
async def test_the_prefix_is_for_the_api_alone_and_once(
    alone_api: httpx2.AsyncClient, path: str
) -> None:
    assert (await alone_api.get(path)).status_code == 200
    refused(await alone_api.get(f"/api/v1{path}"), 404, "not_found")


async def test_the_schema_describes_every_route_once(api: httpx2.AsyncClient) -> None:
    schema = accepted(await api.get("/api/v1/openapi.json"))
    assert "/api/v1/agent/cancel/{operation_id}" in schema["paths"]
    assert all(path.startswith("/api/v1/") for path in schema["paths"])
