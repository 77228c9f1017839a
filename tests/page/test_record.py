"""The screen of the record: finding, comparing, notes and tags, deleting."""

from pathlib import Path

import httpx2
import pytest
from playwright.async_api import Browser, Locator, Page, expect
from temporalio.client import Client

from settings import Settings
from tests.api.answers import accepted, ended, refused
from tests.page.conftest import DESKTOP, PHONE, Site, open_page
from tests.page.keyed import run_keyed_site, use_key
from tests.page.support import LONG, QUICK, has_no_overflow, start
from tests.page.test_looks import find_faults
from tests.support.helpers import new_id

pytestmark = pytest.mark.timeout(300)

MARKUP = "<img src=x onerror=alert(1)> in <b>calm</b> years"


async def finish(http: httpx2.AsyncClient, **changes: object) -> str:
    """Return the id of a research that has completed."""
    operation_id = await start(http, {**QUICK, "trials": 2, **changes})
    assert (await ended(http, operation_id))["status"] == "completed"
    return operation_id


def find_line(page: Page, operation_id: str) -> Locator:
    """Return the line of an experiment."""
    return page.locator(f'#table tr[data-id="{operation_id}"]')


async def test_researches_are_compared_and_the_address_keeps_it(
    browser: Browser, site: Site, http: httpx2.AsyncClient, screenshots: Path
) -> None:
    owner = new_id("owner")
    first = await finish(http, owner=owner, seed=3)
    async with open_page(browser, site.address) as page:
        await page.goto(f"/record?owner={owner}")
        await expect(find_line(page, first)).to_be_visible(timeout=LONG)
        # What ends meanwhile appears by itself.
        second = await finish(http, owner=owner, seed=4, symbol="NASDAQ", long_only=True)
        await expect(find_line(page, second)).to_be_visible(timeout=LONG)
        for each in (first, second):
            await find_line(page, each).get_by_role("checkbox").check()
        await page.get_by_role("button", name="Compare 2").click()
        await expect(page.locator("#curves polyline.series")).to_have_count(2, timeout=LONG)
        differing = page.locator("#compared-parameters tr.differs", has_text="symbol")
        await expect(differing).to_contain_text("SP500")
        await expect(differing).to_contain_text("NASDAQ")
        same = page.locator("#compared-parameters th", has_text="costs.commission")
        await expect(same).to_have_count(0)
        await page.get_by_label("Only differences").uncheck()
        await expect(same).to_be_visible()
        await expect(page.locator("#correlations td").nth(1)).to_have_text("1.00")
        await page.get_by_label("Only differences").check()
        await page.screenshot(
            path=screenshots / "page-record.png",
            full_page=True,
            clip={"x": 0, "y": 0, "width": DESKTOP["width"], "height": 1500},
        )
        await page.get_by_label("Over").select_option("whole")
        assert await find_faults(page) == []
        assert await has_no_overflow(page)

        # The address is the view: a colleague who gets it sees the same.
        await page.reload()
        await expect(page.locator("#curves polyline.series")).to_have_count(2, timeout=LONG)
        await expect(page.get_by_label("Owner", exact=True)).to_have_value(owner)
        await page.get_by_role("button", name="Close the comparison").click()
        assert "compare" not in page.url

        await page.get_by_role("button", name="Bars").click()
        await expect(page.locator("#table tbody tr").first).to_have_attribute("data-id", second)
        await page.get_by_role("button", name="Bars").click()
        await expect(page.locator("#table tbody tr").first).to_have_attribute("data-id", first)
        assert "sort=symbol" in page.url
        await page.get_by_label("Order").select_option("rank")
        await expect(page.get_by_role("columnheader", name="Rank")).to_be_visible(timeout=LONG)
        await expect(page.get_by_label("Verdict")).to_be_disabled()
    async with open_page(browser, site.address, PHONE, color_scheme="dark") as phone:
        await phone.goto(f"/record?owner={owner}&compare={first},{second}")
        await expect(phone.locator("#curves polyline.series")).to_have_count(2, timeout=LONG)
        await expect(phone.locator("#chains > li").first).to_be_visible(timeout=LONG)
        assert await has_no_overflow(phone)
        assert await find_faults(phone) == []


async def test_a_note_full_of_markup_and_tags_are_written_and_found(
    page: Page, http: httpx2.AsyncClient
) -> None:
    owner, tag = new_id("owner"), new_id("tag")
    ids = [await finish(http, owner=owner, seed=seed) for seed in (3, 4)]
    await page.goto(f"/record?owner={owner}")
    line = find_line(page, ids[0])
    await line.get_by_role("button", name="Add a note").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Note", exact=True).fill(MARKUP)
    await dialog.get_by_label("Tags").fill("two_words, no/t*")
    await dialog.get_by_role("button", name="Save").click()
    # What was typed stays until it is valid.
    await expect(dialog.get_by_role("alert")).to_contain_text("letters, digits", timeout=LONG)
    await dialog.get_by_label("Tags").fill(f"{tag} calm")
    await dialog.get_by_role("button", name="Save").click()
    await expect(line.locator(".notes p")).to_have_text(MARKUP, timeout=LONG)
    assert await page.locator("#table img, #table b").count() == 0
    written = accepted(await http.get(f"/experiments/{ids[0]}"))["data"]
    assert (written["note"], written["tags"]) == (MARKUP, sorted(["calm", tag]))

    for each in ids:
        await find_line(page, each).get_by_role("checkbox").check()
    await page.get_by_role("button", name="Tag", exact=True).click()
    await dialog.get_by_label("Add").fill(f"{tag}-both")
    await dialog.get_by_label("Remove").fill("calm")
    await dialog.get_by_role("button", name="Save").click()
    await expect(find_line(page, ids[1]).locator(".tag")).to_have_text([f"{tag}-both"])
    await expect(line.locator(".tag")).to_have_text(sorted([tag, f"{tag}-both"]))
    await line.get_by_role("button", name=tag, exact=True).click()
    await expect(page.locator("#table tbody tr")).to_have_count(1)
    assert f"tag={tag}" in page.url
    await page.get_by_role("button", name="Clear").click()
    await page.get_by_label("Text").fill("CALM</B>")
    await expect(page.locator("#table tbody tr")).to_have_count(1)
    await page.get_by_label("Text").fill("nowhere")
    await expect(page.locator("#nothing")).to_have_text("Nothing matches these filters.")


async def test_artifacts_are_deleted_after_a_question_and_the_record_stays(
    page: Page, http: httpx2.AsyncClient
) -> None:
    owner = new_id("owner")
    done = await finish(http, owner=owner)
    request = {"trials": 10_000, "seed": 1, "owner": owner}
    cancelled = await start(http, request)
    accepted(await http.delete(f"/agent/cancel/{cancelled}", params={"wait": 20}))
    await ended(http, cancelled)
    await page.goto(f"/record?owner={owner}")
    for each in (done, cancelled):
        await find_line(page, each).get_by_role("checkbox").check()
    button = page.get_by_role("button", name="Delete artifacts")
    question = page.get_by_role("dialog")
    await button.click()
    await expect(question).to_contain_text(done, timeout=LONG)
    await expect(question).to_contain_text("artifacts, ")
    await question.get_by_role("button", name="Do nothing").click()
    assert (await http.get(f"/operations/{done}/report")).status_code == 200

    await button.click()
    await question.get_by_role("button", name="Delete artifacts").click()
    # The other one could be resumed.
    await expect(question).to_contain_text("could be resumed", timeout=LONG)
    await expect(question).to_contain_text(cancelled)
    await expect(question).not_to_contain_text(done)
    await question.get_by_role("button", name="Do nothing").click()
    await expect(page.locator("#messages")).to_contain_text("of 1 experiment", timeout=LONG)
    refused(await http.get(f"/operations/{done}/report"), 410, "artifacts_deleted")
    assert accepted(await http.get(f"/checkpoints/{cancelled}"))["data"]
    await expect(find_line(page, done)).to_be_visible()

    await page.get_by_role("button", name="Delete old artifacts").click()
    await question.get_by_label("Older than").fill("0")
    await question.get_by_label("Owner").fill(owner)
    await question.get_by_role("button", name="Show what would be deleted").click()
    await expect(question.get_by_role("status")).not_to_be_empty(timeout=LONG)
    assert await find_faults(page) == []


async def test_a_key_that_only_reads_is_offered_no_change(
    browser: Browser,
    client: Client,
    settings: Settings,
    http: httpx2.AsyncClient,
    tmp_path: Path,
) -> None:
    owner = new_id("owner")
    done = await finish(http, owner=owner)
    async with (
        run_keyed_site(settings, client, tmp_path) as site,
        open_page(browser, site.address, DESKTOP) as page,
    ):
        await page.goto(f"/record?owner={owner}")
        await use_key(page, site.reader)
        await find_line(page, done).get_by_role("checkbox").check(timeout=LONG)
        await expect(page.locator("#selection")).to_contain_text("1 ticked")
        for name in ("Add a note", "Tag", "Delete artifacts", "Delete old artifacts"):
            await expect(page.get_by_role("button", name=name)).to_have_count(0)


async def test_the_reference_of_the_api_needs_nothing_from_elsewhere(
    page: Page, site: Site
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await page.goto("/api/v1/docs")
    await expect(page.locator(".opblock").first).to_be_visible(timeout=LONG)
    assert all(url.startswith((site.address, "data:")) for url in asked)
