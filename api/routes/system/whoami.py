"""`/whoami`: what the caller's key allows."""

from api.auth.authorization import AccessDep
from api.auth.schemas import CallerInfo, CallerResponse
from api.paths import ResourceRouter

router = ResourceRouter(tags=["system"])


@router.get("/whoami")
async def get_caller(access: AccessDep) -> CallerResponse:
    """Return the name, the owner and the scopes of the key that was sent."""
    caller = access.caller
    return CallerResponse(
        data=CallerInfo(
            keys=caller.name is not None,
            name=caller.name,
            owner=caller.owner,
            scopes=sorted(caller.scopes),
        )
    )
