"""Money in the ledger: whole microdollars, millionths of a US dollar, so that sums are exact."""

MICRODOLLARS_PER_DOLLAR = 1_000_000


def to_microdollars(amount: float) -> int:
    """Convert dollars to microdollars."""
    return round(amount * MICRODOLLARS_PER_DOLLAR)


def to_dollars(microdollars: int | None) -> float | None:
    """Convert microdollars to dollars; None stays None."""
    return None if microdollars is None else microdollars / MICRODOLLARS_PER_DOLLAR
