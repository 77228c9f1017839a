"""Yahoo Finance, played by a server on this machine.

Its answer is composed in Yahoo's format, with prices and days that never were: no test here has
ever spoken to Yahoo itself.
"""

import json
import threading
from collections.abc import Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pandas as pd
import pytest
import requests
import yfinance
from requests.adapters import HTTPAdapter

from errors import InvalidInput, SourceUnavailable
from quant.bars.downloads import SOURCES, Yahoo
from quant.bars.parser import build_bars
from quant.messages.data import DataSource

# yfinance uses functions that pandas 4 will drop.
pytestmark = pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")

COMPOSED = json.loads((Path(__file__).parent / "composed_yahoo_chart.json").read_text())


class Pretender(BaseHTTPRequestHandler):
    """Answers in Yahoo's format, and keeps the queries in `asked`."""

    asked: list[dict[str, list[str]]]
    status: int
    port: int

    def do_GET(self) -> None:
        """Answer with the bars of AAPL; no other symbol exists."""
        url = urlsplit(self.path)
        if url.path.startswith("/v8/finance/chart/"):
            self.asked.append(parse_qs(url.query))
            name = url.path.rpartition("/")[2]
            if self.status != 200:
                self._answer(self.status, {})
            elif name == "AAPL":
                self._answer(200, COMPOSED)
            else:
                error = {
                    "code": "Not Found",
                    "description": "No data found, symbol may be delisted",
                }
                self._answer(404, {"chart": {"result": None, "error": error}})
        elif url.path.endswith("getcrumb"):
            self._answer(200, "crumb")
        else:
            self._answer(404, {})

    def log_message(self, *_: Any) -> None:
        """Log nothing."""

    def _answer(self, status: int, body: Any) -> None:
        content = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Set-Cookie", "A3=1; Path=/")
        self.end_headers()
        self.wfile.write(content)


class Redirected(HTTPAdapter):
    """Sends every request to a server on this machine."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self._port = port

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> Any:
        """Send one request."""
        parts = urlsplit(request.url or "")
        request.url = parts._replace(scheme="http", netloc=f"127.0.0.1:{self._port}").geturl()
        return super().send(request, *args, **kwargs)


@pytest.fixture
def pretender(tmp_path: Path) -> Iterator[type[Pretender]]:
    yfinance.set_tz_cache_location(str(tmp_path))
    handler: type[Pretender] = type("Handler", (Pretender,), {"asked": [], "status": 200})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        handler.port = server.server_address[1]
        yield handler
        server.shutdown()
        thread.join()


@pytest.fixture
def yahoo(pretender: Any) -> Yahoo:
    session = requests.Session()
    session.mount("https://", Redirected(pretender.port))
    return Yahoo(session)


def test_bars_arrive_adjusted_and_with_the_date_of_the_exchange(
    yahoo: Yahoo, pretender: type[Pretender]
) -> None:
    source = DataSource(symbol="AAPL")
    table = yahoo.fetch("AAPL", "1d", date(2020, 1, 2), date(2022, 6, 1))
    bars = build_bars(table, source, "AAPL")
    [chart] = COMPOSED["chart"]["result"]
    assert len(bars) == len(chart["timestamp"])
    # Yahoo names a day by its midnight in New York.
    assert bars.format_time(0) == "2020-01-02T00:00:00Z"
    adjusted = chart["indicators"]["adjclose"][0]["adjclose"]
    assert np.allclose(bars.close, adjusted)
    raw = chart["indicators"]["quote"][0]
    assert np.allclose(bars.open / bars.close, np.array(raw["open"]) / np.array(raw["close"]))
    asked = pretender.asked[-1]
    assert asked["interval"] == ["1d"]
    start = pd.Timestamp("2020-01-02", tz="America/New_York")
    assert asked["period1"] == [str(int(start.timestamp()))]


def test_without_days_everything_is_asked_for(yahoo: Yahoo, pretender: type[Pretender]) -> None:
    yahoo.fetch("AAPL", "1d", None, date(2022, 6, 1))
    assert int(pretender.asked[-1]["period1"][0]) < 0


def test_an_unknown_symbol_is_named(yahoo: Yahoo) -> None:
    with pytest.raises(InvalidInput, match="no bars of 'NOSUCH'") as refused:
        yahoo.fetch("NOSUCH", "1d", None, None)
    assert refused.value.field == "symbol"


def test_a_timeframe_that_it_has_not_is_named(yahoo: Yahoo) -> None:
    with pytest.raises(InvalidInput, match="no bars of 7m, only of 1m, 5m") as refused:
        yahoo.fetch("AAPL", "7m", None, None)
    assert refused.value.field == "timeframe"


def test_a_server_in_trouble_is_not_a_missing_symbol(
    yahoo: Yahoo, pretender: type[Pretender]
) -> None:
    pretender.status = 429
    with pytest.raises(SourceUnavailable):
        yahoo.fetch("AAPL", "1d", None, None)


def test_without_the_extra_one_is_told_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "yfinance", None)
    with pytest.raises(SourceUnavailable, match=r"pip install 'ktrdr\[yahoo\]'"):
        SOURCES["yahoo"]().fetch("AAPL", "1d", None, None)
