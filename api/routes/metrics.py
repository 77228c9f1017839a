"""`/metrics`: what Prometheus reads of this API process."""

from typing import Final

import httpx
from fastapi import APIRouter, Request, Response

router = APIRouter(tags=["health"])

_TEXT: Final = "text/plain; version=0.0.4"


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}, "description": "Prometheus' text format"}},
)
async def get_metrics(request: Request) -> Response:
    """Return the metrics of this process: its requests, and its calls to Temporal."""
    address: str | None = request.app.state.metrics_address
    if address is None:
        return Response("", media_type=_TEXT)
    async with httpx.AsyncClient() as exporter:
        answer = await exporter.get(f"http://{address}/metrics")
    return Response(answer.content, media_type=_TEXT)
