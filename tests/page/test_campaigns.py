"""The screens of campaigns: the list, and one campaign live."""

import asyncio
import re
from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.async_api import Browser, Locator, Page, Route, expect
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.client import Client

from settings import Settings
from tests.api.answers import accepted, ended
from tests.page.conftest import DESKTOP, PHONE, Site, open_page
from tests.page.keyed import run_keyed_site, use_key
from tests.page.support import (
    LONG,
    UNANSWERED,
    answer_unavailable,
    find_row,
    has_no_overflow,
)
from tests.page.test_looks import find_faults
from tests.support.helpers import PATIENCE, assert_eventually, new_id
from tests.support.phases import IN_DESIGN
from tests.support.quant.data import FLAT
from workflows.interface.ids import make_member_id

pytestmark = pytest.mark.timeout(300)

LIST = "/campaigns-and-watches"
ENDLESS = {"brief": "momentum <b>x</b>", "trials": 5000}


async def begin(http: httpx2.AsyncClient, **values: Any) -> str:
    """Start a campaign over REST, and return its id."""
    answer = await http.post("/campaigns", json={"name": new_id("indices"), **values})
    return str(accepted(answer, 202)["operation_id"])


def find_line(page: Page, operation_id: str) -> Locator:
    """Return the line of a campaign or of a member."""
    return page.locator(f'tr[data-id="{operation_id}"]')


async def test_members_and_the_campaign_are_followed_and_cancelled(
    page: Page, http: httpx2.AsyncClient, client: Client
) -> None:
    owner = new_id("owner")
    await page.goto(f"{LIST}?owner={owner}")
    await expect(page.locator("#no-campaigns")).to_contain_text(owner, timeout=LONG)
    campaign_id = await begin(
        http,
        symbols=["SP500", "NASDAQ"],
        research={**ENDLESS, "owner": owner},
        budget={"trials": 20_000, "hours": 2},
    )
    # It appears by itself.
    line = find_line(page, campaign_id)
    await expect(line).to_contain_text("0 of 2 researches", timeout=LONG)
    await expect(line).to_contain_text("10,000 of 20,000 trials · 0.0 of 2 h", timeout=LONG)
    await line.get_by_role("link").click()

    first, second = (make_member_id(campaign_id, number) for number in (1, 2))
    for member, symbol in ((first, "SP500"), (second, "NASDAQ")):
        row = find_line(page, member)
        await expect(row).to_contain_text(f"{symbol} 1d", timeout=LONG)
        # What a goal says stays text.
        await expect(row).to_contain_text("momentum <b>x</b>")
        await IN_DESIGN.begun(client, member)
        await expect(row).to_contain_text("computing", timeout=LONG)
    assert await find_faults(page) == []

    question = page.get_by_role("dialog")
    await find_line(page, first).get_by_role("button", name="Cancel").click()
    await expect(question.locator(".named li")).to_have_text(re.compile("^Member 1: momentum"))
    await question.get_by_label("Reason").fill("seen enough")
    await question.get_by_role("button", name="Cancel it").click()
    await expect(page.locator("#member-rows tr")).to_have_attribute("data-id", first, timeout=LONG)
    await expect(find_line(page, first)).to_contain_text("cancelled")
    await expect(page.locator("#done")).to_contain_text("1 of 2 researches", timeout=LONG)
    await expect(find_line(page, first).get_by_role("button")).to_have_count(0)
    assert (await ended(http, first))["cancellation_reason"] == "seen enough"

    await page.get_by_role("button", name="Cancel the campaign").click()
    await expect(question).to_contain_text("member 2, NASDAQ")
    await expect(question).not_to_contain_text("member 1")
    await question.get_by_role("button", name="Do nothing").click()
    assert not accepted(await http.get(f"/campaigns/{campaign_id}"))["data"]["cancel_requested"]
    await page.get_by_role("button", name="Cancel the campaign").click()
    await question.get_by_label("Reason").fill("no longer needed")
    await question.get_by_role("button", name="Cancel it and 1 running member").click()
    await expect(page.locator("#outcome")).to_have_text("cancelled", timeout=LONG)
    await expect(page.locator("#problem")).to_contain_text("no longer needed", timeout=LONG)
    await expect(page.locator("#member-rows tr")).to_have_count(2, timeout=LONG)
    await expect(page.locator("#running-rows tr")).to_have_count(0)
    await expect(page.get_by_role("button", name="Cancel")).to_have_count(0)

    # Its members are resumed or retried, and it is not.
    await page.goto(f"/?owner={owner}")
    await expect(find_row(page, first).get_by_role("button", name="Resume")).to_be_visible(
        timeout=LONG
    )
    await expect(find_row(page, campaign_id)).to_contain_text("no longer needed")
    await expect(find_row(page, campaign_id).get_by_role("button")).to_have_count(0)


async def test_members_are_ranked_and_judged_as_the_report_says(
    browser: Browser, site: Site, http: httpx2.AsyncClient, screenshots: Path
) -> None:
    research = {"trials": 4, "owner": "ada", "bypass_gates": True}
    async with open_page(browser, site.address) as page:
        campaign_id = await begin(
            http,
            name="rules-on-indices",
            symbols=["SP500", "NASDAQ", FLAT],
            briefs=["momentum", "mean reversion"],
            seeds=[1, 2],
            research=research,
            budget={"trials": 60, "hours": 1},
        )
        await page.goto(f"{LIST}?owner=ada")
        await find_line(page, campaign_id).get_by_role("link").click(timeout=LONG)
        # Members that end join the others while the rest runs.
        lines = page.locator("#member-rows tr")
        await expect(lines.nth(3)).to_be_visible(timeout=LONG)
        await expect(page.locator("#running-rows tr").first).to_be_visible()
        await page.screenshot(path=screenshots / "page-campaign.png")
        await expect(page.locator("#outcome")).to_have_text("completed", timeout=LONG)
        report = accepted(await http.get(f"/campaigns/{campaign_id}/report"))["data"]
        await expect(lines).to_have_count(12, timeout=LONG)
        shown = await lines.evaluate_all("rows => rows.map(row => row.dataset.id)")
        assert shown == [row["operation_id"] for row in report["rows"]]
        best = report["rows"][0]
        await expect(lines.first).to_contain_text(best["verdict"].replace("_", " "))
        await expect(lines.first).to_contain_text(f"{best['trials_ever']} trials")
        await expect(lines.first).to_contain_text(f"{100 * best['deflated_sharpe']:.0f} %")
        await expect(lines.last).to_contain_text(FLAT)
        await expect(lines.last).to_contain_text("failed")
        await expect(page.locator("#facts")).to_contain_text("momentum, mean reversion")
        await expect(page.locator("#facts")).to_contain_text("4 failed")
        await expect(page.locator("#facts")).to_contain_text("48 of 60 trials")
        assert await find_faults(page) == []
        assert await has_no_overflow(page)

        await lines.first.get_by_role("link").click()
        await expect(page.locator("#verdict")).to_be_visible(timeout=LONG)
        await page.get_by_role("link", name="Its campaign").click()
        await expect(lines).to_have_count(12, timeout=LONG)
        running = await begin(http, research={**ENDLESS, "owner": "ada"}, seeds=[1, 2, 3, 4])
        await page.goto("/?owner=ada")
        await expect(find_row(page, running)).to_contain_text("0 of 4 researches", timeout=LONG)
        await page.goto(f"{LIST}?owner=ada")
        await expect(find_line(page, campaign_id)).to_contain_text("12 of 12 res", timeout=LONG)
        # Whoever has its id from elsewhere gets there, too.
        await page.goto(f"/researches/{running}")
        await expect(page).to_have_url(re.compile(f"{LIST}/{running}$"), timeout=LONG)
        await page.goto(f"{LIST}/op_campaign_nosuch")
        await expect(page.locator("#name")).to_have_text("There is no such campaign", timeout=LONG)
    async with open_page(browser, site.address, PHONE, color_scheme="dark") as phone:
        for path in (f"{LIST}?owner=ada", f"{LIST}/{campaign_id}"):
            await phone.goto(path)
            await expect(phone.locator("tbody tr").first).to_be_visible(timeout=LONG)
            assert await has_no_overflow(phone)
            assert await find_faults(phone) == []


async def test_many_members_are_shown_in_pages(page: Page, http: httpx2.AsyncClient) -> None:
    research = {"strategy": "quick", "symbol": FLAT}
    campaign_id = await begin(http, research=research, seeds=[*range(52)], parallel=8)
    await page.goto(f"{LIST}/{campaign_id}")
    await expect(page.locator("#outcome")).to_have_text("completed", timeout=LONG)
    lines = page.locator("#member-rows tr")
    await expect(lines).to_have_count(50, timeout=LONG)
    await page.get_by_role("button", name="Next page").click()
    await expect(lines).to_have_count(2, timeout=LONG)
    await expect(lines.last).to_have_attribute("data-id", make_member_id(campaign_id, 52))
    await expect(page.locator("#shown")).to_have_text("51 to 52 of 52 members that have begun")
    await expect(page.get_by_role("button", name="Next page")).to_be_disabled()
    await page.get_by_role("button", name="Previous page").click()
    await expect(lines).to_have_count(50, timeout=LONG)


async def test_an_answer_that_fails_is_asked_for_again_and_what_is_shown_stays(
    page: Page, http: httpx2.AsyncClient
) -> None:
    refused = asyncio.Event()

    async def note_and_answer(route: Route) -> None:
        refused.set()
        await answer_unavailable(route)

    reads = re.compile("/api/v1/campaigns/")
    campaign_id = await begin(http, research=ENDLESS, seeds=[1, 2])
    await page.route(reads, note_and_answer)
    await page.goto(f"{LIST}/{campaign_id}")
    await expect(page.locator("#about")).to_have_text(UNANSWERED, timeout=LONG)
    await page.unroute(reads)
    await expect(page.locator("#running-rows tr")).to_have_count(2, timeout=LONG)

    await page.route(reads, note_and_answer)
    refused.clear()
    member = make_member_id(campaign_id, 1)
    accepted(await http.delete(f"/operations/{member}", params={"wait": 30}))
    async with asyncio.timeout(PATIENCE):
        await refused.wait()
    await expect(find_line(page, member)).to_contain_text("cancelled", timeout=LONG)
    await expect(page.locator("#facts")).to_contain_text("none yet")
    await page.unroute(reads)
    await expect(page.locator("#facts")).to_contain_text("1 cancelled", timeout=LONG)
    await expect(page.locator("#member-rows tr")).to_have_attribute("data-id", member)


async def test_a_campaign_that_temporal_has_forgotten_is_shown_from_its_report(
    page: Page, http: httpx2.AsyncClient, client: Client
) -> None:
    campaign_id = await begin(http, research={"strategy": "quick"}, seeds=[1, 2])
    assert (await ended(http, campaign_id))["status"] == "completed"
    await client.workflow_service.delete_workflow_execution(
        DeleteWorkflowExecutionRequest(
            namespace=client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=campaign_id),
        )
    )

    async def forgotten() -> bool:
        return (await http.get(f"/campaigns/{campaign_id}")).status_code == httpx2.codes.NOT_FOUND

    await assert_eventually(forgotten, within=PATIENCE)
    await page.goto(f"{LIST}/{campaign_id}")
    await expect(page.locator("#outcome")).to_have_text("completed", timeout=LONG)
    await expect(page.locator("#member-rows tr")).to_have_count(2)
    await expect(page.locator("#done")).to_have_text("2 of 2 researches")
    await expect(page.locator("#time")).to_have_text(re.compile("^[0-9]+ (s|min .*)$"))
    await expect(page.get_by_role("button", name="Cancel the campaign")).to_have_count(0)


async def test_a_key_is_offered_what_it_may_do_and_shown_what_it_may_see(
    browser: Browser, alone: Client, settings: Settings, tmp_path: Path
) -> None:
    async with run_keyed_site(settings, alone, tmp_path) as site:
        async with site.as_admin() as http:
            of_ada = await begin(http, research={**ENDLESS, "owner": "ada"})
            of_bob = await begin(http, research={**ENDLESS, "owner": "bob"})
        offers = {site.reader: (0, 0), site.runner: (1, None), site.canceller: (1, 1)}
        for key, (for_ada, for_bob) in offers.items():
            async with open_page(browser, site.address, DESKTOP) as page:
                await page.goto(LIST)
                await use_key(page, key)
                await expect(find_line(page, of_ada)).to_be_visible(timeout=LONG)
                await expect(find_line(page, of_ada).get_by_role("button")).to_have_count(for_ada)
                if for_bob is None:
                    await expect(find_line(page, of_bob)).to_have_count(0)
                    await page.goto(f"{LIST}/{of_bob}")
                    await expect(page.locator("#name")).to_have_text(
                        "There is no such campaign", timeout=LONG
                    )
                    continue
                await expect(find_line(page, of_bob).get_by_role("button")).to_have_count(for_bob)
