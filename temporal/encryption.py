"""Encryption of payloads: what Temporal stores can only be read with the key.

AES-256-GCM with a random nonce for each payload; the id of the key is stored with it, so that old
payloads stay readable after a rotation. Search attributes, workflow ids and types, and what makes
lists readable (symbol, owner, strategy, phase, verdict) are not payloads and stay in the clear.
"""

import base64
import os
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import Base64Bytes, Field, model_validator
from temporalio.api.common.v1 import Payload
from temporalio.converter import PayloadCodec

from errors import UnreadablePayload
from quant.messages.base import FrozenModel
from storage.secret_file import SecretFile

ENCODING: Final = b"binary/encrypted"
_KEY_ID: Final = "encryption-key-id"
_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12


class PayloadKeys(FrozenModel):
    """The content of the key file."""

    current: str = Field(description="ID of the key that encrypts; all others only decrypt")
    keys: dict[str, Base64Bytes] = Field(description="Keys of 256 bits, by ID")

    @model_validator(mode="after")
    def _complete(self) -> "PayloadKeys":
        if self.current not in self.keys:
            raise ValueError("`current` names a key that does not exist")
        if any(len(key) != _KEY_BYTES for key in self.keys.values()):
            raise ValueError(f"every key must have {_KEY_BYTES} bytes")
        return self


class EncryptingCodec(PayloadCodec):
    """Encrypts with the current key, and decrypts with the one that a payload names.

    Args:
        path: of the key file; it is read again when it has changed.
    """

    def __init__(self, path: Path) -> None:
        self._file = key_file(path)

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Encrypt."""
        keys = self._file.read()
        cipher = AESGCM(keys.keys[keys.current])
        key_id = keys.current.encode()
        encrypted = []
        for payload in payloads:
            nonce = os.urandom(_NONCE_BYTES)
            data = nonce + cipher.encrypt(nonce, payload.SerializeToString(), key_id)
            metadata = {"encoding": ENCODING, _KEY_ID: key_id}
            encrypted.append(Payload(metadata=metadata, data=data))
        return encrypted

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Decrypt encrypted payloads; the others were written before encryption was enabled.

        Raises:
            UnreadablePayload: the key is unknown, or the payload failed authentication.
        """
        return [
            self._decrypted(payload) if payload.metadata.get("encoding") == ENCODING else payload
            for payload in payloads
        ]

    def _decrypted(self, payload: Payload) -> Payload:
        key_id = payload.metadata[_KEY_ID]
        key = self._file.read().keys.get(key_id.decode(errors="replace"))
        if key is None:
            name = key_id.decode(errors="replace")
            raise UnreadablePayload(f"Unknown encryption key {name!r}.")
        nonce, data = payload.data[:_NONCE_BYTES], payload.data[_NONCE_BYTES:]
        try:
            return Payload.FromString(AESGCM(key).decrypt(nonce, data, key_id))
        except (InvalidTag, ValueError):
            raise UnreadablePayload("The payload failed authentication.") from None


def key_file(path: Path) -> SecretFile[PayloadKeys]:
    """Return the key file."""
    return SecretFile(path, PayloadKeys, "KTRDR_PAYLOAD_KEYS")


def rotate(path: Path) -> str:
    """Add a key, make it the current one and return its id. Creates the file if missing.

    Raises:
        StartupError: the file is not valid.
    """
    file = key_file(path)
    known = file.read().keys if path.exists() else {}
    key_id = f"{datetime.now(UTC):%Y%m%d}-{secrets.token_hex(4)}"
    keys = {name: _encoded(key) for name, key in known.items()}
    keys[key_id] = _encoded(secrets.token_bytes(_KEY_BYTES))
    file.write(PayloadKeys.model_validate({"current": key_id, "keys": keys}))
    return key_id


def _encoded(key: bytes) -> bytes:
    return base64.b64encode(key)
