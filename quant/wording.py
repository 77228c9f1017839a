"""Words around numbers."""


def counted(number: int, one: str, many: str | None = None) -> str:
    """Return a number with its noun: `1 trade`, `1,200 trades`.

    Args:
        number: How many.
        one: The noun for one.
        many: For any other number; with an s at its end if left out.
    """
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"
