"""The ledger: the lasting record of all research. Never a source of orchestration state.

Written by activities only. Every write may be repeated: recording the same thing twice leaves one
row, because Temporal may run an activity again after its first run had already committed.
"""

from storage.database import Database, Revisions
from storage.experiments import Experiments
from storage.hypotheses import Hypotheses
from storage.leaderboard import Leaderboard
from storage.looks import Looks
from storage.spending import Spending
from storage.trials import Trials


class Ledger:
    """All that is recorded, by table.

    Args:
        url: SQLAlchemy URL; SQLite and PostgreSQL are supported.
        daily_budget: what language models may cost per day, in US dollars; None for no limit.
    """

    def __init__(self, url: str, daily_budget: float | None = None) -> None:
        self._database = Database(url)
        self.experiments = Experiments(self._database)
        self.trials = Trials(self._database)
        self.looks = Looks(self._database)
        self.leaderboard = Leaderboard(self._database, self.experiments, self.trials, self.looks)
        self.hypotheses = Hypotheses(self._database)
        self.spending = Spending(self._database, daily_budget)

    def upgrade(self) -> Revisions:
        """Make the tables, or bring them to the state that this code works with.

        Raises:
            StartupError: they are newer than this code.
            LedgerUnavailable: the database does not answer.
        """
        return self._database.upgrade()

    def ping(self) -> None:
        """Return if the tables are there.

        Raises:
            LedgerUnavailable: the database does not answer, or no worker has made them yet.
        """
        self.experiments.get("")

    def close(self) -> None:
        """Give the connections back."""
        self._database.close()
