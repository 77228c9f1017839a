"""Nothing of another owner can be seen or changed, and names are one's own."""

import time
from collections.abc import Callable

from temporalio.client import Client

from api.app import create_app
from api.auth.keys import KeyRing
from settings import Settings
from tests.api.answers import accepted, ended, refused
from tests.api.doors.keyed import OWNERS, Keys, cancel_research, start_research
from tests.support.helpers import serving
from tests.support.outside.temporal_server import activity_started
from workflows.research import Research


async def test_a_research_belongs_to_the_owner_of_the_key(keyed: Keys, client: Client) -> None:
    operation_id = await start_research(keyed["ada"])
    info = await client.get_workflow_handle(operation_id).query(Research.describe)
    assert info.owner == "ada"
    refused(
        await keyed["ada"].post("/agent/trigger", json={"owner": "bob"}),
        403,
        "not_allowed",
        "owner",
    )
    in_the_name_of_bob = await start_research(keyed["admin"], owner="bob")
    assert accepted(await keyed["bob"].get(f"/operations/{in_the_name_of_bob}"))["data"]


async def test_a_campaign_and_its_report_do_not_exist_for_others(keyed: Keys) -> None:
    request = {"name": "quick-one", "research": {"strategy": "quick", "seed": 7}}
    started = accepted(await keyed["ada"].post("/campaigns", json=request), 202)
    campaign_id = started["operation_id"]
    assert (await ended(keyed["ada"], campaign_id))["owner"] == "ada"
    # Another owner may use the same name.
    others = accepted(await keyed["bob"].post("/campaigns", json=request), 202)["operation_id"]
    assert (await ended(keyed["bob"], others))["owner"] == "bob"
    for path in ("", "/report", "/report.html"):
        refused(await keyed["bob"].get(f"/campaigns/{campaign_id}{path}"), 404, "not_found")
        assert (await keyed["ada"].get(f"/campaigns/{campaign_id}{path}")).is_success
        assert (await keyed["read"].get(f"/campaigns/{campaign_id}{path}")).is_success
    refused(await keyed["bob"].delete(f"/campaigns/{campaign_id}"), 404, "not_found")
    refused(await keyed["bob"].get(f"/operations/{campaign_id}.m0001"), 404, "not_found")
    mine = accepted(await keyed["bob"].get("/campaigns"))["data"]
    assert campaign_id not in {each["operation_id"] for each in mine}


async def test_the_report_of_a_campaign_outlives_it_for_its_owner_alone(
    keyed: Keys, alone: Client, settings: Settings, ring: KeyRing
) -> None:
    request = {"name": "kept-longer", "research": {"strategy": "quick", "seed": 7}}
    started = accepted(await keyed["ada"].post("/campaigns", json=request), 202)
    path = f"/campaigns/{started['operation_id']}"
    await ended(keyed["ada"], started["operation_id"])
    # The Temporal of this one knows nothing of the campaign, as after the retention.
    later = create_app(settings.model_copy(update={"api_keys": ring.path}), alone)
    async with serving(later) as api:
        ada, bob = keyed["ada"].headers, keyed["bob"].headers
        refused(await api.get(path, headers=ada), 404, "not_found")
        report = accepted(await api.get(f"{path}/report", headers=ada))["data"]
        assert [row["status"] for row in report["rows"]] == ["completed"]
        refused(await api.get(f"{path}/report", headers=bob), 404, "not_found")


async def test_a_key_with_run_cancels_only_the_researches_of_its_owner(
    keyed: Keys, client: Client
) -> None:
    operation_id = await start_research(keyed["ada"])
    await activity_started(client.get_workflow_handle(operation_id), "design")
    unknown = refused(await keyed["bob"].delete("/agent/cancel/nosuch"), 404, "not_found")
    for path in (f"/agent/cancel/{operation_id}", f"/operations/{operation_id}"):
        same = refused(await keyed["bob"].delete(path), 404, "not_found")
        assert same["detail"].replace(operation_id, "nosuch") == unknown["detail"]
    batch = accepted(await keyed["bob"].delete("/operations?symbol=SP500"), 202)["data"]
    assert batch["operation_ids"] == []
    refused(await keyed["bob"].delete("/operations?owner=ada"), 403, "not_allowed", "owner")
    refused(await keyed["bob"].delete("/operations"), 422, "invalid_input", "owner")
    await cancel_research(keyed["ada"], operation_id)


async def test_nothing_of_another_owner_is_visible(
    keyed: Keys, fresh_bars: Callable[[str, int], None]
) -> None:
    fresh_bars("HIDDEN", 21)
    done = await start_research(keyed["ada"], symbol="HIDDEN", trials=1, bypass_gates=True)
    assert (await ended(keyed["ada"], done))["status"] == "completed"
    running = await start_research(keyed["ada"])
    schedule = {"schedule_id": "hidden", "cron": "0 2 * * *", "paused": True}
    accepted(await keyed["ada"].post("/schedules", json=schedule), 201)
    watch = {"research_id": done}
    accepted(await keyed["ada"].post("/watches", json=watch), 202)
    try:
        for operation_id in (done, running):
            for part in ("", "/children", "/results", "/metrics", "/report", "/events"):
                path = f"/operations/{operation_id}{part}"
                refused(await keyed["mallory"].get(path), 404, "not_found")
            refused(
                await keyed["mallory"].get(f"/operations/{operation_id}.design"), 404, "not_found"
            )
            for action in ("resume", "retry"):
                path = f"/operations/{operation_id}/{action}"
                refused(await keyed["mallory"].post(path), 404, "not_found")
        refused(await keyed["mallory"].get(f"/experiments/{done}"), 404, "not_found")
        refused(await keyed["mallory"].post(f"/experiments/{done}/reproduce"), 404, "not_found")
        body = {"training_id": f"{done}.training"}
        refused(await keyed["mallory"].post("/backtests/start", json=body), 404, "not_found")
        refused(await keyed["mallory"].post("/watches", json=watch), 404, "not_found")
        refused(await keyed["mallory"].get(f"/watches/{done}"), 404, "not_found")
        refused(await keyed["mallory"].get(f"/watches/{done}/curve"), 404, "not_found")
        refused(await keyed["mallory"].post(f"/watches/{done}/look"), 404, "not_found")
        refused(await keyed["mallory"].delete(f"/watches/{done}"), 404, "not_found")
        bars = {"symbol": "HIDDEN", "timeframe": "1d"}
        woken = accepted(await keyed["mallory"].post("/watches/look", json=bars), 202)
        assert (woken["data"], woken["total_count"]) == ([], 0)
        refused(await keyed["mallory"].get("/watches?owner=ada"), 403, "not_allowed", "owner")
        refused(await keyed["mallory"].get("/schedules/hidden"), 404, "not_found")
        refused(await keyed["mallory"].delete("/schedules/hidden"), 404, "not_found")
        for path in ("/operations", "/experiments", "/leaderboard", "/schedules", "/watches"):
            page = accepted(await keyed["mallory"].get(path))
            assert (page["data"], page["total_count"]) == ([], 0)
        assert accepted(await keyed["mallory"].get("/hypotheses"))["data"] == []
        status = accepted(await keyed["mallory"].get("/agent/status"))
        assert (status["active_researches"], status["capacity"]["active"]) == ([], 0)
        refused(await keyed["mallory"].get("/operations?owner=ada"), 403, "not_allowed", "owner")
        assert accepted(await keyed["ada"].get("/hypotheses", params={"symbol": "HIDDEN"}))["data"]
        seen = accepted(await keyed["read"].get("/experiments?owner=ada&symbol=HIDDEN"))["data"]
        assert [row["operation_id"] for row in seen] == [done]
    finally:
        await keyed["ada"].delete("/schedules/hidden")
        await keyed["ada"].delete(f"/watches/{done}")


async def test_the_record_of_another_owner_is_neither_written_nor_deleted(
    keyed: Keys, client: Client
) -> None:
    started = await keyed["ada"].post("/agent/trigger", json={"strategy": "quick", "seed": 7})
    operation_id = accepted(started, 202)["operation_id"]
    await client.get_workflow_handle(operation_id).result()
    note, stored = f"/experiments/{operation_id}", f"/operations/{operation_id}/artifacts"
    write = {"note": "mine", "add_tags": [operation_id]}
    for name, status in (("read", 403), ("cancel", 403), ("bob", 404)):
        assert (await keyed[name].patch(note, json=write)).status_code == status
        assert (await keyed[name].delete(stored)).status_code == status
    for name in ("bob", "mallory"):
        assert (await keyed[name].get(stored)).status_code == 404
        compared = await keyed[name].get(
            "/comparison", params={"operation_id": [operation_id, "op_unknown"]}
        )
        refused(compared, 404, "not_found")
        assert accepted(await keyed[name].get("/tags"))["data"] == []
    old: dict[str, str | int] = {"older_than_days": 0, "dry_run": "true", "limit": 1000}
    shown = accepted(await keyed["bob"].delete("/artifacts", params=old))["data"]
    assert (shown["dry_run"], shown["more"]) == (True, False)
    for each in (*shown["operation_ids"], *(kept["operation_id"] for kept in shown["kept"])):
        assert each != operation_id
        accepted(await keyed["bob"].get(f"/operations/{each}/artifacts"))
    others = {**old, "owner": "ada"}
    refused(await keyed["bob"].delete("/artifacts", params=others), 403, "not_allowed", "owner")
    refused(await keyed["cancel"].delete("/artifacts", params=old), 403, "not_allowed")

    accepted(await keyed["ada"].patch(note, json=write))
    accepted(await keyed["admin"].patch(note, json={"note": "seen"}))
    assert accepted(await keyed["read"].get(stored))["data"]["size_bytes"] > 0
    found = accepted(await keyed["admin"].delete("/artifacts", params=others))["data"]
    assert operation_id in found["operation_ids"]
    accepted(await keyed["ada"].delete(stored))


async def test_two_owners_may_use_the_same_schedule_name(keyed: Keys) -> None:
    schedule = {"schedule_id": "nightly", "cron": "0 2 * * *", "paused": True}
    try:
        for owner in ("ada", "bob"):
            made = accepted(await keyed[owner].post("/schedules", json=schedule), 201)["data"]
            assert made["schedule_id"] == f"{owner}:nightly"
        refused(await keyed["ada"].post("/schedules", json=schedule), 409, "already_exists")
        [mine] = accepted(await keyed["bob"].get("/schedules"))["data"]
        assert mine["schedule_id"] == "bob:nightly"
        for name in ("nightly", "bob:nightly"):
            shown = accepted(await keyed["bob"].get(f"/schedules/{name}"))["data"]
            assert shown["research"]["owner"] == "bob"
        theirs = {**schedule, "schedule_id": "ada:nightly"}
        refused(
            await keyed["bob"].post("/schedules", json=theirs), 422, "invalid_input", "schedule_id"
        )
        for action in (keyed["bob"].get, keyed["bob"].delete, keyed["cancel"].delete):
            refused(await action("/schedules/ada:nightly"), 404, "not_found")
        refused(await keyed["bob"].post("/schedules/ada:nightly/pause"), 404, "not_found")
        assert accepted(await keyed["read"].get("/schedules/ada:nightly"))["data"]
        assert (await keyed["admin"].delete("/schedules/ada:nightly")).status_code == 204
    finally:
        for owner in ("ada", "bob"):
            await keyed[owner].delete("/schedules/nightly")


async def test_the_duration_of_a_refusal_does_not_reveal_what_exists(keyed: Keys) -> None:
    operation_id = await start_research(keyed["ada"])
    for path in (
        f"/operations/{operation_id}",
        "/operations/nosuch",
        f"/experiments/{operation_id}",
        "/experiments/nosuch",
        "/schedules/ada:nosuch",
    ):
        began = time.monotonic()
        refused(await keyed["mallory"].get(path), 404, "not_found")
        # The longest look-up takes less.
        assert time.monotonic() - began >= 0.05
    for training_id in (f"{operation_id}.training", "nosuch"):
        began = time.monotonic()
        body = {"training_id": training_id}
        refused(await keyed["mallory"].post("/backtests/start", json=body), 404, "not_found")
        assert time.monotonic() - began >= 0.05


async def test_two_owners_may_use_the_same_idempotency_key(keyed: Keys) -> None:
    headers = {"Idempotency-Key": "monday"}
    ids = {
        accepted(
            await keyed[owner].post("/agent/trigger", json={"trials": 10_000}, headers=headers), 202
        )["operation_id"]
        for owner in (*OWNERS, *OWNERS)
    }
    assert len(ids) == len(OWNERS)
