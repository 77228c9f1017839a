"""The page with a key of few rights."""

from pathlib import Path

import httpx2
import pytest
from playwright.async_api import Browser, expect
from temporalio.client import Client

from api.auth.keys import KeyRing
from api.auth.scopes import Scope
from settings import Settings
from tests.page.conftest import open_page, run_site
from tests.page.support import LONG, find_row, start

pytestmark = pytest.mark.timeout(300)


async def test_a_key_that_only_reads_sees_everything_and_is_offered_nothing(
    browser: Browser, alone: Client, settings: Settings, tmp_path: Path
) -> None:
    ring = KeyRing(tmp_path / "keys.json")
    admin = ring.add("admin", "ops", (Scope.ADMIN,))
    reader = ring.add("reader", "ops", (Scope.READ,))
    runner = ring.add("ada", "ada", (Scope.RUN,))
    both = ring.add("eve", "ada", (Scope.READ, Scope.RUN))
    keyed = settings.model_copy(update={"api_keys": ring.path})
    async with run_site(keyed, alone) as site, open_page(browser, site.address) as page:
        headers = {"Authorization": f"Bearer {admin}"}
        async with httpx2.AsyncClient(base_url=site.address, headers=headers, timeout=60) as http:
            of_ada = await start(http, {"owner": "ada"})
            of_bob = await start(http, {"owner": "bob"})
        await page.goto("/")
        question = page.get_by_role("dialog", name="This API needs a key")
        await question.get_by_label("Key").fill("wrong")
        await question.get_by_role("button", name="Use this key").click()
        await expect(question).to_contain_text("does not know this key", timeout=LONG)
        await question.get_by_label("Key").fill(reader)
        await question.get_by_role("button", name="Use this key").click()
        await expect(page.locator("#key")).to_have_text("reader · sees everything", timeout=LONG)
        await expect(find_row(page, of_bob)).to_be_visible(timeout=LONG)
        await expect(page.get_by_role("button", name="New research")).to_be_hidden()
        await expect(page.get_by_role("button", name="Cancel")).to_have_count(0)
        # It is in this tab's session, and nowhere else.
        assert await page.evaluate("[localStorage.length, document.cookie]") == [0, ""]

        await page.locator("#key").click()
        await page.get_by_label("Key", exact=True).fill(runner)
        await page.get_by_role("button", name="Use this key").click()
        await expect(page.locator("#key")).to_contain_text("belongs to ada", timeout=LONG)
        await expect(find_row(page, of_ada)).to_be_visible(timeout=LONG)
        await expect(find_row(page, of_bob)).to_have_count(0)
        await expect(page.get_by_role("button", name="New research")).to_be_visible()
        await page.goto(f"/researches/{of_bob}")
        await expect(page.locator("#goal")).to_have_text("There is no such research", timeout=LONG)

        await page.locator("#key").click()
        await page.get_by_label("Key", exact=True).fill(both)
        await page.get_by_role("button", name="Use this key").click()
        await expect(page.locator("#key")).to_contain_text("sees everything", timeout=LONG)
        await page.goto("/")
        await expect(find_row(page, of_bob)).to_be_visible(timeout=LONG)
        for row, offers in ((of_ada, 1), (of_bob, 0)):
            cancel = find_row(page, row).get_by_role("button", name="Cancel")
            await expect(cancel).to_have_count(offers)
