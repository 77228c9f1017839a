"""The screen of one research."""

import asyncio
import re
from collections.abc import Callable

import httpx2
import pytest
from playwright.async_api import Page, Route, expect

from tests.api.answers import ended
from tests.page.support import LONG, UNANSWERED, answer_unavailable, start

pytestmark = pytest.mark.timeout(300)

CHARTS = re.compile("/api/v1/operations/[^/]+/(candidates|metrics|curves)")
EVIDENCE = re.compile("/api/v1/(experiments/|hypotheses|operations/[^/]+/report)")
SEARCH = {"brief": "momentum on NASDAQ", "seed": 5, "bypass_gates": True}


async def test_candidates_are_points_while_they_are_scored(
    page: Page, http: httpx2.AsyncClient
) -> None:
    operation_id = await start(http, {**SEARCH, "trials": 5000})
    await page.goto(f"/researches/{operation_id}")
    await expect(page.locator("#candidates circle.dot").first).to_be_visible(timeout=LONG)
    await expect(page.locator("#candidates .luck").first).to_be_visible(timeout=LONG)
    await expect(page.locator("#steps .computing")).to_contain_text("design")
    await expect(page.locator("#curves svg")).to_have_count(0)
    # The arrow keys walk from candidate to candidate.
    hint = page.locator("#candidate")

    await page.locator("#candidates svg").focus()
    await page.keyboard.press("ArrowRight")
    await expect(hint).to_contain_text(re.compile("^Candidate [0-9]+: .*, [0-9,]+ trades?[.]"))
    await page.get_by_role("button", name="Cancel").click()
    await page.get_by_label("Reason").fill("seen enough")
    await page.get_by_role("button", name="Cancel it").click()
    await expect(page.locator("#problem")).to_contain_text("It was cancelled", timeout=LONG)
    await expect(page.locator("#problem")).to_contain_text("seen enough")
    await expect(page.locator("#events")).to_contain_text("Cancelled: seen enough")


async def test_the_verdict_its_conditions_and_the_report_are_in_place(
    page: Page, http: httpx2.AsyncClient, fresh_bars: Callable[[str, int], None]
) -> None:
    # A hypothesis that an earlier research has suggested, or tested, would not be shown as its own.
    fresh_bars("SEEN", 31)
    operation_id = await start(http, {**SEARCH, "brief": "momentum on SEEN", "trials": 8})
    await page.goto(f"/researches/{operation_id}")
    await ended(http, operation_id)
    await expect(page.get_by_role("heading", name="Verdict")).to_be_visible(timeout=LONG)
    await expect(page.locator("#conditions li")).to_have_count(10)
    await expect(page.locator("#conditions")).to_contain_text("at least 90.0 %")
    await _has_all_charts(page)
    frame = page.frame_locator("#report-frame")
    await expect(frame.get_by_role("heading", level=1)).to_be_visible(timeout=LONG)
    async with page.expect_download() as saved:
        await page.get_by_role("button", name="Strategy as YAML").click()
    assert (await saved.value).suggested_filename.endswith(".yaml")
    await page.get_by_role("link", name="Test it").first.click()
    form = page.get_by_role("dialog", name="New research")
    await expect(form).to_contain_text("To test:", timeout=LONG)
    await page.goto(f"/researches/{operation_id}")
    await page.get_by_role("button", name="Reproduce").click()
    await expect(page).not_to_have_url(re.compile(f"/{operation_id}$"), timeout=LONG)
    await expect(page.locator("#goal")).to_contain_text("momentum", timeout=LONG)


async def test_what_has_changed_while_it_was_read_is_read_once_more(
    page: Page, http: httpx2.AsyncClient
) -> None:
    done = asyncio.Event()

    async def hold(route: Route) -> None:
        answer = await route.fetch()
        await done.wait()
        await route.fulfill(response=answer)

    await page.route(CHARTS, hold)
    operation_id = await start(http, {**SEARCH, "trials": 8})
    await page.goto(f"/researches/{operation_id}")
    await expect(page.get_by_role("heading", name="Verdict")).to_be_visible(timeout=LONG)
    done.set()
    await _has_all_charts(page)


async def test_what_could_not_be_read_is_read_again(page: Page, http: httpx2.AsyncClient) -> None:
    operation_id = await start(http, {**SEARCH, "trials": 8})
    await ended(http, operation_id)
    for reads in (CHARTS, EVIDENCE):
        await page.route(reads, answer_unavailable)
    await page.route("**/whoami", answer_unavailable)
    await page.goto(f"/researches/{operation_id}")
    await expect(page.locator("#connection")).to_have_text("reconnecting")
    await page.unroute("**/whoami")
    await expect(page.locator("#events")).to_contain_text("Completed", timeout=LONG)
    await expect(page.locator("#verdict")).to_be_hidden()
    # Five reads have no answer, and one message says so.
    await expect(page.locator("#messages .message p")).to_have_text(UNANSWERED)
    for reads in (CHARTS, EVIDENCE):
        await page.unroute(reads)
    await _has_all_charts(page)
    await expect(page.locator("#conditions li")).to_have_count(10, timeout=LONG)
    report = page.frame_locator("#report-frame")
    await expect(report.get_by_role("heading", level=1)).to_be_visible(timeout=LONG)
    await expect(page.locator("#messages")).to_be_empty(timeout=LONG)


async def _has_all_charts(page: Page) -> None:
    points = page.locator("#candidates circle.dot, #candidates circle.out")
    await expect(points).to_have_count(8, timeout=LONG)
    await expect(page.locator("#losses polyline")).to_have_count(5, timeout=LONG)
    await expect(page.locator("#curves .late").first).to_be_visible(timeout=LONG)
