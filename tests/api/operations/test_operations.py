import asyncio
import itertools

import httpx2
import pytest
from temporalio.client import Client

from tests.api.answers import accepted, refused
from tests.support.helpers import PATIENCE, assert_eventually, new_id
from tests.support.phases import IN_DESIGN, IN_TRAINING, start
from tests.support.quant.data import FAILURE_OF_FLAT, FLAT
from workflows.interface.messages import ResearchRequest

REJECTED = ResearchRequest(strategy="never-trades", seed=7)

ODD_IDS = [
    "%20",
    "x" * 10_000,
    "op%2F..%2Fother",
    "%2E%2E",
    "%E6%97%A5%E6%9C%AC%F0%9F%98%80",
    "%00",
    "%FF%FE",
    ".design",
    "nosuch.design",
    "nosuch.training",
]


async def run_research(client: Client, request: ResearchRequest) -> str:
    handle = await start(client, request)
    await asyncio.wait([asyncio.ensure_future(handle.result())])
    return handle.id


@pytest.mark.parametrize("prefix", ["", "/api/v1"])
async def test_a_finished_research_is_shown_with_result_and_children(
    api: httpx2.AsyncClient, client: Client, prefix: str
) -> None:
    operation_id = await run_research(client, ResearchRequest(trials=2, seed=7, owner="ada"))
    shown = accepted(await api.get(f"{prefix}/operations/{operation_id}"))["data"]
    assert shown["operation_type"] == "agent_research"
    assert (shown["status"], shown["phase"]) == ("completed", "done")
    assert shown["progress"]["percentage"] == 100.0
    assert shown["owner"] == "ada"
    assert shown["metadata"]["parameters"]["training_op_id"] == f"{operation_id}.training"
    assert shown["result_summary"]["verdict"]
    assert shown["error_message"] is None
    assert [child["operation_type"] for child in shown["children"]] == [
        "agent_design",
        "training",
        "backtesting",
        "agent_assessment",
    ]
    for child in shown["children"]:
        step = accepted(await api.get(f"/operations/{child['operation_id']}"))["data"]
        assert step["operation_id"] == child["operation_id"]
        assert step["operation_type"] == child["operation_type"]
        assert step["parent_operation_id"] == operation_id
        assert step["status"] == "completed"
        assert step["progress"]["percentage"] == 100.0


async def test_a_failed_research_is_shown_with_the_reason(
    api: httpx2.AsyncClient, client: Client
) -> None:
    operation_id = await run_research(client, ResearchRequest(symbol=FLAT, trials=1))
    shown = accepted(await api.get(f"/operations/{operation_id}"))["data"]
    assert shown["status"] == "failed"
    assert FAILURE_OF_FLAT in shown["error_message"]
    design = accepted(await api.get(f"/operations/{operation_id}.design"))["data"]
    assert design["status"] == "failed"
    assert design["error_message"] == shown["error_message"]


async def test_a_research_whose_input_was_refused_is_shown_as_failed(
    api: httpx2.AsyncClient, client: Client
) -> None:
    handle = await client.start_workflow(
        "Research", {"trials": 0}, id=new_id(), task_queue="research"
    )
    await asyncio.wait([asyncio.ensure_future(handle.result())])
    shown = accepted(await api.get(f"/operations/{handle.id}"))["data"]
    assert shown["status"] == "failed"
    assert "trials" in shown["error_message"]


async def test_progress_of_the_training_moves_the_research(
    api: httpx2.AsyncClient, client: Client
) -> None:
    handle = await IN_TRAINING.begin(client)

    async def moving() -> bool:
        training = accepted(await api.get(f"/operations/{handle.id}.training"))["data"]
        research = accepted(await api.get(f"/operations/{handle.id}"))["data"]
        assert training["progress"]["percentage"] > 0
        assert research["progress"]["percentage"] > 20
        assert research["progress"]["percentage"] < 65
        assert research["progress"]["current_step"].startswith("Training model...")
        return True

    await assert_eventually(moving)
    shown = accepted(await api.get(f"/operations/{handle.id}"))["data"]
    assert (shown["status"], shown["phase"]) == ("running", "training")


async def test_a_running_design_is_shown_with_its_progress(
    api: httpx2.AsyncClient, client: Client
) -> None:
    handle = await start(client, IN_DESIGN.request)

    async def moving() -> bool:
        design = accepted(await api.get(f"/operations/{handle.id}.design"))["data"]
        assert design["status"] == "running"
        assert design["parent_operation_id"] == handle.id
        return bool(design["progress"]["percentage"] > 0)

    await assert_eventually(moving)
    refused(await api.get(f"/operations/{handle.id}.assessment"), 404, "not_found")
    refused(await api.get(f"/operations/{handle.id}.training"), 404, "not_found")


async def test_an_unknown_id_is_not_found(api: httpx2.AsyncClient) -> None:
    body = refused(await api.get("/operations/op_nosuch"), 404, "not_found")
    assert "op_nosuch" in body["detail"]


@pytest.mark.parametrize("odd", ODD_IDS, ids=lambda odd: odd[:20])
async def test_an_odd_id_is_not_found(api: httpx2.AsyncClient, odd: str) -> None:
    refused(await api.get(f"/operations/{odd}"), 404, "not_found")
    refused(await api.get(f"/api/v1/operations/{odd}"), 404, "not_found")


async def test_an_empty_id_is_not_found(api: httpx2.AsyncClient) -> None:
    for part in ("children", "results", "metrics"):
        refused(await api.get(f"/operations//{part}"), 404, "not_found")


async def test_a_foreign_workflow_is_not_an_operation(
    api: httpx2.AsyncClient, client: Client
) -> None:
    handle = await client.start_workflow("Foreign", id=new_id("foreign"), task_queue="elsewhere")
    refused(await api.get(f"/operations/{handle.id}"), 404, "not_found")
    refused(await api.get(f"/operations/{handle.id}.design"), 404, "not_found")
    listed = accepted(await api.get("/operations", params={"limit": 1000}))["data"]
    assert handle.id not in {row["operation_id"] for row in listed}


async def test_the_report_is_a_page_that_may_run_no_script(
    api: httpx2.AsyncClient, client: Client
) -> None:
    operation_id = await run_research(client, REJECTED)
    response = await api.get(f"/operations/{operation_id}/report")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in response.headers["content-security-policy"]
    assert "never-trades" in response.text
    assert "<script" not in response.text


async def test_operations_are_listed_by_owner_type_and_status(
    api: httpx2.AsyncClient, client: Client
) -> None:
    owner = new_id("owner")
    done = await run_research(client, REJECTED.model_copy(update={"owner": owner}))
    failed = await run_research(client, ResearchRequest(symbol=FLAT, trials=1, owner=owner))
    running = await start(client, IN_TRAINING.request.model_copy(update={"owner": owner}))

    async def listed(**filters: str) -> set[str]:
        response = await api.get("/operations", params={"owner": owner, "limit": 100, **filters})
        body = accepted(response)
        assert body["total_count"] == len(body["data"])
        return {row["operation_id"] for row in body["data"]}

    async def all_as_they_are() -> bool:
        """Whether the lists show the latest changes, which takes a moment."""
        assert await listed(operation_type="agent_research") == {done, failed, running.id}
        assert await listed(operation_type="training") == {
            f"{done}.training",
            f"{running.id}.training",
        }
        assert await listed(operation_type="agent_design") == {f"{failed}.design"}
        assert await listed(status="completed") == {done, f"{done}.training"}
        assert await listed(status="failed") == {failed}
        assert await listed(status="running") == {running.id, f"{running.id}.training"}
        assert await listed(active_only="true") == {running.id, f"{running.id}.training"}
        assert await listed(symbol=FLAT) == {failed}
        everything = accepted(await api.get("/operations", params={"owner": owner}))
        assert (everything["total_count"], everything["active_count"]) == (5, 2)
        return True

    await assert_eventually(all_as_they_are)


async def test_pending_operations_are_listed_as_such(alone_api: httpx2.AsyncClient) -> None:
    ids = {accepted(await alone_api.post("/agent/trigger"), 202)["operation_id"] for _ in range(2)}

    async def listed() -> bool:
        body = accepted(await alone_api.get("/operations", params={"status": "pending"}))
        return {row["operation_id"] for row in body["data"]} == ids

    await assert_eventually(listed)
    running = accepted(await alone_api.get("/operations", params={"status": "running"}))
    assert running["data"] == []


async def test_pages_follow_one_another_without_gap_or_repetition(
    alone_api: httpx2.AsyncClient,
) -> None:
    ids = [accepted(await alone_api.post("/agent/trigger"), 202)["operation_id"] for _ in range(7)]

    async def all_listed() -> bool:
        return bool(accepted(await alone_api.get("/operations"))["total_count"] == len(ids))

    await assert_eventually(all_listed)
    pages = []
    cursor: str | None = None
    while True:
        params: dict[str, str | int] = {"limit": 3} | ({"cursor": cursor} if cursor else {})
        body = accepted(await alone_api.get("/operations", params=params))
        pages.append([row["operation_id"] for row in body["data"]])
        cursor = body["next_cursor"]
        if not cursor:
            break
    assert sorted(itertools.chain(*pages)) == sorted(ids)
    assert all(len(page) <= 3 for page in pages)

    times = [row["created_at"] for row in accepted(await alone_api.get("/operations"))["data"]]
    assert times == sorted(times, reverse=True)
    skipped = accepted(await alone_api.get("/operations", params={"offset": 5, "limit": 10}))
    assert len(skipped["data"]) == 2


@pytest.mark.long
async def test_an_offset_may_lie_beyond_the_largest_page(
    alone_api: httpx2.AsyncClient, alone: Client
) -> None:
    for _ in range(11):
        await asyncio.gather(*(start(alone, REJECTED) for _ in range(92)))

    async def listed(offset: int) -> list[str]:
        body = accepted(await alone_api.get("/operations", params={"offset": offset, "limit": 10}))
        assert body["total_count"] == 1012
        return [row["operation_id"] for row in body["data"]]

    last = await assert_eventually(lambda: listed(1010), within=PATIENCE)
    assert len(last) == 2
    assert last == (await listed(1004))[-2:]
    assert await listed(1012) == []


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"status": "asleep"}, "status"),
        ({"operation_type": "magic"}, "operation_type"),
        ({"owner": "a' OR 'b"}, "owner"),
        ({"limit": "0"}, "limit"),
        ({"limit": "x"}, "limit"),
        ({"limit": "1000000"}, "limit"),
        ({"offset": "-1"}, "offset"),
        ({"cursor": "%%%"}, "cursor"),
        ({"cursor": "bm90IGEgdG9rZW4="}, "cursor"),
        ({"cursor": "日本"}, "cursor"),
        ({"active_only": "perhaps"}, "active_only"),
    ],
    ids=str,
)
async def test_the_refusal_of_a_bad_filter_names_it(
    api: httpx2.AsyncClient, params: dict[str, str], field: str
) -> None:
    refused(await api.get("/operations", params=params), 422, "invalid_input", field)
