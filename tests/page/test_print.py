"""A printed report has everything that the screen has, unfolded and within the paper."""

from pathlib import Path

import pytest
from playwright.async_api import Browser

from quant.report.page import render_report
from tests.support.quant.reports import research_universe

# A4 at 96 dots per inch, less the usual margins.
PAPER = {"width": 718, "height": 1047}


@pytest.mark.parametrize("instruments", [3, 40])
async def test_printing_loses_nothing(browser: Browser, tmp_path: Path, instruments: int) -> None:
    report = tmp_path / "report.html"
    report.write_text(render_report(research_universe(tmp_path, instruments)))
    page = await browser.new_page(viewport=PAPER)  # type: ignore[arg-type]
    try:
        await page.goto(report.as_uri())
        folded = page.locator("details:not([open])")
        assert await folded.count() > 0
        hidden = folded.locator("table, svg").first
        assert not await hidden.is_visible()

        await page.emulate_media(media="print")

        for each in await folded.locator("table, figure").all():
            box = await each.bounding_box()
            assert box is not None
            assert box["height"] > 0.0
        assert await page.evaluate(
            "[...document.querySelectorAll('table, svg, p, dl')]"
            ".every(each => each.getBoundingClientRect().right <= innerWidth + 1)"
        )
    finally:
        await page.close()
