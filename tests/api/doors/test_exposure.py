"""Who can reach the API at all."""

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest
from temporalio.client import Client

from api.app import create_app
from api.auth.exposure import check_exposure
from errors import StartupError
from settings import Settings
from tests.api.answers import refused
from tests.support.helpers import ROOT, free_port, serving


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "api.example.org"])
def test_without_keys_only_this_machine_is_served(host: str, tmp_path: Path) -> None:
    with pytest.raises(StartupError, match="everybody may do everything"):
        check_exposure(Settings(api_host=host))
    check_exposure(Settings(api_host=host, api_keys=tmp_path))
    for own in ("127.0.0.1", "::1", "localhost"):
        check_exposure(Settings(api_host=own))


def test_an_api_without_keys_does_not_start_beyond_this_machine() -> None:
    refused_start = subprocess.run(
        [sys.executable, "-m", "api"],
        cwd=ROOT,
        env=os.environ | {"KTRDR_API_HOST": "0.0.0.0", "KTRDR_API_PORT": str(free_port())},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert refused_start.returncode == 1
    assert "everybody may do everything" in refused_start.stderr


async def test_a_foreign_host_is_refused_and_every_answer_has_safe_headers(
    api: httpx2.AsyncClient,
) -> None:
    for host in ("evil.example", "localhost.evil.example:8000", ""):
        answer = await api.get("/operations", headers={"Host": host})
        refused(answer, 421, "wrong_host")
    for path in ("/health", "/nosuch", "/api/v1/docs"):
        answer = await api.get(path, headers={"Host": "LOCALHOST:8000"})
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        # The documents of the page hold nothing of anybody. They are validated at each use.
        expected = "no-cache" if path.endswith("/docs") else "no-store"
        assert answer.headers["cache-control"] == expected
    preflight = {"Origin": "https://evil.example", "Access-Control-Request-Method": "DELETE"}
    answer = await api.options("/operations", headers=preflight)
    assert "access-control-allow-origin" not in answer.headers


async def test_a_page_of_a_listed_origin_may_call(client: Client, settings: Settings) -> None:
    own = settings.model_copy(
        update={"api_cors_origins": "https://desk.example", "api_allowed_hosts": "api.example, x"}
    )
    async with serving(create_app(own, client)) as api:
        answer = await api.get(
            "/health", headers={"Origin": "https://desk.example", "Host": "api.example"}
        )
        assert answer.headers["access-control-allow-origin"] == "https://desk.example"


CROSS_SITE = [
    {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
    {"Sec-Fetch-Site": "same-site", "Origin": "http://evil.localhost"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Origin": "https://evil.example"},
    {"Origin": "http://localhost:8001"},
    {"Origin": "null"},
    {"Origin": "http://[bad"},
]


@pytest.mark.parametrize("headers", CROSS_SITE, ids=str)
async def test_a_page_of_another_site_changes_nothing(
    api: httpx2.AsyncClient, caplog: pytest.LogCaptureFixture, headers: dict[str, str]
) -> None:
    with caplog.at_level(logging.INFO, "ktrdr.audit"):
        # A browser sends this without asking the API first.
        simple = await api.post(
            "/agent/trigger", content=b"{}", headers={"Content-Type": "text/plain", **headers}
        )
        refused(simple, 403, "cross_site")
        refused(await api.delete("/operations?owner=x", headers=headers), 403, "cross_site")
    entries = [json.loads(each.message) for each in caplog.records if each.name == "ktrdr.audit"]
    assert {(each["event"], each["reason"]) for each in entries} == {("refused", "cross_site")}
    assert (await api.get("/health", headers=headers)).is_success


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "http://localhost"},
        # Behind a proxy that ends TLS.
        {"Origin": "https://localhost"},
        {"Origin": "https://desk.example"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "https://desk.example"},
    ],
    ids=str,
)
async def test_other_clients_and_own_pages_may_change_things(
    client: Client, settings: Settings, headers: dict[str, str]
) -> None:
    own = settings.model_copy(update={"api_cors_origins": "https://desk.example"})
    async with serving(create_app(own, client)) as api:
        answer = await api.post("/strategies/validate", content=b"", headers=headers)
        refused(answer, 422, "invalid_input", "strategy")
