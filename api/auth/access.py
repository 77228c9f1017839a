"""Access: what the caller of one request may see, and for whom the caller may act.

Lists and counts leave out what the caller may not see. A request for its id is answered as if it
did not exist.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TypeVar

from api.auth.authentication import Caller
from api.auth.scopes import Scope
from api.schedules import ids
from api.services import Services
from errors import (
    ExperimentNotFound,
    NotAllowed,
    OperationNotFound,
    ScheduleNotFound,
    TemporalUnavailable,
)
from quant.wording import say_missing
from workflows.interface.ids import parse_step_id
from workflows.interface.owned import OwnedRequest

_Request = TypeVar("_Request", bound=OwnedRequest)

# Longer than any look-up takes.
_SECONDS_TO_REFUSE = 0.05


@contextlib.asynccontextmanager
async def _constant_time() -> AsyncIterator[None]:
    """Delay a refusal to a fixed time. Its duration must not reveal whether something exists."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    try:
        yield
    except (OperationNotFound, ExperimentNotFound, ScheduleNotFound):
        await asyncio.sleep(began + _SECONDS_TO_REFUSE - loop.time())
        raise


@dataclass(frozen=True)
class Access:
    """What the caller of one request may see.

    Attributes:
        caller: The sender of the request.
        services: What knows the owners.
        scope_for_others: The scope that gives access to what belongs to other owners.
    """

    caller: Caller
    services: Services
    scope_for_others: Scope

    @property
    def only_owner(self) -> str | None:
        """The one owner whose things the caller may see. None for all owners."""
        return None if self.caller.has(self.scope_for_others) else self.caller.owner

    def restrict_owner(self, owner: str | None) -> str | None:
        """Return the owner by whom to filter a list. None for all owners.

        Args:
            owner: The owner that the request names, if it names one.

        Raises:
            NotAllowed: The caller may not see what belongs to that owner.
        """
        if self.only_owner is not None and owner not in (None, self.only_owner):
            raise NotAllowed(
                f"owner: the key may only see what belongs to {self.only_owner}.", field="owner"
            )
        return self.only_owner or owner

    def assign_owner(self, request: _Request) -> _Request:
        """Return the request with the caller as its owner.

        With the scope `admin` the request may name another owner.

        Raises:
            NotAllowed: The request names another owner.
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

    def qualify_schedule_id(self, name: str, owner: str | None = None) -> str:
        """Return the full id of a schedule. Without keys, ids have no namespaces.

        Args:
            name: The full id, or the name in the owner's namespace.
            owner: The owner of the schedule. The caller if None.
        """
        if self.caller.owner is None:
            return name
        return ids.qualify(name, owner or self.caller.owner)

    @_constant_time()
    async def require_operation(self, operation_id: str) -> None:
        """Check that the caller may see this operation.

        Raises:
            OperationNotFound: It belongs to another owner, or does not exist.
            TemporalUnavailable: Temporal does not answer.
        """
        if self.only_owner is None:
            return
        step = parse_step_id(operation_id)
        top = step[0] if step else operation_id
        if await self.services.resolver.find_owner(top) != self.only_owner:
            raise _make_not_found(operation_id)

    @_constant_time()
    async def require_stored(self, operation_id: str) -> None:
        """Check that the caller may see what this operation has stored, such as its report.

        It is kept longer than Temporal keeps its research. The ledger then knows the owner, and
        that of a campaign is stored with it.
        For the research of another owner both are always asked. So an answer does not reveal
        whether the research exists while one of them is away.

        Raises:
            OperationNotFound: It belongs to another owner, or does not exist.
            TemporalUnavailable: Temporal does not answer, and the ledger does not know the owner.
            LedgerUnavailable: The ledger does not answer, and Temporal does not know the owner.
            ArtifactsUnavailable: The same of the artifact store.
        """
        if self.only_owner is None:
            return
        owner, unavailable = None, None
        try:
            owner = await self.services.resolver.find_owner(operation_id)
        except TemporalUnavailable as error:
            unavailable = error
        if owner == self.only_owner:
            return
        ledger = self.services.ledger
        experiment = await ledger.ask(ledger.experiments.get, operation_id)
        recorded = await self.services.campaigns.find_recorded_owner(operation_id)
        known = experiment.owner if experiment else recorded
        if owner is not None or known != self.only_owner:
            raise unavailable or _make_not_found(operation_id)

    @_constant_time()
    async def require_experiment(self, operation_id: str) -> None:
        """Check that the caller may see this experiment.

        Raises:
            ExperimentNotFound: It belongs to another owner, or does not exist.
            LedgerUnavailable: The ledger does not answer.
        """
        if self.only_owner is None:
            return
        ledger = self.services.ledger
        experiment = await ledger.ask(ledger.experiments.get, operation_id)
        if experiment is None or experiment.owner != self.only_owner:
            raise ExperimentNotFound(say_missing("experiment", operation_id))

    @_constant_time()
    async def require_schedule(self, schedule_id: str) -> None:
        """Check that the caller may see this schedule.

        Raises:
            ScheduleNotFound: It belongs to another owner.
        """
        owner = ids.get_owner(self.qualify_schedule_id(schedule_id))
        if self.only_owner not in (None, owner):
            raise ScheduleNotFound(say_missing("schedule", schedule_id))


def _make_not_found(operation_id: str) -> OperationNotFound:
    return OperationNotFound(say_missing("operation", operation_id))
