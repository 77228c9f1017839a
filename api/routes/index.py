"""`GET /`: where a program finds what. Paths of the earlier system that lead nowhere here."""

from importlib.metadata import version

from fastapi import APIRouter

from api.paths import API_PREFIX
from errors import NotOffered

router = APIRouter(include_in_schema=False)
not_offered = APIRouter(include_in_schema=False)


@router.get("/")
async def get_index() -> dict[str, str]:
    """Return pointers for programs."""
    return {
        "name": "ktrdr",
        "version": version("ktrdr"),
        "message": f"The API is under {API_PREFIX}.",
        "docs": f"{API_PREFIX}/docs",
        "openapi": f"{API_PREFIX}/openapi.json",
        "health": f"{API_PREFIX}/health",
        "ready": f"{API_PREFIX}/health/ready",
        "operations": f"{API_PREFIX}/operations",
        "agent_status": f"{API_PREFIX}/agent/status",
    }


@not_offered.get("/data/{path:path}")
async def refuse_data(path: str) -> None:
    """Refuse to show bars."""
    raise NotOffered(
        f"There is no data/{path[:100]}: this service shows no bars over REST. Where it runs, "
        "`ktrdr data list` lists the bars and `ktrdr data check` checks them."
    )
