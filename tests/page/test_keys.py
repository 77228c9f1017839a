"""The page with a key of few rights."""

from pathlib import Path

import pytest
from playwright.async_api import Browser, expect
from temporalio.client import Client

from settings import Settings
from tests.page.conftest import open_page
from tests.page.keyed import run_keyed_site, use_key
from tests.page.support import LONG, find_row, start

pytestmark = pytest.mark.timeout(300)


async def test_a_key_that_only_reads_sees_everything_and_is_offered_nothing(
    browser: Browser, alone: Client, settings: Settings, tmp_path: Path
) -> None:
    async with (
        run_keyed_site(settings, alone, tmp_path) as site,
        open_page(browser, site.address) as page,
    ):
        async with site.as_admin() as http:
            of_ada = await start(http, {"owner": "ada"})
            of_bob = await start(http, {"owner": "bob"})
        await page.goto("/")
        question = page.get_by_role("dialog", name="This API needs a key")
        await question.get_by_label("Key").fill("wrong")
        await question.get_by_role("button", name="Use this key").click()
        await expect(question).to_contain_text("does not know this key", timeout=LONG)
        await use_key(page, site.reader)
        await expect(page.locator("#key")).to_have_text("reader · sees everything", timeout=LONG)
        await expect(find_row(page, of_bob)).to_be_visible(timeout=LONG)
        await expect(page.get_by_role("button", name="New research")).to_be_hidden()
        await expect(page.get_by_role("button", name="Cancel")).to_have_count(0)
        # It is in this tab's session, and nowhere else.
        assert await page.evaluate("[localStorage.length, document.cookie]") == [0, ""]

        await page.locator("#key").click()
        await use_key(page, site.runner)
        await expect(page.locator("#key")).to_contain_text("belongs to ada", timeout=LONG)
        await expect(find_row(page, of_ada)).to_be_visible(timeout=LONG)
        await expect(find_row(page, of_bob)).to_have_count(0)
        await expect(page.get_by_role("button", name="New research")).to_be_visible()
        await page.goto(f"/researches/{of_bob}")
        await expect(page.locator("#goal")).to_have_text("There is no such research", timeout=LONG)

        await page.locator("#key").click()
        await use_key(page, site.reading_runner)
        await expect(page.locator("#key")).to_contain_text("sees everything", timeout=LONG)
        await page.goto("/")
        await expect(find_row(page, of_bob)).to_be_visible(timeout=LONG)
        for row, offers in ((of_ada, 1), (of_bob, 0)):
            cancel = find_row(page, row).get_by_role("button", name="Cancel")
            await expect(cancel).to_have_count(offers)
