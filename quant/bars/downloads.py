"""Sources from which bars can be downloaded.

The library of a source is an optional extra. It is imported when the source is used.
"""

from datetime import date
from typing import TYPE_CHECKING, Final, Protocol

import pandas as pd

from errors import InvalidInput, SourceUnavailable

if TYPE_CHECKING:
    from requests import Session

_SECONDS: Final = 30
_NOT_FOUND: Final = 404
_EARLIEST: Final = date(1900, 1, 1)


class DownloadSource(Protocol):
    """A source from which bars can be downloaded."""

    def fetch(
        self, symbol: str, timeframe: str, start: date | None, end: date | None
    ) -> pd.DataFrame:
        """Return a table, one row per bar, with timestamp, open, high, low, close and volume.

        Args:
            symbol: The symbol, under the name that this source uses, such as `^GSPC`.
            timeframe: The length of a bar.
            start: First day; None for the earliest available.
            end: Day after the last; None for the latest available.

        Raises:
            InvalidInput: The source has no such bars.
            SourceUnavailable: The source does not answer, or its library is not installed.
        """


class Yahoo:
    """Yahoo Finance through yfinance; prices are adjusted for splits and dividends.

    Args:
        session: Makes the requests; None for yfinance's own.
    """

    _INTERVALS: Final = {
        "1m": "1m",
        "5m": "5m",
        "15m": "15m",
        "30m": "30m",
        "1h": "1h",
        "1d": "1d",
        "1w": "1wk",
    }

    def __init__(self, session: "Session | None" = None) -> None:
        self._session = session

    def fetch(
        self, symbol: str, timeframe: str, start: date | None, end: date | None
    ) -> pd.DataFrame:
        """Return the table; see `DownloadSource`. Its times are those of the exchange."""
        try:
            import yfinance  # noqa: PLC0415 - an optional extra
        except ImportError:
            raise SourceUnavailable(
                "Yahoo Finance needs the extra: pip install 'ktrdr[yahoo]'."
            ) from None
        interval = self._INTERVALS.get(timeframe)
        if interval is None:
            raise InvalidInput(
                f"Yahoo Finance has no bars of {timeframe}, only of {', '.join(self._INTERVALS)}.",
                field="timeframe",
            )
        yfinance.config.debug.hide_exceptions = False
        ticker = yfinance.Ticker(symbol, session=self._session)
        try:
            table = ticker.history(
                # Without a start, yfinance returns one month before the end.
                start=start or _EARLIEST,
                end=end,
                interval=interval,
                actions=False,
                timeout=_SECONDS,
            )
        except yfinance.exceptions.YFTickerMissingError:
            raise _refuse_unknown_bars(symbol) from None
        except Exception as error:
            if getattr(getattr(error, "response", None), "status_code", None) == _NOT_FOUND:
                raise _refuse_unknown_bars(symbol) from None
            raise SourceUnavailable(f"Yahoo Finance does not answer: {error}") from error
        if table.empty:
            raise _refuse_unknown_bars(symbol)
        bars: pd.DataFrame = table.rename_axis("timestamp").reset_index()
        return bars


def _refuse_unknown_bars(symbol: str) -> InvalidInput:
    return InvalidInput(f"Yahoo Finance has no bars of {symbol!r} in that period.", field="symbol")


SOURCES: Final[dict[str, type[DownloadSource]]] = {"yahoo": Yahoo}
