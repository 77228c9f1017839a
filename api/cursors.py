"""Cursors of lists: where the next page begins, in a form that only this API makes."""

import base64
import binascii
import hashlib

from errors import InvalidInput

_DIGEST_BYTES = 8


def make_cursor(listed: str, token: bytes) -> str:
    """Return the cursor for a place in a list, such as Temporal's token for the next page.

    Args:
        listed: What the list is of. Only the same list takes the cursor.
        token: The place.
    """
    return base64.urlsafe_b64encode(_make_digest(listed, token) + token).decode()


def read_cursor(listed: str, cursor: str) -> bytes:
    """Return the place in the list.

    The digest shows that this API made the cursor for this list. To a token that is not its own
    Temporal answers with the error of an outage.

    Raises:
        InvalidInput: This API did not make the cursor for this list.
    """
    try:
        content = base64.b64decode(cursor.encode("ascii"), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError):
        content = b""
    token = content[_DIGEST_BYTES:]
    if not token or content[:_DIGEST_BYTES] != _make_digest(listed, token):
        raise InvalidInput("invalid cursor: use one that this API returned", field="cursor")
    return token


def _make_digest(listed: str, token: bytes) -> bytes:
    return hashlib.sha256(listed.encode() + b"\0" + token).digest()[:_DIGEST_BYTES]
