"""`/watches`: a strategy that was found, held against the bars that come afterwards."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from temporalio.client import Client

from tests.api.answers import accepted, refused
from tests.support.helpers import PATIENCE, assert_eventually, new_id
from tests.support.quant.data import FLAT, walk
from tests.support.quant.universes import ROWS
from workflows.interface.watches import make_watch_id

BEFORE = 2000


def make_symbol() -> str:
    return new_id("W").replace("_", "")[:16].upper()


async def research(api: httpx2.AsyncClient, client: Client, symbol: str, **more: Any) -> str:
    request = {"strategy": "quick", "seed": 7, "symbol": symbol, **more}
    started: str = accepted(await api.post("/agent/trigger", json=request), 202)["operation_id"]
    await client.get_workflow_handle(started).result()
    return started


@pytest_asyncio.fixture
async def found(
    api: httpx2.AsyncClient, client: Client, fresh_bars: Callable[[str, int], None]
) -> tuple[str, str]:
    """A research that has ended, and its symbol."""
    symbol = make_symbol()
    fresh_bars(symbol, 5)
    return await research(api, client, symbol), symbol


@pytest.fixture
def more_bars(data_dir: Path) -> Callable[[str, int], None]:
    """Write more bars, of which the first are those that were there before."""

    def write(symbol: str, more: int) -> None:
        walk(BEFORE + 200, "1D", 5)[: BEFORE + more].to_csv(data_dir / f"{symbol}.csv", index=False)

    return write


async def shown_with(api: httpx2.AsyncClient, research_id: str, bars: int) -> dict[str, Any]:
    """Wait until so many bars are scored."""

    async def look() -> dict[str, Any]:
        shown: dict[str, Any] = accepted(await api.get(f"/watches/{research_id}"))["data"]
        assert shown["looked_at"] is not None, "it has not looked yet"
        assert shown["bars"] == bars
        return shown

    return await assert_eventually(look, within=PATIENCE)


async def test_a_watch_is_started_shown_listed_told_to_look_and_cancelled(
    api: httpx2.AsyncClient, found: tuple[str, str], more_bars: Callable[[str, int], None]
) -> None:
    research_id, symbol = found
    path = f"/watches/{research_id}"

    answer = await api.post("/watches", json={"research_id": research_id})

    started = accepted(answer, 202)["data"]
    assert answer.headers["location"] == f"/api/v1{path}"
    assert (started["status"], started["standing"], started["symbol"]) == (
        "running",
        "watching",
        symbol,
    )
    begun = await shown_with(api, research_id, 0)
    assert begun["begins_after"] == "2006-06-23T00:00:00Z"
    more_bars(symbol, 11)
    accepted(await api.post(f"{path}/look"), 202)
    shown = await shown_with(api, research_id, 10)
    curve = accepted(await api.get(f"{path}/curve"))["data"]
    assert [point["time"] for point in curve["points"]][-1] == shown["last_scored"]
    assert len(curve["points"]) == 10
    assert curve["points"][-1]["evidence"] == shown["evidence"] != 1.0

    few = accepted(await api.get(f"{path}/curve", params={"limit": 4}))["data"]["points"]
    assert few == [curve["points"][index] for index in (0, 3, 6, 9)]
    refused(await api.get(f"{path}/curve", params={"limit": 1}), 422, "invalid_input", "limit")

    page = (await api.get(f"/operations/{research_id}/report")).text
    assert "Evidence for and against the alpha on new bars" in page
    assert "10 bars came after" in page

    async def listed() -> list[dict[str, Any]]:
        rows = accepted(await api.get("/watches", params={"limit": 1000}))["data"]
        return [row for row in rows if row["research_id"] == research_id and row["bars"] == 10]

    [row] = await assert_eventually(listed)
    assert row == shown
    cancelled = accepted(await api.delete(path, params={"wait": 30}))["data"]
    assert (cancelled["status"], cancelled["bars"]) == ("cancelled", 10)
    refused(await api.delete(path), 409, "not_cancellable")
    refused(await api.post(f"{path}/look"), 409, "not_cancellable")
    # What it has seen is kept, and a watch that is started again goes on there.
    more_bars(symbol, 21)
    accepted(await api.post("/watches", json={"research_id": research_id}), 202)
    await shown_with(api, research_id, 20)
    again = accepted(await api.get(f"{path}/curve"))["data"]["points"]
    assert again[:10] == curve["points"]
    accepted(await api.delete(path))


async def test_new_bars_wake_the_watches_of_them_and_no_others(
    api: httpx2.AsyncClient, found: tuple[str, str], more_bars: Callable[[str, int], None]
) -> None:
    research_id, symbol = found
    accepted(await api.post("/watches", json={"research_id": research_id}), 202)
    await shown_with(api, research_id, 0)
    more_bars(symbol, 11)

    async def wake(symbol: str, timeframe: str = "1d") -> list[str]:
        bars = {"symbol": symbol, "timeframe": timeframe}
        rows = accepted(await api.post("/watches/look", json=bars), 202)["data"]
        return [row["research_id"] for row in rows]

    async def woken() -> bool:
        return await wake(symbol) == [research_id]

    assert await wake(make_symbol()) == await wake(symbol, "1h") == []
    # Temporal lists a workflow a moment after it has begun.
    assert await assert_eventually(woken, within=PATIENCE)
    await shown_with(api, research_id, 10)
    accepted(await api.delete(f"/watches/{research_id}", params={"wait": 30}))

    async def forgotten() -> bool:
        return await wake(symbol) == []

    assert await assert_eventually(forgotten, within=PATIENCE)
    refused(await api.post("/watches/look", json={"symbol": symbol}), 422, "invalid_input")


async def test_bars_of_any_instrument_wake_the_watch_of_a_universe_and_none_is_lost(
    api: httpx2.AsyncClient, client: Client, fresh_universe: Callable[..., None]
) -> None:
    symbols = sorted(make_symbol() for _ in range(3))
    fresh_universe(symbols, seed=42)
    request = {"strategy": "quick", "seed": 7, "symbols": symbols, "bypass_gates": True}
    research_id = accepted(await api.post("/agent/trigger", json=request), 202)["operation_id"]
    await client.get_workflow_handle(research_id).result()
    started = accepted(await api.post("/watches", json={"research_id": research_id}), 202)["data"]
    assert started["symbols"] == symbols
    await shown_with(api, research_id, 0)

    async def woken(symbol: str) -> bool:
        body = {"symbol": symbol, "timeframe": "1d"}
        rows = accepted(await api.post("/watches/look", json=body), 202)["data"]
        return [row["research_id"] for row in rows] == [research_id]

    async def awaits(expected: list[str]) -> bool:
        shown = accepted(await api.get(f"/watches/{research_id}"))["data"]
        assert (shown["bars"], shown["problem"]) == (0, None)
        return shown["awaits"] == expected and shown["awaits_since"] is not None

    async def read_report() -> str:
        return (await api.get(f"/operations/{research_id}/report")).text

    for number, symbol in enumerate(symbols, start=1):
        fresh_universe(symbols[:number], seed=42, rows=ROWS + 25)
        assert await assert_eventually(partial(woken, symbol), within=PATIENCE)
        if late := symbols[number:]:
            assert await assert_eventually(partial(awaits, late), within=PATIENCE)
            assert f"Later ones wait for bars of {', '.join(late)}, since" in await read_report()

    shown = await shown_with(api, research_id, 24)
    assert (shown["awaits"], shown["awaits_since"]) == ([], None)
    points = accepted(await api.get(f"/watches/{research_id}/curve"))["data"]["points"]
    assert len(points) == 24
    assert points[-1]["evidence"] == shown["evidence"]
    page = await read_report()
    assert "24 bars came after" in page
    assert "Later ones wait" not in page
    accepted(await api.delete(f"/watches/{research_id}", params={"wait": 30}))


async def test_a_strategy_is_watched_once(api: httpx2.AsyncClient, found: tuple[str, str]) -> None:
    body = {"research_id": found[0]}
    accepted(await api.post("/watches", json=body), 202)
    first = await shown_with(api, found[0], 0)

    again = accepted(await api.post("/watches", json=body), 202)["data"]

    assert again["began_at"] == first["began_at"]
    accepted(await api.delete(f"/watches/{found[0]}"))


async def test_artifacts_of_a_watch_are_in_use(
    api: httpx2.AsyncClient, found: tuple[str, str]
) -> None:
    research_id, _ = found
    accepted(await api.post("/watches", json={"research_id": research_id}), 202)
    await shown_with(api, research_id, 0)
    stored = f"/operations/{make_watch_id(research_id)}/artifacts"

    refused(await api.delete(stored), 409, "artifacts_in_use")

    accepted(await api.delete(f"/watches/{research_id}", params={"wait": 30}))
    refused(await api.delete(stored), 409, "artifacts_in_use")
    assert accepted(await api.delete(stored, params={"resumable": True}))["data"]["artifacts"] == 2


async def test_what_cannot_be_watched_is_refused(api: httpx2.AsyncClient) -> None:
    refused(await api.post("/watches", json={"research_id": "op_nobody"}), 404, "not_found")
    refused(await api.get("/watches/op_nobody"), 404, "not_found")
    refused(await api.get("/watches/op_nobody/curve"), 404, "not_found")
    refused(await api.delete("/watches/op_nobody"), 404, "not_found")
    refused(await api.post("/watches", json={}), 422, "invalid_input")
    failed = accepted(await api.post("/agent/trigger", json={"symbol": FLAT, "trials": 1}), 202)[
        "operation_id"
    ]

    async def ended() -> bool:
        shown = accepted(await api.get(f"/operations/{failed}"))["data"]
        return bool(shown["status"] == "failed")

    await assert_eventually(ended, within=PATIENCE)
    refused(await api.post("/watches", json={"research_id": failed}), 409, "not_watchable")


async def test_a_watch_is_no_operation(api: httpx2.AsyncClient, found: tuple[str, str]) -> None:
    accepted(await api.post("/watches", json={"research_id": found[0]}), 202)

    refused(await api.get(f"/operations/{make_watch_id(found[0])}"), 404, "not_found")
    accepted(await api.delete(f"/watches/{found[0]}"))
