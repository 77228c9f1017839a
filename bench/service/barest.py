"""The barest server that starts a research: what a start over HTTP costs at least.

`python -m bench.service.barest PORT` serves it with uvicorn, as the API is served. It checks
nothing.
"""

import json
import sys
from typing import Any
from uuid import uuid4

import uvicorn
from temporalio.client import Client
from temporalio.common import TypedSearchAttributes

from api.operations.start import make_research_start
from settings import load_settings
from temporal.converter import data_converter
from workflows.interface.contract import WORKFLOW_NAME, OperationType
from workflows.interface.messages import ResearchRequest
from workflows.policies import RESEARCH_QUEUE


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
        start = make_research_start(ResearchRequest.model_validate_json(body))
        operation_id = f"bench-{uuid4().hex}"
        await self._client.start_workflow(
            WORKFLOW_NAME[OperationType.RESEARCH],
            start.argument,
            id=operation_id,
            task_queue=RESEARCH_QUEUE,
            search_attributes=TypedSearchAttributes(start.attributes),
        )
        answer = json.dumps({"operation_id": operation_id}).encode()
        headers = [(b"content-length", str(len(answer)).encode())]
        await send({"type": "http.response.start", "status": 202, "headers": headers})
        await send({"type": "http.response.body", "body": answer})


if __name__ == "__main__":
    app = BarestServer(f"127.0.0.1:{load_settings().temporal_port}")
    uvicorn.run(app, port=int(sys.argv[1]), http="h11", log_level="warning", lifespan="off")
