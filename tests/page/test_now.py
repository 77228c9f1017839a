"""The screen "Now": starting, watching, cancelling, resuming, filtering."""

import asyncio
import re

import httpx2
import pytest
from playwright.async_api import Browser, Dialog, Locator, Page, expect
from temporalio.client import Client

from settings import Settings
from tests.api.answers import accepted, ended
from tests.page.conftest import open_page, run_site
from tests.page.support import LONG, QUICK, SLOW, UNANSWERED, answer_unavailable, find_row, start
from tests.support.outside.temporal_server import end_everything
from tests.support.phases import IN_TRAINING

pytestmark = pytest.mark.timeout(300)


@pytest.mark.usefixtures("http")
async def test_a_research_is_started_with_the_form_and_watched_to_its_verdict(page: Page) -> None:
    await page.goto("/")
    await page.get_by_role("button", name="New research").click()
    form = page.get_by_role("dialog")
    await form.get_by_label("Goal, in words").fill("momentum on NASDAQ with moonbeams")
    await form.get_by_label("Trials").fill("4")
    understood = form.locator(".understood")
    await expect(understood).to_contain_text("NASDAQ, 1d bars; search of 4 trials", timeout=LONG)
    await expect(understood).to_contain_text("without effect: 'moonbeams'")
    await expect(understood).to_contain_text("look at the holdout of NASDAQ, 1d")
    await form.get_by_role("button", name="Start", exact=True).click()
    await expect(form).to_be_hidden(timeout=LONG)
    row = page.locator(".row", has_text="with moonbeams")
    await expect(row).to_contain_text("NASDAQ, 1d", timeout=LONG)
    await _has_a_verdict(row.locator(".outcome .chip"))
    await row.get_by_role("link", name="Open").click()
    await expect(page.get_by_role("heading", name="Verdict")).to_be_visible(timeout=LONG)


async def test_what_cannot_start_says_why_and_marks_the_field(
    page: Page, http: httpx2.AsyncClient
) -> None:
    await page.goto("/#start?symbol=NOWHERE")
    form = page.get_by_role("dialog")
    await expect(form.locator(".understood")).to_contain_text("NOWHERE", timeout=LONG)
    await expect(form.get_by_label("Symbol")).to_have_attribute("aria-invalid", "")
    await expect(form.get_by_role("button", name="Start", exact=True)).to_be_disabled()
    assert accepted(await http.get("/operations", params={"symbol": "NOWHERE"}))["total_count"] == 0


async def test_a_cancelled_row_says_stopping_at_once_and_cancelled_when_it_is_true(
    page: Page, http: httpx2.AsyncClient, client: Client
) -> None:
    operation_id = await start(http, SLOW)
    await IN_TRAINING.begun(client, operation_id)
    await page.goto("/")
    row = find_row(page, operation_id)
    await expect(row.locator(".step.computing")).to_contain_text("training", timeout=LONG)
    await row.get_by_role("button", name="Cancel").click()
    question = page.get_by_role("dialog")
    await expect(question).to_contain_text("slow")
    await question.get_by_label("Reason").fill("no <b>longer</b> needed")
    states = await _record_states(page, operation_id)
    await question.get_by_role("button", name="Cancel it").click()
    await expect(row.locator(".outcome .chip")).to_have_text("cancelled", timeout=LONG)
    await expect(row.locator(".detail")).to_have_text("no <b>longer</b> needed")
    assert (await ended(http, operation_id))["status"] == "cancelled"
    seen = [each for each in await page.evaluate(states) if each != "computing"]
    assert seen[0] == "stopping", seen
    assert seen[-1] == "cancelled", seen
    await row.get_by_role("button", name="Resume").click()
    await expect(row.locator(".step.computing")).to_contain_text("training", timeout=LONG)
    await page.goto(f"/researches/{operation_id}")
    await expect(page.locator("#losses polyline").first).to_be_visible(timeout=LONG)


async def test_several_are_cancelled_after_a_question_that_names_them(
    browser: Browser, alone: Client, settings: Settings
) -> None:
    async with run_site(settings, alone) as site, open_page(browser, site.address) as page:
        async with httpx2.AsyncClient(base_url=site.address, timeout=60) as http:
            for goal in ("momentum one", "momentum two", "momentum three"):
                await start(http, {"brief": f"{goal} on NASDAQ"})
        await page.goto("/")
        await expect(page.locator(".row")).to_have_count(3, timeout=LONG)
        for goal in ("one", "three"):
            await page.get_by_role("checkbox", name=f"momentum {goal} on NASDAQ").check()
        bar = page.get_by_role("region", name="What is ticked")
        await expect(bar).to_contain_text("2 ticked")
        await bar.get_by_role("button", name="Cancel 2").click()
        named = page.get_by_role("dialog").locator(".named")
        await expect(named).to_contain_text("momentum one")
        await expect(named).to_contain_text("momentum three")
        await expect(named).not_to_contain_text("momentum two")
        await page.get_by_role("button", name="Cancel 2").last.click()
        # Without a worker they cannot stop yet, and do not say that they have.
        await expect(page.locator(".row[data-state=stopping]")).to_have_count(2, timeout=LONG)
        await expect(page.locator("#head")).to_contain_text("2 stopping", timeout=LONG)


async def test_filters_live_in_the_address(page: Page, http: httpx2.AsyncClient) -> None:
    mine = await start(http, {**QUICK, "owner": "grace"})
    other = await start(http, {**QUICK, "owner": "linus", "seed": 4})
    await page.goto("/?owner=grace")
    await expect(find_row(page, mine)).to_be_visible(timeout=LONG)
    await expect(page.get_by_label("Owner")).to_have_value("grace")
    await expect(find_row(page, other)).to_have_count(0)
    await page.get_by_label("Owner").fill("linus")
    await expect(find_row(page, other)).to_be_visible(timeout=LONG)
    await expect(page).to_have_url(f"{_base(page)}/?owner=linus")
    await page.get_by_label("Text").fill("nothing like it")
    await expect(page.locator("#nothing")).to_have_text("Nothing matches these filters.")
    await page.get_by_label("Owner").fill("not/an/owner")
    await expect(page.locator("#filter-problem")).to_contain_text("owner", timeout=LONG)


async def test_text_from_outside_never_becomes_markup(page: Page, http: httpx2.AsyncClient) -> None:
    async def refuse(dialog: Dialog) -> None:
        raise AssertionError(dialog.message)

    page.on("dialog", refuse)
    markup = "momentum <img src=x onerror=alert(1)><script>alert(2)</script> on NASDAQ"
    operation_id = await start(http, {**QUICK, "brief": markup})
    await page.goto("/")
    row = find_row(page, operation_id)
    await expect(row.locator(".goal")).to_contain_text("<img src=x onerror=alert(1)>")
    await _has_a_verdict(row.locator(".outcome .chip"))
    await row.locator(".goal").click()
    frame = page.frame_locator("#report-frame")
    await expect(frame.locator("body")).to_contain_text("<script>alert(2)</script>", timeout=LONG)
    for place in (page.locator("main"), frame.locator("body")):
        assert await place.locator("img, script").count() == 0
    # The report has its own styles, which the page itself must not have.
    assert await frame.locator("body").evaluate("body => getComputedStyle(body).maxWidth") != "none"


async def test_a_page_recovers_when_the_api_comes_back(
    browser: Browser, alone: Client, settings: Settings
) -> None:
    async with run_site(settings, alone) as site, open_page(browser, site.address) as page:
        async with httpx2.AsyncClient(base_url=site.address, timeout=60) as http:
            lost = await start(http, {})
        # Of what has ended, this list knows nothing.
        await page.goto("/?status=active")
        live = page.locator("#connection")
        await expect(find_row(page, lost)).to_contain_text("1st in line", timeout=LONG)
        await site.stop()
        await alone.get_workflow_handle(lost).terminate(reason="while nobody saw it")
        await expect(live).to_have_text("reconnecting", timeout=LONG)
        reads = re.compile(r"/api/v1/operations(\?|/op_)")
        await page.route(reads, answer_unavailable)
        await site.start()
        await expect(live).to_have_text("live", timeout=LONG)
        await expect(page.locator("#shown")).to_have_text(UNANSWERED, timeout=LONG)
        await page.unroute(reads)
        async with httpx2.AsyncClient(base_url=site.address, timeout=60) as http:
            operation_id = await start(http, {})
        await expect(find_row(page, operation_id)).to_contain_text("1st in line", timeout=LONG)
        await expect(find_row(page, lost)).to_contain_text("cancelled by force", timeout=LONG)


async def test_a_hundred_operations_are_shown_and_followed(
    browser: Browser, alone: Client, settings: Settings
) -> None:
    async with (
        run_site(settings, alone) as site,
        open_page(browser, site.address) as page,
        httpx2.AsyncClient(base_url=site.address, timeout=60) as http,
    ):
        first = await start(http, {"seed": 0})
        for seed in range(1, 99, 7):
            await asyncio.gather(*(start(http, {"seed": each}) for each in range(seed, seed + 7)))
        last = await start(http, {"seed": 99})
        await page.goto("/")
        await expect(page.locator("#head")).to_contain_text("100 waiting", timeout=LONG)
        await expect(page.locator(".row")).to_have_count(100, timeout=LONG)
        await expect(find_row(page, last)).to_contain_text("100th in line")
        place = await find_row(page, last).bounding_box()
        accepted(await http.delete(f"/operations/{first}", params={"wait": 0}))
        await expect(page.locator(".row[data-state=stopping]")).to_have_count(1, timeout=LONG)
        # Nothing else has moved, but for the 1/64 of a pixel to which the browser rounds.
        assert await find_row(page, last).bounding_box() == pytest.approx(place, abs=1)
    await end_everything(alone)


async def _has_a_verdict(chip: Locator) -> None:
    await expect(chip).to_have_text(
        re.compile("^(promising|mediocre|poor|no signal)$"), timeout=LONG
    )


async def _record_states(page: Page, operation_id: str) -> str:
    """Record every state that a row shows from now on; returns the script that lists them."""
    await page.evaluate(
        """id => {
            window.seen = [];
            const row = document.querySelector(`.about[title="${id}"]`).closest(".row");
            const chip = row.querySelector(".outcome .chip");
            new MutationObserver(() => {
                if (window.seen.at(-1) !== chip.textContent) window.seen.push(chip.textContent);
            }).observe(chip, { childList: true, characterData: true, subtree: true });
        }""",
        operation_id,
    )
    return "window.seen"


def _base(page: Page) -> str:
    return page.url.split("/?")[0]
