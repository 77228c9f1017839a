"""Deleting what operations have stored: what is kept, what is refused, and what is said later."""

from pathlib import Path
from typing import Any

import httpx2
from temporalio.client import Client

from api.app import create_app
from settings import Settings
from tests.api.answers import accepted, ended, refused
from tests.api.operations.test_resume import cancel, wait_for_checkpoint
from tests.support.helpers import new_id, serving
from tests.support.phases import QUICK, start
from workflows.interface.messages import ResearchRequest


def stored_folders(settings: Settings, operation_id: str) -> dict[str, list[str]]:
    """Return the files in the store by folder."""
    return {
        folder.name: sorted(each.name for each in folder.iterdir())
        for folder in Path(settings.artifacts_url).glob(f"{operation_id}*")
    }


async def test_the_record_is_kept_and_the_answers_say_when_the_rest_was_deleted(
    api: httpx2.AsyncClient, settings: Settings, completed: str
) -> None:
    path = f"/operations/{completed}/artifacts"
    stored = accepted(await api.get(path))["data"]
    names = {(each["operation_id"], each["name"]) for each in stored["artifacts"]}
    assert {(f"{completed}.training", "model.txt"), (f"{completed}.assessment", "report.json")} <= (
        names
    )
    assert stored["deleted_at"] is None
    before = accepted(await api.get("/models", params={"limit": 1000}))
    assert f"{completed}.training" in {each["model_id"] for each in before["models"]}

    deleted = accepted(await api.delete(path))["data"]
    assert (deleted["artifacts"], deleted["size_bytes"]) == (
        len(stored["artifacts"]),
        stored["size_bytes"],
    )
    assert stored_folders(settings, completed) == {completed: ["artifacts.deleted"]}
    moment = deleted["deleted_at"][:19].replace("T", " at ")
    for method, gone, body in (
        ("GET", f"/operations/{completed}/report", None),
        ("GET", f"/operations/{completed}/report?format=json", None),
        ("GET", f"/operations/{completed}/metrics", None),
        ("GET", f"/operations/{completed}.training/metrics", None),
        ("GET", f"/operations/{completed}/curves", None),
        ("GET", f"/comparison?operation_id={completed}&operation_id={completed}x", None),
        ("POST", "/backtests/start", {"training_id": f"{completed}.training"}),
    ):
        answer = await api.request(method, gone, json=body)
        said = refused(answer, 410, "artifacts_deleted")["detail"]
        assert f"deleted on {moment} UTC" in said
    after = accepted(await api.get("/models", params={"limit": 1000}))
    assert f"{completed}.training" not in {each["model_id"] for each in after["models"]}
    assert after["total_count"] == before["total_count"] - 1

    results = accepted(await api.get(f"/operations/{completed}/results"))["results"]
    assert results["verdict"]
    assert accepted(await api.get(f"/experiments/{completed}"))["data"]["metrics"]
    assert accepted(await api.get(f"/operations/{completed}.training"))["data"]
    again = accepted(await api.delete(path))["data"]
    assert (again["artifacts"], again["deleted_at"]) == (0, deleted["deleted_at"])
    assert accepted(await api.get(path))["data"]["deleted_at"] == deleted["deleted_at"]


async def test_what_a_running_or_a_resumable_operation_needs_is_kept(
    api: httpx2.AsyncClient, client: Client, settings: Settings
) -> None:
    handle = await start(client, ResearchRequest(strategy="steady", seed=7, bypass_gates=True))
    await wait_for_checkpoint(api, handle.id)
    path = f"/operations/{handle.id}/artifacts"
    for asked in ("", "?resumable=true"):
        said = refused(await api.delete(path + asked), 409, "artifacts_in_use")["detail"]
        assert "active" in said
    await cancel(api, handle.id)
    said = refused(await api.delete(path), 409, "artifacts_in_use")["detail"]
    assert "resumable=true" in said
    assert accepted(await api.get(f"/checkpoints/{handle.id}"))["data"]
    step = await api.delete(f"/operations/{handle.id}.training/artifacts")
    refused(step, 422, "invalid_input", "operation_id")

    accepted(await api.delete(f"{path}?resumable=true"))
    assert stored_folders(settings, handle.id) == {
        handle.id: ["artifacts.deleted", "checkpoint.deleted"]
    }
    refused(await api.get(f"/checkpoints/{handle.id}"), 404, "not_found")
    refused(await api.post(f"/operations/{handle.id}/resume"), 409, "not_resumable")
    accepted(await api.delete(path))


async def test_old_artifacts_of_one_owner_are_deleted(
    api: httpx2.AsyncClient, client: Client, settings: Settings
) -> None:
    owner = new_id("owner")
    done = await start(client, QUICK.model_copy(update={"owner": owner}))
    await done.result()
    cancelled = accepted(
        await api.post("/agent/trigger", json={"trials": 10_000, "owner": owner, "seed": 1}), 202
    )["operation_id"]
    accepted(await api.delete(f"/agent/cancel/{cancelled}", params={"wait": 20}))
    await ended(api, cancelled)
    # A search that was cancelled has stored nothing that is sure to be there.
    own = Path(settings.artifacts_url) / f"{cancelled}.design"
    own.mkdir(exist_ok=True)
    (own / "trials.json").write_bytes(b"[]")

    async def delete_old(**asked: Any) -> dict[str, Any]:
        answer = await api.delete("/artifacts", params={"owner": owner, **asked})
        found: dict[str, Any] = accepted(answer)["data"]
        return found

    recent = await delete_old(older_than_days=1)
    assert (recent["operation_ids"], recent["kept"]) == ([], [])
    would = await delete_old(older_than_days=0, dry_run="true")
    assert (would["dry_run"], would["operation_ids"]) == (True, [done.id])
    assert [each["operation_id"] for each in would["kept"]] == [cancelled]
    assert would["kept"][0]["reason"] == "artifacts_in_use"
    deleted = await delete_old(older_than_days=0)
    assert deleted["operation_ids"] == [done.id]
    assert (deleted["artifacts"], deleted["size_bytes"]) == (
        would["artifacts"],
        would["size_bytes"],
    )
    refused(await api.get(f"/operations/{done.id}/report"), 410, "artifacts_deleted")
    rest = await delete_old(older_than_days=0, resumable="true")
    assert (rest["operation_ids"], rest["kept"], rest["more"]) == ([cancelled], [], False)
    refused(await api.delete("/artifacts"), 422, "invalid_input", "older_than_days")


async def test_what_temporal_no_longer_keeps_is_deleted_and_what_does_not_exist_is_not_found(
    settings: Settings, completed: str, alone: Client, tmp_path: Path
) -> None:
    # Another namespace of Temporal knows nothing of the research. The ledger does.
    elsewhere = settings.model_copy(update={"artifacts_url": str(tmp_path)})
    folder = tmp_path / f"{completed}.assessment"
    folder.mkdir()
    (folder / "report.html").write_bytes(b"<p>")
    async with serving(create_app(elsewhere, alone)) as http:
        path = f"/operations/{completed}/artifacts"
        assert accepted(await http.get(path))["data"]["size_bytes"] == 3
        assert accepted(await http.delete(path))["data"]["artifacts"] == 1
        refused(await http.get(f"/operations/{completed}/report"), 410, "artifacts_deleted")
        for odd in ("op_unknown", "%2E%2E%2Fprecious", "x" * 3000):
            for method in ("GET", "DELETE"):
                answer = await http.request(method, f"/operations/{odd}/artifacts")
                assert answer.status_code == 404
        refused(await http.get("/operations/op_unknown/artifacts"), 404, "not_found")
    assert stored_folders(elsewhere, "") == {completed: ["artifacts.deleted"]}
