"""A party that does not answer keeps nobody waiting for ever, and nobody from anything else."""

import asyncio
import contextvars
import threading
from collections.abc import Iterator

import pytest

from errors import LedgerUnavailable
from storage.bounded_calls import BoundedCalls
from tests.support.helpers import assert_eventually


class Hanging:
    """A party that answers when it is let go."""

    def __init__(self) -> None:
        self.let_go = threading.Event()
        self.asked = 0

    def ask(self) -> str:
        self.asked += 1
        assert self.let_go.wait(60)
        return "answer"


@pytest.fixture
def party() -> Iterator[Hanging]:
    hanging = Hanging()
    yield hanging
    hanging.let_go.set()


def calls(seconds: float, at_once: int = 2) -> BoundedCalls:
    return BoundedCalls(
        seconds=seconds, at_once=at_once, unavailable=lambda: LedgerUnavailable("silent")
    )


async def test_an_answer_is_returned(party: Hanging) -> None:
    party.let_go.set()
    assert await calls(60).ask(party.ask) == "answer"
    assert calls(60).call(party.ask) == "answer"


async def test_a_party_that_does_not_answer_is_given_up(party: Hanging) -> None:
    with pytest.raises(LedgerUnavailable, match="silent"):
        await calls(0.05).ask(party.ask)
    with pytest.raises(LedgerUnavailable, match="silent"):
        calls(0.05).call(party.ask)


async def test_an_error_of_the_call_itself_is_raised() -> None:
    def fail() -> None:
        # The same kind that a limit would raise.
        raise TimeoutError("of the call")

    with pytest.raises(TimeoutError, match="of the call"):
        await calls(60).ask(fail)
    with pytest.raises(TimeoutError, match="of the call"):
        calls(60).call(fail)


async def test_only_so_many_threads_wait_and_a_caller_who_left_is_not_asked_for(
    party: Hanging,
) -> None:
    impatient = calls(0.2)
    answers = await asyncio.gather(
        *(impatient.ask(party.ask) for _ in range(60)), return_exceptions=True
    )
    assert {type(each) for each in answers} == {LedgerUnavailable}
    assert party.asked == 2
    party.let_go.set()

    async def answers_again() -> bool:
        try:
            return await impatient.ask(party.ask) == "answer"
        except LedgerUnavailable as error:
            raise AssertionError from error

    assert await assert_eventually(answers_again)
    assert party.asked < 60


async def test_a_cancelled_caller_is_gone_at_once(party: Hanging) -> None:
    asking = asyncio.create_task(calls(60).ask(party.ask))

    async def asked() -> bool:
        return party.asked == 1

    await assert_eventually(asked)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert not party.let_go.is_set()


async def test_a_call_sees_the_context_of_its_caller() -> None:
    name = contextvars.ContextVar("name", default="nobody")
    name.set("caller")
    assert await calls(60).ask(name.get) == "caller"
