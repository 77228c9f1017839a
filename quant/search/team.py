"""Scores the candidates of a round, alone or with helpers: processes that are forked from this one.

Who scores a candidate changes nothing about it. Helpers die with this process, however it ends.
Whoever waits until all ends of its pipes are closed knows that they have died, too.
"""

import logging
import os
import select
import signal
import struct
from collections.abc import Iterator, Sequence
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from typing import Final

from pydantic import TypeAdapter

from errors import ComputeDied
from quant.messages.record.trials import TRIAL_LIST, Trial
from quant.messages.search import ScoredCandidate
from quant.processes import describe_end, die_with_parent
from quant.search.proposals import Proposer
from quant.search.scorer import Scorer

_log = logging.getLogger(__name__)

# An entry of the list of work: the round, and the number of a candidate.
_ENTRY: Final = struct.Struct("II")

# What a helper answers: a candidate, or the number of one that it could not score.
_ANSWER: Final = TypeAdapter[ScoredCandidate | int](ScoredCandidate | int)


class Team:
    """This process, and its helpers.

    Args:
        proposer: Proposes the candidates.
        scorer: Scores them.
        helpers: Number of helpers.
    """

    def __init__(self, proposer: Proposer, scorer: Scorer, helpers: int = 0) -> None:
        self._proposer = proposer
        self._scorer = scorer
        self._round = 0
        self._helpers: dict[Connection, int] = {}
        # Whoever is free takes the next entry out of this pipe.
        self._list, self._new = os.pipe()
        os.set_blocking(self._list, False)
        for _ in range(helpers):
            ours, theirs = Pipe()
            pid = os.fork()
            if pid == 0:
                ours.close()
                self._help(theirs)
            theirs.close()
            self._helpers[ours] = pid

    def close(self) -> None:
        """End the helpers."""
        for channel, pid in self._helpers.items():
            channel.close()
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        os.close(self._list)
        os.close(self._new)

    def score_round(
        self, numbers: Sequence[int], known: Sequence[Trial]
    ) -> Iterator[ScoredCandidate]:
        """Yield the candidates with these numbers as soon as they are scored, in any order.

        Args:
            numbers: Numbers of trials.
            known: What the study of this round knows.

        Raises:
            ComputeDied: A helper has ended.
            InvalidInput: Too few bars for the features and the horizon.
        """
        self._round += 1
        for number in numbers:
            os.write(self._new, _ENTRY.pack(self._round, number))
        for channel in self._helpers:
            channel.send_bytes(TRIAL_LIST.dump_json(list(known)))
        self._proposer.learn(known)
        missing = len(numbers)
        while (entry := self._take()) is not None:
            yield self._score(entry[1])
            missing -= 1
            for candidate in self._receive(0.0):
                yield candidate
                missing -= 1
        while missing:
            for candidate in self._receive(None):
                yield candidate
                missing -= 1

    def _receive(self, timeout: float | None) -> Iterator[ScoredCandidate]:
        """Yield what helpers have scored."""
        ready = wait(list(self._helpers), timeout) if self._helpers else []
        for channel in (each for each in self._helpers if each in ready):
            try:
                answer = _ANSWER.validate_json(channel.recv_bytes())
            except (EOFError, OSError):
                exit_code = _wait_for_exit_code(self._helpers[channel])
                raise ComputeDied(f"A helper of the search {describe_end(exit_code)}.") from None
            # What a helper could not score fails here, too: with the error that a search alone has.
            yield self._score(answer) if isinstance(answer, int) else answer

    def _take(self) -> tuple[int, int] | None:
        """Take an entry, or return None if there is none."""
        try:
            taken, number = _ENTRY.unpack(os.read(self._list, _ENTRY.size))
        except BlockingIOError:
            return None
        return taken, number

    def _score(self, number: int) -> ScoredCandidate:
        return self._scorer.score_candidate(number, *self._proposer.propose(number))

    def _help(self, channel: Connection) -> None:
        """Score what is on the list, until this process is killed."""
        parent = os.getppid()
        die_with_parent()
        try:
            if os.getppid() == parent:
                self._work(channel)
        except (EOFError, OSError):
            pass  # The search has ended.
        except Exception:
            _log.exception("a helper of the search failed")
        finally:
            os._exit(1)

    def _work(self, channel: Connection) -> None:
        work = select.poll()
        work.register(self._list, select.POLLIN)
        while True:
            work.poll()
            entry = self._take()
            if entry is None:
                continue  # Another one was faster.
            while self._round < entry[0]:
                self._round += 1
                self._proposer.learn(TRIAL_LIST.validate_json(channel.recv_bytes()))
            channel.send_bytes(_ANSWER.dump_json(self._score_or_number(entry[1])))

    def _score_or_number(self, number: int) -> ScoredCandidate | int:
        try:
            return self._score(number)
        except Exception:
            return number


def _wait_for_exit_code(pid: int) -> int | None:
    """Wait until a child of this process has ended. It can still be waited for afterwards."""
    ended = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    if ended is None:
        return None
    return ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status
