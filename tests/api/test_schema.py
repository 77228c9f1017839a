"""The OpenAPI schema says all that a route may answer, and the routes keep to it."""

import asyncio
import re
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest_asyncio
from temporalio.client import Client

from settings import Settings
from tests.helpers import (
    ROOT,
    assert_eventually,
    environment,
    free_port,
    process,
    worker_process,
)

SCHEMATHESIS = str(Path(sys.executable).parent / "schemathesis")

# Enough to try each parameter of each route at and beyond its limits.
_EXAMPLES = "5"
_CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,"
    "response_schema_conformance"
)


@pytest_asyncio.fixture
async def served(alone: Client, settings: Settings) -> AsyncIterator[str]:
    """Address of an API with a worker that computes one step at a time; the others wait."""
    own = settings.model_copy(update={"api_port": free_port(), "compute_slots": 1})
    with (
        process([sys.executable, "-m", "api"], cwd=ROOT, env=environment(alone, own)),
        worker_process(alone, own),
    ):

        async def ready() -> bool:
            async with httpx.AsyncClient(base_url=own.api) as http:
                try:
                    return (await http.get("/health/ready")).is_success
                except httpx.TransportError as error:
                    raise AssertionError(str(error)) from error

        await assert_eventually(ready)
        yield own.api


def operations(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


async def test_every_route_is_described(api: httpx.AsyncClient) -> None:
    schema = (await api.get("/api/v1/openapi.json")).json()
    described = dict(operations(schema))
    assert len(described) == 29
    for name, operation in described.items():
        assert operation["summary"], name
        assert operation["description"], name
        successes = [status for status in operation["responses"] if status.startswith("2")]
        assert successes, name
        for status, response in operation["responses"].items():
            if status in successes:
                typed = status == "204" or all(
                    content.get("schema") or content.get("itemSchema")
                    for content in response["content"].values()
                )
                assert typed, f"{name} {status}"
            else:
                problem = ["application/problem+json"]
                assert list(response["content"]) == problem or name.endswith("/ready"), name
        for parameter in operation.get("parameters", []):
            assert parameter["schema"], name
    bodies = [
        operation["requestBody"]
        for _, operation in operations(schema)
        if "requestBody" in operation
    ]
    for body in bodies:
        reference = re.search(r"#/components/schemas/(\w+)", str(body))
        assert reference is not None
        assert schema["components"]["schemas"][reference[1]]["examples"]


async def test_no_request_gets_an_answer_that_is_not_in_the_schema(
    served: str, tmp_path: Path
) -> None:
    config = tmp_path / "schemathesis.toml"
    # Nobody learns anything from a request that waits half a minute.
    config.write_text('[parameters]\n"query.wait" = 0\n')
    command = [
        *(SCHEMATHESIS, "--config-file", str(config)),
        *("run", f"{served}/api/v1/openapi.json"),
        *("--checks", _CHECKS, "--max-examples", _EXAMPLES, "--seed", "1"),
        *("--phases", "examples,coverage,fuzzing", "--workers", "2", "--no-color"),
        *("--request-timeout", "20", "--suppress-health-check", "all"),
    ]
    run = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    output, _ = await run.communicate()
    assert run.returncode == 0, output.decode()[-8000:]
