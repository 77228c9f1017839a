"""Authorization: whether the caller may send this request. The dependency of all routes."""

import re
from typing import Annotated

from fastapi import Depends, Request

from api.auth.access import Access
from api.auth.authentication import Caller, CredentialsDep, authenticate
from api.auth.scopes import Scope
from api.paths import get_path
from api.services import get_services
from errors import NotAllowed

# Each of these scopes allows the method.
_SCOPES_OF_METHOD = {
    "GET": {Scope.READ, Scope.RUN},
    "POST": {Scope.RUN},
    "PATCH": {Scope.RUN},
    "DELETE": {Scope.RUN, Scope.CANCEL},
}
_VALIDATE = "/strategies/validate"
# What is deleted there cannot be had again, so a key that only cancels may not.
_LASTING_PATH = re.compile(r"/checkpoints/.*|/artifacts|/operations/[^/]+/artifacts", re.DOTALL)
# A POST to these paths only checks or converts its body. The owner of a payload is unknown before
# it is decrypted.
_SCOPES_OF_PATH = {
    _VALIDATE: {Scope.READ, Scope.RUN},
    "/agent/preview": {Scope.READ, Scope.RUN},
    "/metrics": {Scope.READ},
    "/whoami": set(Scope),
    "/codec/decode": {Scope.READ},
    "/codec/encode": {Scope.READ},
}
# This scope allows the method on what belongs to other owners.
_SCOPE_FOR_OTHERS = {
    "GET": Scope.READ,
    "POST": Scope.ADMIN,
    "PATCH": Scope.ADMIN,
    "DELETE": Scope.CANCEL,
}

# What these paths name is kept longer than Temporal keeps its research.
_STORED_PATH = re.compile(
    r"/operations/[^/]+/(report|artifacts|candidates|curves)|/campaigns/[^/]+/report(\.html)?"
)


async def authorize(request: Request, credentials: CredentialsDep) -> Access:
    """Return what the caller may see, if the caller may send this request.

    Raises:
        NotAuthenticated: The key is missing or unknown.
        NotAllowed: The key lacks the scope for the method.
        OperationNotFound: The operation belongs to another owner.
        ExperimentNotFound: The experiment belongs to another owner.
        ScheduleNotFound: The schedule belongs to another owner.
    """
    caller = authenticate(request, credentials)
    path = get_path(request)
    _require_scope(caller, path, request.method)
    scope_for_others = _SCOPE_FOR_OTHERS[request.method]
    lasting = "schedule_id" in request.path_params or _LASTING_PATH.fullmatch(path)
    if lasting and request.method != "GET":
        scope_for_others = Scope.ADMIN
    access = Access(caller, get_services(request), scope_for_others)
    await _require_resource(access, request, path)
    request.state.access = access
    return access


async def get_access(request: Request) -> Access:
    """Return what `authorize` has returned for this request."""
    access: Access = request.state.access
    return access


# FastAPI would go through all that `authorize` depends on again, wherever it is named.
AccessDep = Annotated[Access, Depends(get_access)]


def _require_scope(caller: Caller, path: str, method: str) -> None:
    allowing = _find_scopes(path, method)
    if not any(caller.has(scope) for scope in allowing):
        wanted = ", ".join(sorted(allowing))
        raise NotAllowed(
            f"The key {caller.name} lacks the required scope; it needs one of: {wanted}."
        )


def _find_scopes(path: str, method: str) -> set[Scope]:
    """Return the scopes each of which allows the request."""
    if path.startswith(f"{_VALIDATE}/"):
        return _SCOPES_OF_PATH[_VALIDATE]
    if _LASTING_PATH.fullmatch(path) and method == "DELETE":
        return {Scope.RUN}
    return _SCOPES_OF_PATH.get(path, _SCOPES_OF_METHOD[method])


async def _require_resource(access: Access, request: Request, path: str) -> None:
    """Check that the caller may see what the path names."""
    schedule_id = request.path_params.get("schedule_id")
    research_id = request.path_params.get("research_id")
    operation_id = request.path_params.get("operation_id")
    if schedule_id is not None:
        await access.require_schedule(schedule_id)
    elif research_id is not None:
        # A watch belongs to the owner of its research, which the ledger keeps for good.
        await access.require_experiment(research_id)
    elif operation_id is None:
        return
    elif path.startswith("/experiments/"):
        await access.require_experiment(operation_id)
    elif _STORED_PATH.fullmatch(path):
        await access.require_stored(operation_id)
    else:
        await access.require_operation(operation_id)
