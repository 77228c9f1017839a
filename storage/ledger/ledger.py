"""The ledger: the permanent record of all researches. It holds no orchestration state.

Only activities write to it. Every write is idempotent, because an activity may be retried after
its first attempt has committed.
"""

import asyncio
from collections.abc import Callable
from typing import Final, ParamSpec, TypeVar

from errors import LedgerUnavailable
from storage.bounded_calls import BoundedCalls
from storage.ledger.campaigns import CampaignMembers
from storage.ledger.chain import Chain
from storage.ledger.database import Database
from storage.ledger.experiments import Experiments
from storage.ledger.hypotheses import Hypotheses
from storage.ledger.identities import Identities
from storage.ledger.leaderboard import Leaderboard
from storage.ledger.looks import Looks
from storage.ledger.markets import Markets
from storage.ledger.revisions import Revisions
from storage.ledger.spending import Spending
from storage.ledger.trials import Trials

_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")

# A call makes several statements, and each may take a few seconds.
_SECONDS: Final = 20.0
# For figures that an answer can do without.
_SECONDS_FOR_A_DETAIL: Final = 3.0
# Fewer than connections: activities that write need the others.
_THREADS: Final = 7


class Ledger:
    """All tables of the record.

    Args:
        url: SQLAlchemy URL of a SQLite or PostgreSQL database.
        daily_budget: What language models may cost per day, in US dollars; None for no limit.
    """

    def __init__(self, url: str, daily_budget: float | None = None) -> None:
        self._database = Database(url)
        self.experiments = Experiments(self._database)
        self.trials = Trials(self._database)
        self.looks = Looks(self._database)
        self.identities = Identities(self._database)
        self.chain = Chain(self._database)
        self.leaderboard = Leaderboard(self._database, self.experiments, self.trials, self.looks)
        self.campaigns = CampaignMembers(self._database, self.leaderboard)
        self.markets = Markets(self._database, self.experiments, self.trials, self.looks)
        self.hypotheses = Hypotheses(self._database)
        self.spending = Spending(self._database, daily_budget)
        self._calls = BoundedCalls(seconds=_SECONDS, at_once=_THREADS, unavailable=_time_out)

    async def ask(
        self, call: Callable[_Given, _Result], *args: _Given.args, **kwargs: _Given.kwargs
    ) -> _Result:
        """Make a call of a table without blocking the event loop.

        Raises:
            LedgerUnavailable: The database does not answer.
        """
        return await self._calls.ask(call, *args, **kwargs)

    async def ask_briefly(
        self, call: Callable[_Given, _Result], *args: _Given.args, **kwargs: _Given.kwargs
    ) -> _Result:
        """Make a call of a table, for an answer that the caller can do without.

        Raises:
            LedgerUnavailable: The database does not answer within three seconds.
        """
        try:
            async with asyncio.timeout(_SECONDS_FOR_A_DETAIL):
                return await self.ask(call, *args, **kwargs)
        except TimeoutError:
            raise _time_out() from None

    def upgrade(self) -> Revisions:
        """Create the tables or migrate them to this version. Newer tables stay as they are.

        Raises:
            LedgerUnavailable: The database does not answer.
        """
        return self._database.upgrade()

    def ping(self) -> None:
        """Check that the database answers and has its tables.

        Raises:
            LedgerUnavailable: The database does not answer, or the tables do not exist yet.
        """
        self.experiments.get("")

    def close(self) -> None:
        """Close the connections."""
        self._database.close()


def _time_out() -> LedgerUnavailable:
    return LedgerUnavailable("The ledger does not answer in time; try again in a moment.")
