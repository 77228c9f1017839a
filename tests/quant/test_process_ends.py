"""How the end of a process is told: what is known, and no more."""

import signal

import pytest

from quant.processes import describe_end


@pytest.mark.parametrize(
    ("exit_code", "told"),
    [
        (None, "ended without a result; its exit code is not known"),
        (0, "ended without a result and with exit code 0; see the log of the worker"),
        (1, "ended without a result and with exit code 1; see the log of the worker"),
        (-signal.SIGTERM, "was killed by SIGTERM"),
        (-signal.SIGRTMIN - 1, "was killed by signal 35"),
    ],
)
def test_only_what_is_known_of_an_end_is_told(exit_code: int | None, told: str) -> None:
    assert describe_end(exit_code) == told


def test_only_a_process_that_was_killed_may_have_lacked_memory() -> None:
    assert "memory" in describe_end(-signal.SIGKILL)
