"""A server on loopback that speaks the protocols of the providers, and says what a test wants.

The only stand-in of all tests: what lies behind the HTTP edge of a provider cannot be run here.
"""

import asyncio
import contextlib
import json
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from storage.ledger.records import Tokens
from tests.support.served import listening

# By which a model answers that cannot be given a format for its answer.
ANSWER_TOOL = "final_result"

_PIECE = 40
_USUAL = Tokens(input_tokens=1000, output_tokens=100)


@dataclass(frozen=True)
class Reply:
    """What the model answers to one request.

    Attributes:
        tool: name of the tool that it calls.
        arguments: of the call; as text, they are sent as they are.
        text: what it says instead of calling a tool.
        answer: what it says in the end, in the form that the request asks for.
        tokens: that it says it took.
        refused: whether it stops because the provider does not allow more.
        breaks_off: whether the connection ends in the middle.
        hangs: whether nothing more comes after the first piece.
        endless: whether it is said again and again.
        more: further calls in the same answer.
    """

    tool: str | None = None
    arguments: dict[str, Any] | str = ""
    text: str = ""
    answer: dict[str, Any] | None = None
    tokens: Tokens = _USUAL
    refused: bool = False
    breaks_off: bool = False
    hangs: bool = False
    endless: bool = False
    more: tuple["Reply", ...] = ()

    def to(self, request: dict[str, Any]) -> "Reply":
        """Return this reply to a request: an answer is a call of a tool if there is one for it."""
        if self.answer is None:
            return self
        tools = (tool.get("name") or tool["function"]["name"] for tool in request.get("tools", ()))
        if ANSWER_TOOL in tools:
            return replace(self, tool=ANSWER_TOOL, arguments=self.answer)
        return replace(self, text=json.dumps(self.answer))

    @property
    def pieces(self) -> list[str]:
        """What is said, in pieces."""
        called = self.arguments
        content = called if isinstance(called, str) else json.dumps(called)
        said = content if self.tool else self.text
        pieces = [said[start : start + _PIECE] for start in range(0, len(said), _PIECE)]
        return pieces[: max(1, len(pieces) // 2)] if self.breaks_off or self.hangs else pieces


@dataclass(frozen=True)
class Refusal:
    """An HTTP status instead of an answer."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: dict[str, Any] = field(default_factory=dict)


@dataclass
class Provider:
    """The server.

    Attributes:
        address: without a path.
        replies: what is said to the next requests.
        requests: bodies of the requests so far.
        keys: headers with the key that they came with.
        served: tokens of the replies so far.
        hung_up: set when somebody closes the connection in the middle of an answer.
    """

    address: str
    replies: list[Reply | Refusal] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    served: list[Tokens] = field(default_factory=list)
    hung_up: threading.Event = field(default_factory=threading.Event)

    async def anthropic(self, request: Request) -> Response:
        """Answer as the Messages API does."""
        return await self._answer(request, _anthropic_events)

    async def openai(self, request: Request) -> Response:
        """Answer as the Chat Completions API does."""
        return await self._answer(request, _openai_events)

    async def _answer(self, request: Request, events: Any) -> Response:
        body = await request.json()
        assert body["stream"]
        self.requests.append(body)
        self.keys.append(request.headers["authorization"])
        if not self.replies:
            return JSONResponse({"error": {"message": "The test has no further reply."}}, 400)
        reply = self.replies.pop(0)
        if isinstance(reply, Refusal):
            return JSONResponse(reply.body, reply.status, headers=reply.headers)
        return StreamingResponse(
            self._stream(reply.to(body), events), media_type="text/event-stream"
        )

    async def _stream(self, reply: Reply, events: Any) -> AsyncIterator[str]:
        beginning, end = events(reply)
        for event in beginning:
            yield event
        if reply.hangs:
            try:
                await asyncio.Event().wait()
            finally:
                self.hung_up.set()
        while reply.endless:
            # Otherwise the server would never come to see that the client has left.
            await asyncio.sleep(0)
            yield beginning[-1]
        if reply.breaks_off:
            return
        for event in end:
            yield event
        self.served.append(reply.tokens)


def _anthropic_events(reply: Reply) -> tuple[list[str], list[str]]:
    tokens = reply.tokens
    cached = tokens.cache_read_tokens + tokens.cache_write_tokens
    usage = {
        # Here the provider counts without the cache.
        "input_tokens": tokens.input_tokens - cached,
        "cache_read_input_tokens": tokens.cache_read_tokens,
        "cache_creation_input_tokens": tokens.cache_write_tokens,
        "output_tokens": 1,
    }
    message: dict[str, Any] = {
        **{"id": "msg_1", "type": "message", "role": "assistant", "model": "claude"},
        **{"content": [], "stop_reason": None, "stop_sequence": None, "usage": usage},
    }

    def describe(part: Reply) -> dict[str, Any]:
        if part.tool:
            return {"type": "tool_use", "id": f"toolu_{id(part)}", "name": part.tool, "input": {}}
        return {"type": "text", "text": ""}

    def delta(part: Reply, piece: str) -> dict[str, str]:
        if part.tool:
            return {"type": "input_json_delta", "partial_json": piece}
        return {"type": "text_delta", "text": piece}

    def blocks() -> Iterator[dict[str, Any]]:
        for index, part in enumerate((reply, *reply.more)):
            if index:
                yield {"type": "content_block_stop", "index": index - 1}
            yield {"type": "content_block_start", "index": index, "content_block": describe(part)}
            for piece in part.pieces:
                yield {"type": "content_block_delta", "index": index, "delta": delta(part, piece)}

    beginning: list[dict[str, Any]] = [{"type": "message_start", "message": message}, *blocks()]
    reason = "refusal" if reply.refused else "tool_use" if reply.tool else "end_turn"
    stop = {"stop_reason": reason, "stop_sequence": None}
    end: list[dict[str, Any]] = [
        {"type": "content_block_stop", "index": len(reply.more)},
        {"type": "message_delta", "delta": stop, "usage": {"output_tokens": tokens.output_tokens}},
        {"type": "message_stop"},
    ]

    def sent(event: dict[str, Any]) -> str:
        return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n"

    return [sent(event) for event in beginning], [sent(event) for event in end]


def _openai_events(reply: Reply) -> tuple[list[str], list[str]]:
    def chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return {"choices": [choice]}

    def deltas() -> Iterator[dict[str, Any]]:
        for index, part in enumerate((reply, *reply.more)):
            opening: dict[str, Any] = {} if index else {"role": "assistant"}
            if part.tool:
                call = {"index": index, "id": f"call_{id(part)}", "type": "function"}
                function = {"name": part.tool, "arguments": ""}
                opening |= {"content": None, "tool_calls": [{**call, "function": function}]}
            yield opening
            for piece in part.pieces:
                if part.tool:
                    yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}
                else:
                    yield {"content": piece}

    tokens = reply.tokens
    usage = {
        "prompt_tokens": tokens.input_tokens,
        "completion_tokens": tokens.output_tokens,
        "total_tokens": tokens.input_tokens + tokens.output_tokens,
        "prompt_tokens_details": {"cached_tokens": tokens.cache_read_tokens},
    }
    beginning = [chunk(each) for each in deltas()]
    reason = "content_filter" if reply.refused else "tool_calls" if reply.tool else "stop"
    end = [chunk({}, reason), {"choices": [], "usage": usage}]

    def sent(event: dict[str, Any]) -> str:
        head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1}
        return f"data: {json.dumps(head | {'model': 'local'} | event)}\n\n"

    finished = [*(sent(event) for event in end), "data: [DONE]\n\n"]
    return [sent(event) for event in beginning], finished


@contextlib.asynccontextmanager
async def running_provider() -> AsyncIterator[Provider]:
    """Run a provider on a free port."""
    with listening() as (bound, address):
        provider = Provider(address)
        app = Starlette(
            routes=[
                Route("/v1/messages", provider.anthropic, methods=["POST"]),
                Route("/v1/chat/completions", provider.openai, methods=["POST"]),
            ]
        )
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
        with _in_thread(server, bound):
            yield provider


@contextlib.contextmanager
def _in_thread(server: uvicorn.Server, bound: socket.socket) -> Iterator[None]:
    thread = threading.Thread(target=server.run, args=([bound],))
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        server.force_exit = True
        thread.join()
