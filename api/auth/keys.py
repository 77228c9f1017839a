"""API keys, in a file that several replicas can share. The file has only their hashes.

A key is 256 random bits, so a plain SHA-256 of it cannot be reversed. A password would need a slow
hash.
"""

import hashlib
import hmac
import secrets
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from api.auth.scopes import Scope
from errors import InvalidInput
from quant.messages.base import FrozenModel
from quant.messages.spelling import Spelling
from quant.problems import list_problems
from storage.secret_file import SecretFile
from workflows.interface.owned import Owner

_PREFIX = "ktrdr_"

KeyName = Annotated[
    str,
    Spelling(
        r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$",
        "letters, digits, `_`, `.` and `-`, at most 64, with a letter or digit first",
    ),
]


class ApiKey(FrozenModel):
    """A key as it is stored."""

    name: KeyName
    owner: Owner
    scopes: tuple[Scope, ...] = Field(min_length=1)
    sha256: Annotated[str, Spelling(r"^[0-9a-f]{64}$", "64 hexadecimal digits")]


class KeyFile(FrozenModel):
    """The content of the file."""

    keys: tuple[ApiKey, ...] = ()


class KeyRing:
    """The keys in a file. A revocation takes effect at once, also in a running API.

    Args:
        path: The path of the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = SecretFile(path, KeyFile, "KTRDR_API_KEYS")

    def find(self, token: str) -> ApiKey | None:
        """Return the key with this token, or None. All tokens take the same time."""
        digest = _hash(token)
        found = None
        for key in self.list_all():
            if hmac.compare_digest(key.sha256, digest):
                found = key
        return found

    def list_all(self) -> tuple[ApiKey, ...]:
        """Return all keys.

        Raises:
            StartupError: The file is missing or not valid.
        """
        return self._file.read().keys

    def add(self, name: str, owner: str, scopes: tuple[Scope, ...]) -> str:
        """Create a key and return its token. The token is not stored and cannot be shown again.

        Raises:
            InvalidInput: A key with this name exists, or the name or owner is not valid.
        """
        token = _PREFIX + secrets.token_urlsafe(32)
        known = self.list_all() if self.path.exists() else ()
        if name in {key.name for key in known}:
            raise InvalidInput(f"A key {name!r} already exists; revoke it first.", field="name")
        try:
            key = ApiKey(name=name, owner=owner, scopes=scopes, sha256=_hash(token))
        except ValidationError as error:
            place, said = list_problems(error)[0]
            raise InvalidInput(f"{place}: {said}", field=place) from None
        self._file.write(KeyFile(keys=(*known, key)))
        return token

    def revoke(self, name: str) -> None:
        """Revoke a key.

        Raises:
            InvalidInput: There is no such key.
        """
        known = self.list_all()
        remaining = tuple(key for key in known if key.name != name)
        if remaining == known:
            raise InvalidInput(f"There is no key {name!r}.", field="name")
        self._file.write(KeyFile(keys=remaining))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
