"""Authentication: who the caller is, by the API key of the request."""

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from api.auth.scopes import Scope
from api.services import Services, ServicesDep, get_services
from errors import KeysUnavailable, NotAuthenticated, StartupError

_log = logging.getLogger(__name__)

_BEARER = HTTPBearer(auto_error=False, description="An API key, required if the API has keys")
CredentialsDep = Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]


@dataclass(frozen=True)
class Caller:
    """The sender of a request.

    Attributes:
        name: The name of the key. None if the API has no keys.
        owner: The owner of what the caller starts. None if the request names the owner.
        scopes: What the key allows.
    """

    name: str | None
    owner: str | None
    scopes: Collection[Scope]

    def has(self, scope: Scope) -> bool:
        """Whether the key has this scope. `admin` includes all others."""
        return scope in self.scopes or Scope.ADMIN in self.scopes

    def sign_reason(self, reason: str | None) -> str | None:
        """Return the reason of a cancel with the name of the key. Temporal records it."""
        if self.name is None:
            return reason
        return f"{reason} ({self.name})" if reason else f"cancelled by {self.name}"


# Without keys everybody may do everything. The API then listens on loopback only.
ANYBODY = Caller(None, None, frozenset(Scope))


def authenticate(request: Request, credentials: HTTPAuthorizationCredentials | None) -> Caller:
    """Return the caller.

    Raises:
        NotAuthenticated: The key is missing or unknown.
        KeysUnavailable: The file with the keys cannot be read.
    """
    caller = _find_caller(get_services(request), credentials)
    request.state.caller = caller
    return caller


def _find_caller(services: Services, credentials: HTTPAuthorizationCredentials | None) -> Caller:
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


async def _make_check(
    request: Request, services: ServicesDep, credentials: CredentialsDep
) -> Callable[[], bool]:
    caller: Caller = request.state.caller

    def is_still_valid() -> bool:
        try:
            return _find_caller(services, credentials) == caller
        except (NotAuthenticated, KeysUnavailable):
            return False

    return is_still_valid


# Whether the key of a request is still valid. An answer that lasts asks now and then.
KeyCheckDep = Annotated[Callable[[], bool], Depends(_make_check)]
