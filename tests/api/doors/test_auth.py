"""API keys: what each scope allows, and that nothing of another owner is visible."""

import asyncio
import json

import pytest
from temporalio.client import Client

from api.app import create_app
from api.auth.keys import KeyRing
from api.auth.scopes import Scope
from errors import InvalidInput, StartupError
from settings import Settings
from tests.api.answers import accepted, refused
from tests.api.doors.keyed import OWNERS, Keys, cancel_research, start_research
from tests.support.served import served


@pytest.mark.parametrize("authorization", [None, "Bearer wrong", "Bearer", "Basic YTpi", "nothing"])
async def test_a_missing_or_unknown_key_is_refused(keyed: Keys, authorization: str | None) -> None:
    headers = {"Authorization": authorization} if authorization else {}
    for path in ("/operations", "/operations/nosuch", "/experiments", "/agent/status"):
        answer = await keyed["anybody"].get(path, headers=headers)
        refused(answer, 401, "not_authenticated")
        assert answer.headers["www-authenticate"] == "Bearer"
    refused(
        await keyed["anybody"].post("/agent/trigger", headers=headers), 401, "not_authenticated"
    )
    assert (await keyed["anybody"].get("/health")).is_success


async def test_each_scope_allows_what_its_name_says(keyed: Keys) -> None:
    operation_id = await start_research(keyed["ada"])
    for name in ("read", "cancel"):
        refused(await keyed[name].post("/agent/trigger", json={}), 403, "not_allowed")
    refused(await keyed["cancel"].get("/operations"), 403, "not_allowed")
    refused(await keyed["read"].delete(f"/agent/cancel/{operation_id}"), 403, "not_allowed")
    assert accepted(await keyed["read"].get(f"/operations/{operation_id}"))["data"]
    await cancel_research(keyed["cancel"], operation_id)


async def test_without_the_key_file_all_are_refused_and_its_path_is_not_revealed(
    keyed: Keys, ring: KeyRing, caplog: pytest.LogCaptureFixture
) -> None:
    ring.path.unlink()
    body = refused(await keyed["ada"].get("/operations"), 503, "keys_unavailable")
    assert str(ring.path.parent) not in body["detail"]
    assert str(ring.path) in caplog.text


async def test_a_revoked_key_is_refused_at_once(keyed: Keys, ring: KeyRing) -> None:
    assert (await keyed["ada"].get("/operations")).is_success
    ring.revoke("ada")
    refused(await keyed["ada"].get("/operations"), 401, "not_authenticated")
    assert (await keyed["bob"].get("/operations")).is_success


async def test_a_revoked_key_ends_its_streams(
    client: Client, settings: Settings, ring: KeyRing
) -> None:
    tokens = {owner: ring.add(owner, "ada", (Scope.RUN,)) for owner in OWNERS}
    app = create_app(settings.model_copy(update={"api_keys": ring.path}), client)
    async with served(app) as http, asyncio.timeout(60):
        http.headers["Authorization"] = f"Bearer {tokens['ada']}"
        operation_id = await start_research(http)
        async with http.sse(f"/operations/{operation_id}/events") as stream:
            events = aiter(stream)
            assert (await anext(events)).event == "progress"
            ring.revoke("bob")
            ring.revoke("ada")
            assert "end" not in [event.event async for event in events]
        refused(await http.get("/operations"), 401, "not_authenticated")


def test_the_file_contains_no_key_and_only_its_owner_can_read_it(ring: KeyRing) -> None:
    token = ring.add("one", "ada", (Scope.READ, Scope.RUN))
    assert token not in ring.path.read_text()
    assert ring.path.stat().st_mode & 0o777 == 0o600
    found = KeyRing(ring.path).find(token)
    assert found is not None
    assert (found.name, found.owner, found.scopes) == ("one", "ada", (Scope.READ, Scope.RUN))
    assert ring.find(token[:-1]) is None
    # A hash with the same beginning is a different hash.
    similar = json.loads(ring.path.read_text())
    digest = similar["keys"][0]["sha256"]
    similar["keys"][0]["sha256"] = digest[:-1] + ("0" if digest[-1] != "0" else "1")
    other = KeyRing(ring.path.with_name("similar.json"))
    other.path.write_text(json.dumps(similar))
    assert other.find(token) is None
    with pytest.raises(InvalidInput, match="already"):
        ring.add("one", "bob", (Scope.READ,))
    for name, owner in (("a b", "ada"), ("two", "")):
        with pytest.raises(InvalidInput):
            ring.add(name, owner, (Scope.READ,))
    with pytest.raises(InvalidInput, match="no key"):
        ring.revoke("two")


@pytest.mark.parametrize("content", [None, "", "{}{", '{"keys": [{"name": "a"}]}'])
def test_a_missing_or_invalid_key_file_is_reported(ring: KeyRing, content: str | None) -> None:
    if content is not None:
        ring.path.parent.mkdir()
        ring.path.write_text(content)
    with pytest.raises(StartupError, match="KTRDR_API_KEYS"):
        ring.list_all()
