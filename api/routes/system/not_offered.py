"""Paths of the earlier system that lead nowhere here."""

from api.paths import ResourceRouter
from errors import NotOffered

router = ResourceRouter(include_in_schema=False)


@router.get("/data/{path:path}")
async def refuse_data(path: str) -> None:
    """Refuse to show bars."""
    raise NotOffered(
        f"There is no data/{path[:100]}: this service shows no bars over REST. Where it runs, "
        "`ktrdr data list` lists the bars and `ktrdr data check` checks them."
    )
