"""The OpenAPI schema documents every answer, and the routes give no other."""

import re
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from temporalio.client import Client

from bench.fuzz.schema import run_schemathesis
from settings import Settings
from tests.support.helpers import ROOT, environment, free_port, process, until_ready, worker_process

# Enough to try each parameter of each route at and beyond its limits.
_EXAMPLES = 3


@pytest_asyncio.fixture
async def served(alone: Client, settings: Settings) -> AsyncIterator[str]:
    """The address of an API with a worker that computes one step at a time."""
    own = settings.model_copy(update={"api_port": free_port(), "compute_slots": 1})
    with (
        process([sys.executable, "-m", "api"], cwd=ROOT, env=environment(alone, own)),
        worker_process(alone, own),
    ):
        async with httpx2.AsyncClient(base_url=own.api_url) as http:
            await until_ready(http)
        yield own.api_url


def list_operations(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def find_component(schema: dict[str, Any], described: object) -> dict[str, Any]:
    """Return the component of the schema to which a body refers."""
    reference = re.search(r"#/components/schemas/(\w+)", str(described))
    assert reference is not None, described
    found: dict[str, Any] = schema["components"]["schemas"][reference[1]]
    return found


def check_success(schema: dict[str, Any], name: str, response: dict[str, Any]) -> None:
    for media_type, content in response.get("content", {}).items():
        if media_type == "application/json":
            assert (
                content.get("example") or find_component(schema, content["schema"])["examples"]
            ), name
        else:
            assert media_type in {
                "application/yaml",
                "text/html",
                "text/event-stream",
                "text/plain",
            }, name
            assert content.get("schema") or content.get("itemSchema"), name


def check_refusal(name: str, status: str, response: dict[str, Any]) -> None:
    [(media_type, content)] = response["content"].items()
    if media_type == "application/problem+json":
        assert content["example"]["status"] == int(status), name
    else:
        assert name.endswith("/ready"), name


async def test_every_route_is_described(api: httpx2.AsyncClient) -> None:
    schema = (await api.get("/api/v1/openapi.json")).json()
    described = dict(list_operations(schema))
    assert len(described) == 72
    for name, operation in described.items():
        assert operation["summary"], name
        assert operation["description"], name
        answers = operation["responses"]
        successes = [status for status in answers if status.startswith("2")]
        assert successes, name
        for status, response in answers.items():
            if status in successes:
                check_success(schema, name, response)
            else:
                check_refusal(name, status, response)
        for parameter in operation.get("parameters", []):
            assert parameter["schema"], name
        if "requestBody" in operation:
            assert find_component(schema, operation["requestBody"])["examples"], name


@pytest.mark.long
async def test_no_request_gets_an_answer_that_is_not_in_the_schema(
    served: str, tmp_path: Path
) -> None:
    run = await run_schemathesis(served, tmp_path, seed=1, examples=_EXAMPLES)
    assert run.passed, run.output[-8000:]
