"""`/campaigns`: many researches under one budget."""

from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest
from temporalio.client import Client

from api.app import create_app
from api.campaigns.members import describe_pending
from quant.messages.campaign import CampaignRecord, CampaignState
from settings import Settings
from tests.api.answers import accepted, ended, refused
from tests.support.helpers import PATIENCE, assert_eventually, new_id, serving
from tests.support.phases import IN_DESIGN
from tests.support.quant.data import FAILURE_OF_FLAT, FLAT
from workflows.campaign import Campaign
from workflows.interface.campaigns import CampaignInput, CampaignRequest
from workflows.interface.contract import OperationStatus
from workflows.interface.ids import make_member_id
from workflows.interface.messages import ResearchRequest
from workflows.policies import RESEARCH_QUEUE

QUICK = {"strategy": "quick"}
LONG = {"trials": 5000}


def body(**values: Any) -> dict[str, Any]:
    return {"name": new_id("c"), "research": QUICK, "seeds": [1, 2, 3]} | values


async def start(api: httpx2.AsyncClient, request: dict[str, Any]) -> str:
    answer = await api.post("/campaigns", json=request)
    started = accepted(answer, 202)
    assert answer.headers["location"] == f"/api/v1/campaigns/{started['operation_id']}"
    operation_id: str = started["operation_id"]
    return operation_id


async def wait_for_members(client: Client, campaign_id: str, *numbers: int) -> list[str]:
    members = [make_member_id(campaign_id, number) for number in numbers]
    for member in members:
        await IN_DESIGN.begun(client, member)
    return members


def test_a_request_is_read_once_for_all_members(monkeypatch: pytest.MonkeyPatch) -> None:
    record = CampaignRecord(
        operation_id="op_campaign",
        name="many",
        owner="ada",
        started_at=datetime.now(UTC),
        status=OperationStatus.RUNNING,
        request={"name": "many", "seeds": list(range(4000)), "research": QUICK},
        members=4000,
        members_per_generation=3999,
        state=CampaignState(begun=4000),
    )
    read = []
    validate = CampaignRequest.model_validate

    def count(request: dict[str, Any]) -> CampaignRequest:
        read.append(request)
        return validate(request)

    monkeypatch.setattr(CampaignRequest, "model_validate", count)

    rows = describe_pending(record, [1, 7, 3999, 4000])

    assert [row.number for row in rows.values()] == list(rows) == [1, 7, 3999, 4000]
    assert [row.seed for row in rows.values()] == [0, 6, 3998, None]
    assert {row.strategy_name for row in rows.values()} == {"quick", None}
    assert len(read) == 1
    assert describe_pending(record, []) == {}
    assert len(read) == 1
    # A request of an earlier version may lack what this one needs.
    earlier = record.model_copy(update={"request": {"seeds": [1]}})
    assert describe_pending(earlier, [1])[1].seed is None


async def test_a_campaign_is_started_shown_listed_and_reported(api: httpx2.AsyncClient) -> None:
    owner = new_id("owner")
    request = body(
        symbols=["SP500", FLAT], seeds=[1, 2], research=QUICK | {"owner": owner}, parallel=4
    )
    campaign_id = await start(api, request)
    assert (await ended(api, campaign_id))["status"] == "completed"
    shown = accepted(await api.get(f"/campaigns/{campaign_id}"))["data"]
    assert (shown["operation_type"], shown["owner"]) == ("campaign", owner)
    state = shown["campaign"]["state"]
    assert (state["begun"], state["completed"], state["failed"]) == (4, 2, 2)
    results = accepted(await api.get(f"/operations/{campaign_id}/results"))["results"]
    assert results["state"] == state

    async def listed() -> bool:
        rows = accepted(await api.get("/campaigns", params={"owner": owner}))["data"]
        return [(row["operation_id"], row["status"]) for row in rows] == [
            (campaign_id, "completed")
        ]

    await assert_eventually(listed)
    rows = accepted(await api.get(f"/campaigns/{campaign_id}/report"))["data"]["rows"]
    assert [row["operation_id"] for row in rows] == [
        make_member_id(campaign_id, number) for number in (1, 3, 2, 4)
    ]
    assert [row["status"] for row in rows] == ["completed", "completed", "failed", "failed"]
    assert all(row["verdict"] for row in rows[:2])
    assert all(FAILURE_OF_FLAT in row["error"] for row in rows[2:])
    part = await api.get(f"/campaigns/{campaign_id}/report", params={"limit": 2, "offset": 1})
    assert accepted(part)["data"]["rows"] == rows[1:3]
    page = await api.get(f"/campaigns/{campaign_id}/report.html")
    assert request["name"] in page.text
    assert page.text.count("<tr>") == 5
    member = accepted(await api.get(f"/operations/{rows[0]['operation_id']}"))["data"]
    assert (member["parent_operation_id"], member["owner"]) == (campaign_id, owner)


async def test_one_member_is_cancelled_and_then_the_campaign(
    api: httpx2.AsyncClient, client: Client
) -> None:
    research = LONG | {"brief": "momentum"}
    campaign_id = await start(api, body(research=research, symbols=["NASDAQ"], seeds=[1, 2]))
    first, second = await wait_for_members(client, campaign_id, 1, 2)
    running = accepted(await api.get(f"/campaigns/{campaign_id}"))["data"]["running"]
    assert [(row["operation_id"], row["seed"]) for row in running] == [(first, 1), (second, 2)]
    sought = {"symbol": "NASDAQ", "brief": "momentum", "designer": "search", "status": "pending"}
    assert all(row.items() >= sought.items() for row in running)
    assert accepted(await api.get(f"/campaigns/{campaign_id}/report"))["data"]["rows"] == running
    accepted(await api.delete(f"/operations/{first}", params={"wait": 30}))

    async def counted() -> bool:
        shown = accepted(await api.get(f"/campaigns/{campaign_id}"))["data"]
        return bool(shown["campaign"]["state"]["cancelled"] == 1)

    await assert_eventually(counted)
    shown = accepted(await api.get(f"/operations/{campaign_id}"))["data"]
    assert (shown["status"], shown["progress"]["items_processed"]) == ("running", 1)
    children = accepted(await api.get(f"/operations/{campaign_id}/children"))["data"]
    assert [each["operation_id"] for each in children] == [second]

    async def doors_agree() -> bool:
        rows = accepted(await api.get("/campaigns"))["data"]
        return [
            row["progress_percentage"] for row in rows if row["operation_id"] == campaign_id
        ] == [50.0]

    await assert_eventually(doors_agree)
    cancelled = accepted(
        await api.request(
            "DELETE", f"/campaigns/{campaign_id}", params={"wait": 30}, json={"reason": "enough"}
        )
    )["data"]
    assert (cancelled["status"], cancelled["children_cancelled"]) == ("cancelled", [second])
    member = await ended(api, second)
    assert (member["status"], member["cancellation_reason"]) == ("cancelled", "enough")
    rows = accepted(await api.get(f"/campaigns/{campaign_id}/report"))["data"]["rows"]
    assert [row["status"] for row in rows] == ["cancelled", "cancelled"]
    refused(await api.delete(f"/campaigns/{campaign_id}"), 409, "not_cancellable")
    refused(await api.post(f"/operations/{campaign_id}/resume"), 409, "not_resumable")


async def test_a_cancel_of_one_that_continues_as_new_again_and_again_is_not_lost(
    api: httpx2.AsyncClient, client: Client
) -> None:
    request = CampaignRequest(
        name="short-runs", research=ResearchRequest(strategy="quick"), seeds=tuple(range(40))
    )
    given = CampaignInput(request=request, members_per_run=1)
    for runs in (0, 2):
        campaign = await client.start_workflow(
            Campaign.run, given, id=new_id("op_campaign"), task_queue=RESEARCH_QUEUE
        )

        async def has_continued(campaign_id: str = campaign.id, runs: int = runs) -> bool:
            shown = accepted(await api.get(f"/campaigns/{campaign_id}"))["data"]
            return bool(shown["campaign"] and shown["campaign"]["state"]["begun"] > runs)

        await assert_eventually(has_continued, within=PATIENCE)
        accepted(await api.delete(f"/operations/{campaign.id}", params={"wait": 30}))
        assert (await ended(api, campaign.id))["status"] == "cancelled"


async def test_a_repeated_request_starts_one_and_a_name_is_taken_once(
    alone_api: httpx2.AsyncClient,
) -> None:
    request, headers = body(), {"Idempotency-Key": new_id("key")}
    first = accepted(await alone_api.post("/campaigns", json=request, headers=headers), 202)
    again = accepted(await alone_api.post("/campaigns", json=request, headers=headers), 202)
    assert first["operation_id"] == again["operation_id"]
    refused(await alone_api.post("/campaigns", json=request), 422, "invalid_input", "name")
    other = request | {"research": QUICK | {"owner": "another"}}
    accepted(await alone_api.post("/campaigns", json=other), 202)


@pytest.mark.parametrize(
    ("changes", "reason", "field"),
    [
        ({"seeds": []}, "invalid_input", "seeds"),
        ({"seeds": list(range(4000)), "symbols": ["SP500", "NASDAQ", "GOOD"]}, None, "seeds"),
        ({"name": "no name"}, "invalid_input", "name"),
        ({"symbols": ["SP500", "NOPE"]}, "unknown_symbol", "symbols"),
        ({"symbols": ["SP500", "SP500"]}, "invalid_input", "symbols"),
        ({"symbols": ["GOOD", ["SP500", "NOPE"]]}, "unknown_symbol", "symbols"),
        ({"symbols": ["GOOD"], "research": {"symbols": ["SP500", "NASDAQ"]}}, None, "symbols"),
        ({"seeds": [1, 2, 1]}, "invalid_input", "seeds"),
        ({"strategies": ["quick"]}, "invalid_input", "strategies"),
        ({"strategies": ["nope"], "research": {}}, "unknown_strategy", "strategies"),
        ({"strategies": ["quick"], "briefs": ["rsi"], "research": {}}, None, "briefs"),
        ({"briefs": ["xyzzy"], "research": {}}, "invalid_input", "briefs"),
        ({"designers": ["oracle"]}, "invalid_input", "designers.0"),
        ({"seeds": list(range(4001))}, "invalid_input", "seeds"),
        ({"research": {"symbol": "NOPE"}}, "unknown_symbol", "research.symbol"),
        ({"research": {"trials": 0}}, "invalid_input", "research.trials"),
        ({"research": {"seed": 1}}, "invalid_input", "seeds"),
        ({"research": {"trials": 5}, "budget": {"trials": 4}}, None, "budget.trials"),
        ({"budget": {"researches": 0}}, "invalid_input", "budget.researches"),
        ({"budget": {"cost": 1.0}}, "invalid_input", "budget.cost"),
        ({"budget": {"hours": 0.0}}, "invalid_input", "budget.hours"),
        ({"parallel": 0}, "invalid_input", "parallel"),
        ({"parallel": 65}, "invalid_input", "parallel"),
        ({"stop_when": "rich"}, "invalid_input", "stop_when"),
        ({"generations": 2}, "invalid_input", "generations"),
        ({"generations": 2, "research": {}, "seeds": list(range(501))}, None, "seeds"),
        ({"wish": 1}, "invalid_input", "wish"),
    ],
)
async def test_a_bad_campaign_is_refused_before_anything_starts(
    alone_api: httpx2.AsyncClient, alone: Client, changes: dict[str, Any], reason: str, field: str
) -> None:
    refused(
        await alone_api.post("/campaigns", json=body(**changes)),
        422,
        reason or "invalid_input",
        field,
    )
    assert (await alone.count_workflows("WorkflowType = 'Campaign'")).count == 0


async def test_an_unknown_designer_is_the_only_problem_of_its_list(
    api: httpx2.AsyncClient,
) -> None:
    answer = await api.post("/campaigns", json=body(designers=["oracle"]))
    problem = refused(answer, 422, "invalid_input", "designers.0")
    assert [each["field"] for each in problem["errors"]] == ["designers.0"]


async def test_no_more_members_run_at_once_than_researches_may(
    alone: Client, settings: Settings
) -> None:
    limited = settings.model_copy(update={"max_active_researches": 2})
    async with serving(create_app(limited, alone)) as http:
        refused(
            await http.post("/campaigns", json=body(parallel=3)), 422, "invalid_input", "parallel"
        )


@pytest.mark.parametrize("unknown", ["nosuch", "x" * 1000, "a%2Fb"])
async def test_an_unknown_campaign_is_not_found(api: httpx2.AsyncClient, unknown: str) -> None:
    for path in (unknown, f"{unknown}/report", f"{unknown}/report.html"):
        refused(await api.get(f"/campaigns/{path}"), 404, "not_found")
    refused(await api.delete(f"/campaigns/{unknown}"), 404, "not_found")
