"""The ledger: the permanent record of all researches. Never a source of orchestration state.

Written by activities only. Every write is idempotent, because Temporal may run an activity again
after its first run has already committed.
"""

from storage.database import Database, Revisions
from storage.experiments import Experiments
from storage.hypotheses import Hypotheses
from storage.leaderboard import Leaderboard
from storage.looks import Looks
from storage.spending import Spending
from storage.trials import Trials


class Ledger:
    """The whole record, by table.

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
        """Create the tables, or migrate them for this version; newer ones stay as they are.

        Raises:
            LedgerUnavailable: the database does not answer.
        """
        return self._database.upgrade()

    def ping(self) -> None:
        """Return if the tables exist.

        Raises:
            LedgerUnavailable: the database does not answer, or the tables do not exist yet.
        """
        self.experiments.get("")

    def close(self) -> None:
        """Close the connections."""
        self._database.close()
