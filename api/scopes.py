"""What an API key is good for."""

from enum import StrEnum


class Scope(StrEnum):
    """What is the owner's own, every key with `run` may see and cancel."""

    READ = "read"
    """See everything, whoever owns it."""
    RUN = "run"
    """Start operations, and go on with one's own."""
    CANCEL = "cancel"
    """Cancel everything, whoever owns it."""
    ADMIN = "admin"
    """All of this, and in the name of others."""
