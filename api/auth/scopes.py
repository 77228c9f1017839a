"""What an API key allows."""

from enum import StrEnum


class Scope(StrEnum):
    """A permission. With `run`, a key may also see and cancel its owner's operations."""

    READ = "read"
    """See everything, of all owners."""
    RUN = "run"
    """Start operations, and continue one's own."""
    CANCEL = "cancel"
    """Cancel everything, of all owners."""
    ADMIN = "admin"
    """All of this, also on behalf of other owners."""
