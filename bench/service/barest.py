"""The barest server that starts a research: what a start over HTTP costs at least.

`python -m bench.service.barest PORT` serves it with uvicorn, as the API is served. It checks
nothing, but Temporal shows of the research what it shows of each.
"""

import json
import sys
from typing import Any

import uvicorn
from temporalio.client import Client

from bench.temporary import start_research
from settings import load_settings
from temporal.converter import data_converter
from workflows.interface.messages import ResearchRequest


class BarestServer:
    """Answers every request with the id of a research that it has started."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._client: Client | None = None

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Start a research, and answer with its id."""
        if scope["type"] != "http":
            return
        body = (await receive())["body"]
        if self._client is None:
            self._client = await Client.connect(self._address, data_converter=data_converter)
        handle = await start_research(self._client, ResearchRequest.model_validate_json(body))
        answer = json.dumps({"operation_id": handle.id}).encode()
        headers = [(b"content-length", str(len(answer)).encode())]
        await send({"type": "http.response.start", "status": 202, "headers": headers})
        await send({"type": "http.response.body", "body": answer})


if __name__ == "__main__":
    app = BarestServer(f"127.0.0.1:{load_settings().temporal_port}")
    uvicorn.run(app, port=int(sys.argv[1]), http="h11", log_level="warning", lifespan="off")
