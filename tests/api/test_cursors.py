"""Cursors of lists."""

import pytest

from api.cursors import make_cursor, read_cursor
from errors import InvalidInput

TOKEN = b"\xff\x00 not a text"


def test_a_cursor_leads_back_to_its_place() -> None:
    assert read_cursor("schedules", make_cursor("schedules", TOKEN)) == TOKEN


def test_a_cursor_of_another_list_is_refused() -> None:
    with pytest.raises(InvalidInput) as refusal:
        read_cursor("operations", make_cursor("schedules", TOKEN))
    assert refusal.value.field == "cursor"
