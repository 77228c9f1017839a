"""The benchmark of restarts in a short form: nothing is lost, repeated or different."""

import pytest

from bench import restart

pytestmark = pytest.mark.long

_RESEARCHES = 5
_KILLS = 3


async def test_whatever_is_killed_all_researches_reach_their_end() -> None:
    survival = await restart.measure(_RESEARCHES, _KILLS)
    assert survival.kills == {"worker": 1, "temporal": 1, "api": 1}
    assert survival.not_completed == 0
    assert survival.different == 0
    assert survival.trained_twice == 0
    assert survival.surplus == 0
