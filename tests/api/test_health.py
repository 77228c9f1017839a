from importlib.metadata import version

import httpx
import pytest

from tests.api.answers import accepted, refused
from tests.helpers import assert_eventually
from workflows.policies import COMPUTE_QUEUES


@pytest.mark.parametrize("prefix", ["", "/api/v1"])
async def test_a_live_api_says_so(alone_api: httpx.AsyncClient, prefix: str) -> None:
    body = accepted(await alone_api.get(f"{prefix}/health"))
    assert body == {"status": "ok", "version": version("ktrdr")}


async def test_ready_when_every_queue_has_a_worker(api: httpx.AsyncClient) -> None:
    async def look() -> bool:
        response = await api.get("/health/ready")
        assert response.status_code == 200, response.text
        return True

    await assert_eventually(look)
    body = (await api.get("/health/ready")).json()
    assert body["ready"] is True
    assert body["temporal"] is True
    assert body["workers"].keys() == set(COMPUTE_QUEUES)


async def test_not_ready_without_a_worker(alone_api: httpx.AsyncClient) -> None:
    response = await alone_api.get("/health/ready")
    assert response.status_code == 503
    body = response.json()
    assert (body["ready"], body["temporal"]) == (False, True)
    assert set(body["workers"].values()) == {0}


async def test_an_unknown_route_is_refused_in_the_common_shape(api: httpx.AsyncClient) -> None:
    refused(await api.get("/nosuch"), 404, "not_found")
    refused(await api.get("/api/v1/nosuch"), 404, "not_found")


async def test_the_schema_describes_every_route_once(api: httpx.AsyncClient) -> None:
    schema = accepted(await api.get("/api/v1/openapi.json"))
    assert "/api/v1/agent/cancel/{operation_id}" in schema["paths"]
    assert all(path.startswith("/api/v1/") for path in schema["paths"])
