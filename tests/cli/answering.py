"""An API that gives prepared answers, for tests of the command alone."""

import contextlib
import threading
from collections.abc import Callable, Iterator

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from tests.support.served import listening


@contextlib.contextmanager
def answering(answer: Callable[[Request], JSONResponse]) -> Iterator[str]:
    """Serve these answers, and yield the address."""
    served = FastAPI()

    @served.api_route("/{path:path}", methods=["GET", "POST", "DELETE"])
    async def serve(request: Request) -> JSONResponse:
        return answer(request)

    with listening() as (bound, address):
        server = uvicorn.Server(uvicorn.Config(served, log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
        thread.start()
        try:
            yield address
        finally:
            server.should_exit = True
            thread.join(30)
        assert not thread.is_alive()
