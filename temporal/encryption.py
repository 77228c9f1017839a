"""Encryption of payloads: Temporal's store cannot be read without the key.

The cipher is AES-256-GCM with a random nonce for each payload. The id of the key is stored with the
payload, so that old payloads stay readable after a rotation. Only payloads are encrypted. Workflow
ids and types and search attributes (symbol, owner, strategy, phase, verdict) stay in the clear.
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
    """Encrypts with the current key, and decrypts with the key that a payload names.

    Args:
        path: Path of the key file. The file is read again when it has changed.
    """

    def __init__(self, path: Path) -> None:
        self._file = open_key_file(path)

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Return the payloads encrypted."""
        return self.encrypt(payloads)

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Return the payloads decrypted, as `decrypt` does.

        Raises:
            UnreadablePayload: The key is unknown, or the payload failed authentication.
        """
        return self.decrypt(payloads)

    def encrypt(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Return the payloads encrypted."""
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

    def decrypt(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Return the payloads decrypted. Those from before encryption was enabled stay as they are.

        So does one that names no key. It cannot be ours, and the converter refuses it.

        Raises:
            UnreadablePayload: The key is unknown, or the payload failed authentication.
        """
        return [
            self._decrypt(payload)
            if payload.metadata.get("encoding") == ENCODING and _KEY_ID in payload.metadata
            else payload
            for payload in payloads
        ]

    def _decrypt(self, payload: Payload) -> Payload:
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


def open_key_file(path: Path) -> SecretFile[PayloadKeys]:
    """Return the file of the keys at a path."""
    return SecretFile(path, PayloadKeys, "KTRDR_PAYLOAD_KEYS")


def rotate_key(path: Path) -> str:
    """Add a key, make it the current one and return its id. A missing file is created.

    Raises:
        StartupError: The file is not valid.
    """
    file = open_key_file(path)
    known = file.read().keys if path.exists() else {}
    key_id = f"{datetime.now(UTC):%Y%m%d}-{secrets.token_hex(4)}"
    keys = {name: _encode(key) for name, key in known.items()}
    keys[key_id] = _encode(secrets.token_bytes(_KEY_BYTES))
    file.write(PayloadKeys.model_validate({"current": key_id, "keys": keys}))
    return key_id


def _encode(key: bytes) -> bytes:
    return base64.b64encode(key)
