"""Sources of bars to download, each behind the same small interface.

A source is an optional extra: its library is imported only when it is used.
"""

from datetime import date
from typing import TYPE_CHECKING, Final, Protocol

import pandas as pd

from errors import InvalidInput, SourceUnavailable
from quant.messages.data import DataSource

if TYPE_CHECKING:
    from requests import Session

_SECONDS: Final = 30
_NOT_FOUND: Final = 404
_EARLIEST: Final = date(1900, 1, 1)


class Download(Protocol):
    """A source of bars."""

    def fetch(self, source: DataSource, start: date | None, end: date | None) -> pd.DataFrame:
        """Return a table with timestamp, open, high, low, close and volume.

        Args:
            source: Symbol, as the source names it, and timeframe.
            start: First day; None for all available bars.
            end: Day after the last; None for all available bars.

        Raises:
            InvalidInput: It has no such bars.
            SourceUnavailable: It does not answer, or its library is not installed.
        """


class Yahoo:
    """Yahoo Finance through yfinance; prices are adjusted for splits and dividends.

    Args:
        session: Makes the requests; yfinance's own by default.
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

    def fetch(self, source: DataSource, start: date | None, end: date | None) -> pd.DataFrame:
        """Return the table; see `Download`."""
        try:
            import yfinance  # noqa: PLC0415 - an optional extra
        except ImportError:
            raise SourceUnavailable(
                "Yahoo Finance needs the extra: pip install 'ktrdr[yahoo]'."
            ) from None
        interval = self._INTERVALS.get(source.timeframe)
        if interval is None:
            raise InvalidInput(
                f"Yahoo Finance has no bars of {source.timeframe}, only of "
                f"{', '.join(self._INTERVALS)}.",
                field="timeframe",
            )
        yfinance.config.debug.hide_exceptions = False
        ticker = yfinance.Ticker(source.symbol, session=self._session)
        try:
            table = ticker.history(
                # Without a start it would take that for a month before the end.
                start=start or _EARLIEST,
                end=end,
                interval=interval,
                actions=False,
                timeout=_SECONDS,
            )
        except yfinance.exceptions.YFTickerMissingError:
            raise _nothing(source) from None
        except Exception as error:
            if getattr(getattr(error, "response", None), "status_code", None) == _NOT_FOUND:
                raise _nothing(source) from None
            raise SourceUnavailable(f"Yahoo Finance does not answer: {error}") from error
        if table.empty:
            raise _nothing(source)
        bars: pd.DataFrame = table.rename_axis("timestamp").reset_index()
        return bars


def _nothing(source: DataSource) -> InvalidInput:
    return InvalidInput(
        f"Yahoo Finance has no bars of {source.symbol!r} in that period.", field="symbol"
    )


SOURCES: Final[dict[str, type[Download]]] = {"yahoo": Yahoo}
