"""Watches on the page: begun on that of a research, followed and cancelled in the list."""

import re
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest
from playwright.async_api import Browser, Locator, Page, expect
from temporalio.client import Client

from settings import Settings
from tests.api.answers import accepted, ended, refused
from tests.page.conftest import DESKTOP, PHONE, Site, open_page
from tests.page.keyed import run_keyed_site, use_key
from tests.page.support import LONG, UNANSWERED, answer_unavailable, has_no_overflow, start
from tests.page.test_looks import find_faults
from tests.support.helpers import new_id
from tests.support.quant.data import walk
from tests.support.quant.universes import ROWS

pytestmark = pytest.mark.timeout(300)

BEFORE, LATER = 2000, 250
# Of the chart, not of a thumbnail.
CURVE = re.compile(r"/curve\?limit=1000$")
SHOW_TWICE = """async (researchId) => {
  const main = document.querySelector('script[src*="research/main.js"]').src;
  const { showCaller } = await import(new URL("../shared/shell.js", main));
  const { showVerdict } = await import(new URL("./verdict.js", main));
  const caller = await showCaller();
  await Promise.all([showVerdict(researchId, caller), showVerdict(researchId, caller)]);
}"""
LIST = "/campaigns-and-watches"


def find_line(page: Page, research_id: str) -> Locator:
    """Return the line of a watch."""
    return page.locator(f'#watch-rows tr[data-id="{research_id}"]')


async def find_strategy(
    http: httpx2.AsyncClient, fresh_bars: Callable[[str, int], None], owner: str
) -> tuple[str, str]:
    """Return a research that has ended, and its symbol, whose bars nobody else reads."""
    symbol = new_id("W").replace("_", "")[:16].upper()
    fresh_bars(symbol, 5)
    request = {"strategy": "quick", "seed": 7, "symbol": symbol, "owner": owner}
    research_id = await start(http, {**request, "bypass_gates": True})
    assert (await ended(http, research_id))["status"] == "completed"
    return research_id, symbol


async def test_a_strategy_is_watched_from_its_page_and_new_bars_are_seen(
    browser: Browser,
    site: Site,
    http: httpx2.AsyncClient,
    fresh_bars: Callable[[str, int], None],
    data_dir: Path,
) -> None:
    owner = new_id("owner")
    research_id, symbol = await find_strategy(http, fresh_bars, owner)
    async with open_page(browser, site.address) as page:
        await page.goto(f"/researches/{research_id}")
        await page.get_by_role("button", name="Watch this strategy").click(timeout=LONG)
        await page.get_by_role("link", name="Its watch").click()
        line = find_line(page, research_id)
        await expect(line).to_contain_text("watching", timeout=LONG)
        await expect(line).to_contain_text("no new bar yet")
        await expect(page.locator("#evidence-chart")).to_contain_text("No new bar has come yet")
        # Its first look is followed until it has ended.
        await expect(line.locator("time")).to_be_visible(timeout=LONG)

        walk(BEFORE + LATER, "1D", 5).to_csv(data_dir / f"{symbol}.csv", index=False)
        await line.get_by_role("button", name="Look now").click()
        # Not of the whole line: the name of its instrument may have the same digits.
        await expect(line.get_by_role("cell", name=f"{LATER - 1}", exact=True)).to_be_visible(
            timeout=LONG
        )
        seen = accepted(await http.get(f"/watches/{research_id}"))["data"]
        assert seen["bars"] == LATER - 1
        await expect(line.locator("svg polyline")).to_have_count(2, timeout=LONG)
        chart = page.locator("#evidence-chart svg")
        # What the address names is shown, with both limits and the bets.
        await expect(chart.locator("polyline")).to_have_count(4, timeout=LONG)
        await expect(chart).to_contain_text("1/20")
        hint = page.locator("#evidence-hint")
        await expect(hint).to_contain_text(f"{LATER - 1} bars since")
        await chart.focus()
        for _ in range(2):
            await page.keyboard.press("ArrowRight")
        await expect(hint).to_contain_text(re.compile(r"UTC: for it [0-9.]+, against it [0-9.]+;"))
        assert await find_faults(page) == []
        assert await has_no_overflow(page)

        await page.get_by_role("button", name="Close", exact=True).click()
        await expect(page.locator("#evidence")).to_be_hidden()
        assert "watch=" not in page.url
        await page.route(CURVE, answer_unavailable)
        await line.get_by_role("button", name="Evidence").click()
        await expect(page.locator("#evidence-chart")).to_contain_text(UNANSWERED)
        await expect(page.locator("#evidence-title")).to_be_focused()
        await expect(page.locator("#messages")).to_be_empty()
        await page.unroute(CURVE)
        await page.get_by_role("button", name="Close", exact=True).click()
        await line.get_by_role("button", name="Evidence").focus()
        await page.keyboard.press("Enter")
        await expect(page.locator("#evidence-title")).to_be_focused(timeout=LONG)
        await expect(chart.locator("polyline")).to_have_count(4)
        await page.goto(f"{LIST}?owner={owner}&watch={research_id}")
        await expect(chart.locator("polyline")).to_have_count(4, timeout=LONG)
        await expect(line.locator("svg")).to_be_visible(timeout=LONG)
        async with open_page(browser, site.address, PHONE, color_scheme="dark") as phone:
            await phone.goto(f"{LIST}?owner={owner}&watch={research_id}")
            await expect(phone.locator("#evidence-chart polyline")).to_have_count(4, timeout=LONG)
            assert await has_no_overflow(phone)
            assert await find_faults(phone) == []
        accepted(await http.delete(f"/watches/{research_id}", params={"wait": 30}))


async def test_a_watch_is_cancelled_after_a_question_and_keeps_what_it_has_seen(
    page: Page, http: httpx2.AsyncClient, fresh_bars: Callable[[str, int], None]
) -> None:
    research_id, symbol = await find_strategy(http, fresh_bars, new_id("owner"))
    accepted(await http.post("/watches", json={"research_id": research_id}), 202)
    await page.goto(LIST)
    line = find_line(page, research_id)
    await expect(line.locator("time")).to_be_visible(timeout=LONG)
    question = page.get_by_role("dialog", name="Cancel this watch?")
    await line.get_by_role("button", name="Cancel").click()
    await expect(question).to_contain_text(f"{symbol} 1d: 0 new bars seen, evidence 1")
    await question.get_by_role("button", name="Do nothing").click()
    assert accepted(await http.get(f"/watches/{research_id}"))["data"]["status"] == "running"
    await line.get_by_role("button", name="Cancel").click()
    await question.get_by_role("button", name="Cancel it").click()
    await expect(line).to_contain_text("cancelled", timeout=LONG)
    await expect(line.get_by_role("button", name="Look now")).to_have_count(0)
    await page.goto(f"{LIST}?watch=op_nobody")
    await expect(page.locator("#evidence-chart")).to_contain_text("op_nobody", timeout=LONG)
    # It can be watched on.
    await page.goto(f"/researches/{research_id}")
    await expect(page.get_by_role("link", name="Its watch")).to_be_visible(timeout=LONG)
    await expect(page.get_by_role("button", name="Watch this strategy")).to_be_visible()


async def test_a_look_that_failed_says_why_and_is_made_again(
    page: Page,
    http: httpx2.AsyncClient,
    fresh_bars: Callable[[str, int], None],
    data_dir: Path,
) -> None:
    research_id, symbol = await find_strategy(http, fresh_bars, new_id("owner"))
    accepted(await http.post("/watches", json={"research_id": research_id}), 202)
    await page.goto(LIST)
    line = find_line(page, research_id)
    await expect(line.locator("time")).to_be_visible(timeout=LONG)
    kept = (data_dir / f"{symbol}.csv").read_text()
    (data_dir / f"{symbol}.csv").write_text("date,open\n<b>,x\n")
    await line.get_by_role("button", name="Look now").click()
    await expect(line.locator(".problem")).to_contain_text("Its last look failed", timeout=LONG)
    assert await page.locator("#watch-rows b").count() == 0
    (data_dir / f"{symbol}.csv").write_text(kept)
    await line.get_by_role("button", name="Look now").click()
    await expect(line.locator(".problem")).to_have_count(0, timeout=LONG)
    accepted(await http.delete(f"/watches/{research_id}", params={"wait": 30}))


async def test_a_universe_is_watched_and_says_whose_bars_it_waits_for(
    page: Page, http: httpx2.AsyncClient, fresh_universe: Callable[..., None]
) -> None:
    symbols = ["WATCHA", "WATCHB"]
    fresh_universe(symbols, seed=42)
    request = {"strategy": "quick", "seed": 7, "symbols": symbols, "bypass_gates": True}
    research_id = await start(http, request)
    assert (await ended(http, research_id))["status"] == "completed"
    await page.goto(f"/researches/{research_id}")
    await page.get_by_role("button", name="Watch this strategy").click(timeout=LONG)
    await page.get_by_role("link", name="Its watch").click()
    line = find_line(page, research_id)
    await expect(line).to_contain_text("WATCHA,WATCHB 1d")
    await expect(line.locator("time")).to_be_visible(timeout=LONG)

    fresh_universe(symbols[:1], seed=42, rows=ROWS + 25)
    await line.get_by_role("button", name="Look now").click()
    await expect(line).to_contain_text("waits for bars of WATCHB since", timeout=LONG)

    fresh_universe(symbols, seed=42, rows=ROWS + 25)
    await line.get_by_role("button", name="Look now").click()
    await expect(line.locator("svg polyline")).to_have_count(2, timeout=LONG)
    await expect(line).not_to_contain_text("waits for")
    accepted(await http.delete(f"/watches/{research_id}", params={"wait": 30}))


async def test_a_key_that_only_reads_is_offered_no_watch(
    browser: Browser,
    client: Client,
    settings: Settings,
    http: httpx2.AsyncClient,
    fresh_bars: Callable[[str, int], None],
    tmp_path: Path,
) -> None:
    research_id, _ = await find_strategy(http, fresh_bars, new_id("owner"))
    accepted(await http.post("/watches", json={"research_id": research_id}), 202)
    async with (
        run_keyed_site(settings, client, tmp_path) as site,
        open_page(browser, site.address, DESKTOP) as page,
    ):
        await page.goto(LIST)
        await use_key(page, site.reader)
        line = find_line(page, research_id)
        await expect(line).to_contain_text("watching", timeout=LONG)
        await expect(line.get_by_role("button")).to_have_count(0)
        accepted(await http.delete(f"/watches/{research_id}", params={"wait": 30}))
        await page.goto(f"/researches/{research_id}")
        await expect(page.get_by_role("link", name="Its watch")).to_be_visible(timeout=LONG)
        await expect(page.get_by_role("button", name="Watch this strategy")).to_have_count(0)


async def test_what_can_be_watched_is_offered_once_and_nothing_else_is(
    page: Page, http: httpx2.AsyncClient, fresh_bars: Callable[[str, int], None]
) -> None:
    research_id, symbol = await find_strategy(http, fresh_bars, new_id("owner"))
    offer = page.get_by_role("button", name="Watch this strategy")
    await page.goto(f"/researches/{research_id}")
    await expect(offer).to_be_visible(timeout=LONG)
    # Two events may come in quick succession.
    await page.evaluate(SHOW_TWICE, research_id)
    await expect(offer).to_have_count(1)

    request = {"strategy": "quick", "seed": 7, "symbol": symbol, "benchmark": symbol}
    compared = await start(http, {**request, "bypass_gates": True})
    assert (await ended(http, compared))["status"] == "completed"
    answer = await http.post("/watches", json={"research_id": compared})
    refused(answer, 409, "not_watchable")
    await page.goto(f"/researches/{compared}")
    await expect(page.get_by_role("button", name="Reproduce")).to_be_visible(timeout=LONG)
    await page.evaluate(SHOW_TWICE, compared)
    await expect(offer).to_have_count(0)
