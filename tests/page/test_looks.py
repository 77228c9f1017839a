"""How the page looks: every size, light and dark, for everybody; its weight; its pictures."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, Route, expect
from temporalio.client import Client

from tests.api.answers import ended
from tests.page.conftest import DESKTOP, PHONE, ULTRA_HD, Site, open_page
from tests.page.support import LONG, QUICK, SLOW, find_row, has_no_overflow, start
from tests.support.phases import IN_TRAINING

pytestmark = pytest.mark.timeout(300)

_SERIOUS = {"serious", "critical"}
_MOST_BYTES = 100_000


async def find_faults(page: Page) -> list[str]:
    """Return what the accessibility check finds to be serious."""
    found: dict[str, Any] = (await Axe().run(page)).response
    return [
        f"{each['id']}: {node['target']} {node['failureSummary']}"
        for each in found["violations"]
        if each["impact"] in _SERIOUS
        for node in each["nodes"]
    ]


@pytest.mark.timeout(240)
async def test_all_screens_fit_and_can_be_used_by_everybody(
    browser: Browser, site: Site, http: httpx2.AsyncClient, client: Client, screenshots: Path
) -> None:
    done = await start(http, {**QUICK, "owner": "ada"})
    await ended(http, done)
    cancelled = await start(http, {"brief": "mean reversion", "trials": 5000, "owner": "linus"})
    await http.request(
        "DELETE", f"/operations/{cancelled}", json={"reason": "costs were too high (linus)"}
    )
    searching = await start(
        http, {"brief": "trend following on SP500, long only", "trials": 5000, "owner": "ada"}
    )
    running = await start(http, {**SLOW, "owner": "grace", "priority": 1})
    await IN_TRAINING.begun(client, running)
    for scheme, size in (("light", DESKTOP), ("dark", PHONE), ("light", ULTRA_HD)):
        wide = size["width"] > PHONE["width"]
        async with open_page(browser, site.address, size, color_scheme=scheme) as page:
            await page.goto("/")
            await expect(find_row(page, done)).to_be_visible(timeout=LONG)
            await expect(find_row(page, running).locator(".step.computing")).to_be_visible(
                timeout=LONG
            )
            await expect(find_row(page, searching).locator(".best")).to_be_visible(timeout=LONG)
            await expect(find_row(page, cancelled)).to_contain_text("costs were too high")
            assert await has_no_overflow(page)
            if size is not ULTRA_HD:
                assert await find_faults(page) == []
                name = "page-now" if wide else "page-now-phone"
                await page.screenshot(path=screenshots / f"{name}.png")
            await page.goto(f"/researches/{done}")
            await expect(page.locator("#report-frame")).to_be_visible(timeout=LONG)
            await expect(page.locator("#curves svg")).to_be_visible(timeout=LONG)
            assert await has_no_overflow(page)
            if size is not ULTRA_HD:
                assert await find_faults(page) == []
                name = "page-research" if wide else "page-research-phone"
                await page.screenshot(path=screenshots / f"{name}.png")


async def test_the_form_can_be_used_without_a_mouse(page: Page) -> None:
    await page.goto("/")
    await page.get_by_role("button", name="New research").focus()
    await page.keyboard.press("Enter")
    form = page.get_by_role("dialog", name="New research")
    await expect(form.locator(".understood")).to_contain_text("Cost", timeout=LONG)
    assert await find_faults(page) == []
    await page.keyboard.press("Escape")
    await expect(form).to_have_count(0)
    await expect(page.get_by_role("button", name="New research")).to_be_focused()


async def test_the_page_is_light_and_is_painted_before_it_has_any_data(
    page: Page, record_property: Callable[[str, object], None]
) -> None:
    asked = asyncio.Event()

    async def hold(_: Route) -> None:
        asked.set()

    await page.route("**/api/v1/**", hold)
    for path in (
        "/",
        "/researches/nosuch",
        "/record",
        "/campaigns-and-watches",
        "/campaigns-and-watches/nosuch",
    ):
        asked.clear()
        await page.goto(path)
        await asked.wait()
        await expect(page.get_by_role("heading", level=1)).to_be_visible()
        weight = await page.evaluate(
            """[...performance.getEntriesByType("navigation"),
                ...performance.getEntriesByType("resource").filter(e => e.name.includes("/static/"))
            ].reduce((sum, entry) => sum + entry.decodedBodySize, 0)"""
        )
        assert 10_000 < weight < _MOST_BYTES
        painted = await page.evaluate(
            "performance.getEntriesByName('first-contentful-paint')[0].startTime"
        )
        record_property(f"weight of {path}, bytes", weight)
        record_property(f"first paint of {path}, ms", painted)
