"""Money in the ledger: whole millionths of a US dollar, so that sums are exact."""

MICRO = 1_000_000


def micro(amount: float) -> int:
    """Return an amount in dollars as microdollars."""
    return round(amount * MICRO)


def dollars(microdollars: int | None) -> float | None:
    """Return an amount in dollars; None stays None."""
    return None if microdollars is None else microdollars / MICRO
