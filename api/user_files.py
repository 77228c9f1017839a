"""What the user has put into directories, as one request sees it."""

import asyncio

from errors import InvalidInput
from quant.bars.catalog import Catalog, is_built_in
from quant.messages.data import DataSource, Symbol
from quant.messages.strategy import StrategySpec
from quant.strategy.files import load_strategy
from quant.universe.files import read_universe
from settings import Settings


class UserFiles:
    """Bars, strategies and universes of the user, for one request.

    The directory of bars is listed once, and each strategy and universe read once, however often
    the request asks. A thread does so. Most requests need none.

    Args:
        settings: They name the directories.
    """

    def __init__(self, settings: Settings) -> None:
        self.bars = Catalog(settings.data_dir)
        self._strategy_dir = settings.strategy_dir
        self._universe_dir = settings.universe_dir
        self._strategies: dict[str, StrategySpec] = {}
        self._universes: dict[str, tuple[Symbol, ...]] = {}

    async def list_bars(self) -> set[tuple[str, str]]:
        """Return the symbols and timeframes that exist."""
        return await asyncio.to_thread(self._list_bars)

    async def require_bars(self, source: DataSource, benchmark: str | None) -> None:
        """Check that bars exist, and those of what they are compared with.

        Raises:
            InvalidInput: They do not exist.
        """
        if is_built_in(source):
            self.bars.find_files(source)
        else:
            await asyncio.to_thread(self.bars.find_files, source)
        if benchmark is not None:
            await asyncio.to_thread(self.bars.require_benchmark, benchmark, source.timeframe)

    async def load_strategy(self, name: str) -> StrategySpec:
        """Return the strategy of this name.

        Raises:
            InvalidInput: There is none, or it is not valid.
        """
        if name not in self._strategies:
            self._strategies[name] = await asyncio.to_thread(
                load_strategy, name, self._strategy_dir
            )
        return self._strategies[name]

    async def read_universe(self, name: str) -> tuple[Symbol, ...]:
        """Return the symbols of a universe.

        Raises:
            InvalidInput: There is none of this name, or it is not valid.
        """
        if name not in self._universes:
            found = await asyncio.to_thread(read_universe, name, self._universe_dir)
            self._universes[name] = found.symbols
        return self._universes[name]

    def _list_bars(self) -> set[tuple[str, str]]:
        try:
            entries = self.bars.list_symbols()
        except InvalidInput:  # Built-in bars can be used even if the user's directory is wrong.
            entries = Catalog(None).list_symbols()
        return {(entry.symbol, entry.timeframe) for entry in entries}
