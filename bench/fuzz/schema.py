"""Schemathesis: requests made from the OpenAPI schema, valid and not, and what is answered."""

import asyncio
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from quant.processes import bind_to_parent

_SCHEMATHESIS: Final = str(Path(sys.executable).parent / "schemathesis")
_CHECKS: Final = (
    "not_a_server_error,status_code_conformance,content_type_conformance,"
    "response_schema_conformance"
)
# Above each route with a failure.
_FAILED_ROUTE: Final = re.compile(r"^_{3,} [A-Z]+ /.* _{3,}$", re.MULTILINE)


@dataclass(frozen=True)
class SchemaRun:
    """What one run has found."""

    passed: bool
    failed_routes: int
    output: str


async def run_schemathesis(
    api: str,
    directory: Path,
    *,
    seed: int,
    examples: int,
    phases: str = "examples,coverage",
    key: str | None = None,
) -> SchemaRun:
    """Try every route of an API.

    Args:
        api: Its address.
        directory: Where the configuration of the run is written.
        seed: Of the requests.
        examples: How many requests the phases try for each route.
        phases: Those of Schemathesis.
        key: API key, if the API asks for one.
    """
    config = directory / f"schemathesis-{seed}.toml"
    # A request that waits half a minute shows nothing more.
    config.write_text('[parameters]\n"query.wait" = 0\n')
    command = [
        *(_SCHEMATHESIS, "--config-file", str(config)),
        *("run", f"{api}/api/v1/openapi.json"),
        *("--checks", _CHECKS, "--max-examples", str(examples), "--seed", str(seed)),
        # One worker: Python 3.11's parser is not thread-safe (python/cpython#106905).
        *("--phases", phases, "--workers", "1", "--no-color"),
        # A stream without an end; tests/api/test_board.py reads it.
        *("--exclude-path", "/api/v1/operations/events"),
        *("--request-timeout", "20", "--suppress-health-check", "all"),
    ]
    if key is not None:
        command += ["--header", f"Authorization: Bearer {key}"]
    run = await asyncio.create_subprocess_exec(
        *bind_to_parent(command), cwd=directory, stdout=asyncio.subprocess.PIPE
    )
    printed, _ = await run.communicate()
    output = printed.decode()
    return SchemaRun(run.returncode == 0, len(_FAILED_ROUTE.findall(output)), output)
