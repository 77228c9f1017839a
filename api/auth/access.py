"""Who the caller is, and what the caller may do and see.

Without keys everybody may do everything; the API then listens on loopback only. With keys, lists
and counts leave out what a caller may not see, and a request for its id is answered as if it did
not exist.
"""

import asyncio
import contextlib
import hashlib
import json
import logging
import re
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Header, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from api.auth.scopes import Scope
from api.dependencies import API_PREFIX, Services, ServicesDep
from api.operations.start import IdempotencyKey
from api.schedules.schemas import OWNER_SEPARATOR, owner_of_schedule
from errors import (
    ExperimentNotFound,
    KeysUnavailable,
    NotAllowed,
    NotAuthenticated,
    OperationNotFound,
    ScheduleNotFound,
    StartupError,
    TemporalUnavailable,
)
from workflows.ids import parse_step_id
from workflows.messages import OwnedRequest

_log = logging.getLogger(__name__)
_audit = logging.getLogger("ktrdr.audit")

_Request = TypeVar("_Request", bound=OwnedRequest)

_BEARER = HTTPBearer(auto_error=False, description="An API key, required if the API has keys")

# Which scopes allow a method, and which of them also allow it on what belongs to others.
_OPENS = {
    "GET": {Scope.READ, Scope.RUN},
    "POST": {Scope.RUN},
    "DELETE": {Scope.RUN, Scope.CANCEL},
}
_REACHES_OTHERS = {"GET": Scope.READ, "POST": Scope.ADMIN, "DELETE": Scope.CANCEL}
# A POST to these paths only checks or converts its body. The owner of a payload is unknown before
# it is decrypted.
_OPENS_PATH = {
    "/strategies/validate": {Scope.READ, Scope.RUN},
    "/metrics": {Scope.READ},
    "/codec/decode": {Scope.READ},
    "/codec/encode": {Scope.READ},
}
_IS_REPORT = re.compile(r"/operations/[^/]+/report")

# Longer than any look-up takes.
_SECONDS_TO_REFUSE = 0.05


@dataclass(frozen=True)
class Caller:
    """The sender of a request.

    Attributes:
        name: of the key; None without keys.
        owner: owner of what the caller starts; None to take the one that the request names.
        scopes: what the key allows.
    """

    name: str | None
    owner: str | None
    scopes: Collection[Scope]

    def has(self, scope: Scope) -> bool:
        """Whether the caller may do this regardless of the owner."""
        return scope in self.scopes or Scope.ADMIN in self.scopes


ANYBODY = Caller(None, None, frozenset(Scope))


@dataclass(frozen=True)
class Access:
    """What the caller of one request may do."""

    caller: Caller
    services: Services
    reaches_others: Scope

    @property
    def only(self) -> str | None:
        """The owner to whom this request is restricted; None if it is not."""
        return None if self.caller.has(self.reaches_others) else self.caller.owner

    def narrowed(self, owner: str | None) -> str | None:
        """Return the owner to filter a list by, given the owner that the request names.

        Raises:
            NotAllowed: the caller may not see what belongs to that owner.
        """
        if self.only is not None and owner not in (None, self.only):
            raise NotAllowed(
                f"owner: the key may only see what belongs to {self.only}.", field="owner"
            )
        return self.only or owner

    def owned(self, request: _Request) -> _Request:
        """Return the request with the caller as its owner.

        Raises:
            NotAllowed: it names another owner.
        """
        owner = self.caller.owner
        if owner is None or request.owner == owner:
            return request
        if "owner" in request.model_fields_set:
            if not self.caller.has(Scope.ADMIN):
                raise NotAllowed(
                    f"owner: the key belongs to {owner}, not to {request.owner}.", field="owner"
                )
            return request
        return request.model_copy(update={"owner": owner})

    async def require_operation(self, operation_id: str) -> None:
        """Return if the caller may know of this operation.

        Raises:
            OperationNotFound: it belongs to another owner, or does not exist.
            TemporalUnavailable: Temporal does not answer.
        """
        if self.only is None:
            return
        step = parse_step_id(operation_id)
        top = step[0] if step else operation_id
        if await self.services.resolver.owner(top) != self.only:
            raise _no_operation(operation_id)

    async def require_report(self, operation_id: str) -> None:
        """Return if the caller may know of the report of this research.

        It is kept longer than Temporal keeps the research; the ledger then knows its owner. Of a
        research that is not the caller's both are asked, so that one that is away tells nothing.

        Raises:
            OperationNotFound: it belongs to another owner, or does not exist.
            TemporalUnavailable: Temporal does not answer, and the ledger cannot tell.
            LedgerUnavailable: the ledger does not answer, and Temporal cannot tell.
        """
        if self.only is None:
            return
        owner, unanswered = None, None
        try:
            owner = await self.services.resolver.owner(operation_id)
        except TemporalUnavailable as error:
            unanswered = error
        if owner == self.only:
            return
        ledger = self.services.ledger
        recorded = await ledger.ask(ledger.experiments.get, operation_id)
        if owner is not None or recorded is None or recorded.owner != self.only:
            raise unanswered or _no_operation(operation_id)

    async def require_experiment(self, operation_id: str) -> None:
        """Return if the caller may know of this experiment.

        Raises:
            ExperimentNotFound: it belongs to another owner, or does not exist.
            LedgerUnavailable: the ledger does not answer.
        """
        if self.only is None:
            return
        ledger = self.services.ledger
        found = await ledger.ask(ledger.experiments.get, operation_id)
        if found is None or found.owner != self.only:
            raise ExperimentNotFound(f"There is no experiment {operation_id[:100]!r}.")

    def require_schedule(self, schedule_id: str) -> None:
        """Return if the caller may know of this schedule.

        Raises:
            ScheduleNotFound: it belongs to another owner.
        """
        if self.only not in (None, owner_of_schedule(self.schedule_id(schedule_id))):
            raise ScheduleNotFound(f"There is no schedule {schedule_id[:100]!r}.")

    def schedule_id(self, name: str, owner: str | None = None) -> str:
        """Return the full id of a schedule.

        With keys, each owner has a namespace for schedules, so that no name is taken by a schedule
        that the caller may not see.

        Args:
            name: the full id, or the name within the owner's namespace.
            owner: of the schedule; the caller if None.
        """
        if self.caller.owner is None or owner_of_schedule(name):
            return name
        return f"{owner or self.caller.owner}{OWNER_SEPARATOR}{name}"

    def signed(self, reason: str | None) -> str | None:
        """Return the reason of a cancel with the name of the key, for Temporal's record."""
        if self.caller.name is None:
            return reason
        return f"{reason} ({self.caller.name})" if reason else f"cancelled by {self.caller.name}"

    def log(self, action: str, what: str, **more: Any) -> None:
        """Record in the audit log who started, cancelled or changed what."""
        entry = {
            "event": action,
            "operation_id": what,
            "key": self.caller.name,
            "owner": self.caller.owner,
            **more,
        }
        _audit.info(json.dumps(entry), extra={"audit": entry})


def _no_operation(operation_id: str) -> OperationNotFound:
    return OperationNotFound(f"There is no operation {operation_id[:100]!r}.")


async def _caller(
    services: ServicesDep,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)],
) -> Caller:
    if services.keys is None:
        return ANYBODY
    try:
        key = services.keys.find(credentials.credentials) if credentials else None
    except StartupError as error:
        _log.error("%s", error.message)
        raise KeysUnavailable(
            "API keys cannot be checked at the moment; see the log of the API."
        ) from None
    if key is None:
        raise NotAuthenticated("An API key is required: `Authorization: Bearer …`.")
    return Caller(key.name, key.owner, frozenset(key.scopes))


async def authorised(
    services: ServicesDep, request: Request, caller: Annotated[Caller, Depends(_caller)]
) -> Access:
    """Return what the caller may do, if that includes this request.

    Raises:
        NotAuthenticated: the key is missing or unknown.
        NotAllowed: the key lacks the scope for the method.
        OperationNotFound: the operation belongs to another owner.
        ExperimentNotFound: the experiment does.
        ScheduleNotFound: the schedule does.
    """
    path = request.url.path.removeprefix(API_PREFIX)
    opening = _OPENS_PATH.get(path, _OPENS[request.method])
    if not any(caller.has(scope) for scope in opening):
        wanted = ", ".join(sorted(opening))
        raise NotAllowed(
            f"The key {caller.name} lacks the required scope; it needs one of: {wanted}."
        )
    given = request.path_params
    reaches_others = _REACHES_OTHERS[request.method]
    if "schedule_id" in given and request.method != "GET":
        reaches_others = Scope.ADMIN
    access = Access(caller, services, reaches_others)
    async with _evenly():
        if "schedule_id" in given:
            access.require_schedule(given["schedule_id"])
        elif "operation_id" in given and path.startswith("/experiments/"):
            await access.require_experiment(given["operation_id"])
        elif "operation_id" in given and _IS_REPORT.fullmatch(path) and request.method == "GET":
            await access.require_report(given["operation_id"])
        elif "operation_id" in given:
            await access.require_operation(given["operation_id"])
    return access


@contextlib.asynccontextmanager
async def _evenly() -> AsyncIterator[None]:
    """Refuse after the same time whether something exists or not; the time would tell."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    try:
        yield
    except (OperationNotFound, ExperimentNotFound, ScheduleNotFound):
        await asyncio.sleep(began + _SECONDS_TO_REFUSE - loop.time())
        raise


AccessDep = Annotated[Access, Depends(authorised)]


def _schedule_id(access: AccessDep, schedule_id: str) -> str:
    return access.schedule_id(schedule_id)


ScheduleIdDep = Annotated[str, Depends(_schedule_id)]


async def _key(
    request: Request,
    access: AccessDep,
    key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            min_length=1,
            max_length=200,
            description="A repeated request with the same key starts nothing new, for as long as "
            "Temporal keeps closed workflows",
        ),
    ] = None,
) -> IdempotencyKey | None:
    if key is None:
        return None
    path = request.url.path.removeprefix(API_PREFIX)
    digest = hashlib.sha256(path.encode() + b"\n" + await request.body())
    # Each owner has a key space of their own.
    owned = f"{access.caller.owner}\n{key}" if access.caller.owner else key
    return IdempotencyKey(owned, digest.hexdigest())


KeyDep = Annotated[IdempotencyKey | None, Depends(_key)]
