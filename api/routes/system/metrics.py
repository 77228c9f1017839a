"""`/metrics`: what Prometheus reads of this API process."""

from typing import Final

import httpx2
from fastapi import Request
from fastapi.responses import PlainTextResponse

from api.paths import ResourceRouter

router = ResourceRouter(tags=["health"])

_TEXT: Final = "text/plain; version=0.0.4"


@router.get(
    "/metrics",
    response_class=PlainTextResponse,
    responses={200: {"description": "Prometheus' text format"}},
)
async def get_metrics(request: Request) -> PlainTextResponse:
    """Return the metrics of this process: its requests, and its calls to Temporal."""
    address: str | None = request.app.state.metrics_address
    if address is None:
        return PlainTextResponse("", media_type=_TEXT)
    async with httpx2.AsyncClient(trust_env=False) as exporter:
        answer = await exporter.get(f"http://{address}/metrics")
        answer.raise_for_status()
    return PlainTextResponse(answer.content, media_type=_TEXT)
