"""A file of secrets: private to its owner, replaced atomically, read again when it changes."""

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import BaseModel, ValidationError

from errors import StartupError

_Content = TypeVar("_Content", bound=BaseModel)


@dataclass
class SecretFile(Generic[_Content]):
    """A JSON file with secrets.

    Attributes:
        path: The file.
        kind: The model of its content.
        setting: Name of the setting that holds the path, for messages.
    """

    path: Path
    kind: type[_Content]
    setting: str
    _read: tuple[tuple[int, int], _Content] | None = field(default=None, init=False)

    def read(self) -> _Content:
        """Return the content. The file is read only if it has changed since the last time.

        Raises:
            StartupError: The file is missing or not valid. The message contains none of its values.
        """
        try:
            status = self.path.stat()
            version = status.st_mtime_ns, status.st_ino
            if self._read is None or self._read[0] != version:
                self._read = version, self.kind.model_validate_json(self.path.read_bytes())
        except OSError as error:
            raise StartupError(f"{self.setting}: {self.path}: {error.strerror}.") from None
        except ValidationError as error:
            first = error.errors(include_input=False)[0]
            place = ".".join(map(str, first["loc"]))
            raise StartupError(f"{self.setting}: {self.path}: {place} {first['msg']}.") from None
        return self._read[1]

    def write(self, content: _Content) -> None:
        """Replace the content, and create the directory if it is missing.

        Owner and mode stay: the service that reads the file may run as another user.

        Raises:
            StartupError: The file cannot be written here, or it belongs to another user and only
                root can keep it so.
        """
        try:
            self._replace(content.model_dump_json(indent=2) + "\n")
        except OSError as error:
            raise StartupError(
                f"{self.setting}: {self.path} cannot be written: {error.strerror}."
            ) from None

    def _replace(self, text: str) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self.path.with_name(f".{self.path.name}.{os.getpid()}.part")
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            with os.fdopen(descriptor, "w") as file:
                if self.path.exists():
                    self._copy_owner_and_mode(descriptor)
                file.write(text)
            unfinished.replace(self.path)
        finally:
            unfinished.unlink(missing_ok=True)

    def _copy_owner_and_mode(self, descriptor: int) -> None:
        old, new = self.path.stat(), os.fstat(descriptor)
        try:
            if (new.st_uid, new.st_gid) != (old.st_uid, old.st_gid):
                os.fchown(descriptor, old.st_uid, old.st_gid)
            os.fchmod(descriptor, stat.S_IMODE(old.st_mode))
        except PermissionError:
            raise StartupError(
                f"{self.setting}: {self.path} belongs to user {old.st_uid}; "
                "change it as that user or as root."
            ) from None
