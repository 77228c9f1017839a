"""The REST client of the command, against a server of this test."""

import asyncio
from collections.abc import AsyncIterator

from fastapi import FastAPI
from fastapi.responses import StreamingResponse

from cli.service.client import Api
from settings import Settings
from tests.support.served import served

STREAM = """\
id: 1
event: progress
data: {"status": "running"}

: ping

id: 2
event: end
data: {"status": "completed"}

"""


async def test_a_stream_that_is_kept_alive_has_no_empty_events() -> None:
    app = FastAPI()

    @app.get("/api/v1/operations/{operation_id}/events")
    async def events(operation_id: str) -> StreamingResponse:
        async def stream() -> AsyncIterator[str]:
            yield STREAM.replace("completed", f"completed {operation_id}")

        return StreamingResponse(stream(), media_type="text/event-stream")

    async with served(app) as http:
        api = Api(str(http.base_url), Settings())
        told = await asyncio.to_thread(lambda: list(api.events("op_1", None)))
        api.close()
    assert [event.json() for event in told] == [
        {"status": "running"},
        {"status": "completed op_1"},
    ]
