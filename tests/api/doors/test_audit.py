"""Who has cancelled, and who was refused, is recorded."""

import json
import logging

import pytest
from temporalio.client import Client

from tests.api.answers import accepted, refused
from tests.api.doors.keyed import Keys, start_research
from tests.support.helpers import assert_eventually


async def test_temporal_and_the_audit_log_record_who_cancelled(
    keyed: Keys, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "ktrdr.audit"):
        operation_id = await start_research(keyed["ada"])
        answer = await keyed["cancel"].request(
            "DELETE", f"/operations/{operation_id}", json={"reason": "too dear"}, timeout=30
        )
        assert accepted(answer)["data"]["cancellation_reason"] == "too dear (cancel)"
        also = await start_research(keyed["ada"])

        async def only_it_is_found() -> bool:
            """A list shows late what has begun or ended."""
            params = {"owner": "ada", "dry_run": "true"}
            answer = await keyed["ada"].delete("/operations", params=params)
            found: list[str] = accepted(answer, 202)["data"]["operation_ids"]
            return found == [also]

        await assert_eventually(only_it_is_found)
        answer = await keyed["ada"].delete("/operations", params={"owner": "ada"})
        batch = accepted(answer, 202)["data"]
    entries = [
        json.loads(record.message) for record in caplog.records if record.name == "ktrdr.audit"
    ]
    assert [(each["event"], each["key"], each["operation_id"]) for each in entries] == [
        ("research started", "ada", operation_id),
        ("cancelled", "cancel", operation_id),
        ("research started", "ada", also),
        ("batch cancelled", "ada", batch["batch_id"]),
        ("cancelled", "ada", also),
    ]
    assert entries[3]["matched"] == 1
    assert entries[3]["selection"] == {"owner": "ada", "reason": "cancelled by ada"}
    history = await client.get_workflow_handle(operation_id).fetch_history()
    [request] = [
        event.workflow_execution_cancel_requested_event_attributes
        for event in history.events
        if event.HasField("workflow_execution_cancel_requested_event_attributes")
    ]
    assert request.cause == "too dear (cancel)"


async def test_the_audit_log_records_who_was_refused(
    keyed: Keys, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "ktrdr.audit"):
        refused(await keyed["anybody"].get("/operations/x"), 401, "not_authenticated")
        refused(await keyed["read"].post("/agent/trigger", json={}), 403, "not_allowed")
    entries = [
        json.loads(record.message) for record in caplog.records if record.name == "ktrdr.audit"
    ]
    assert [
        (each["event"], each["reason"], each["method"], each["path"], each["key"])
        for each in entries
    ] == [
        ("refused", "not_authenticated", "GET", "/operations/x", None),
        ("refused", "not_allowed", "POST", "/agent/trigger", "read"),
    ]
    assert all(each["client"] == "127.0.0.1" for each in entries)
