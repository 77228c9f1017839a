"""The documents and files of the page: what is answered to whom, and under which rules."""

import re

import httpx2
import pytest
from pydantic import ValidationError

from settings import Settings

_BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.mark.parametrize("accept", ["application/json", "*/*"])
async def test_the_root_is_a_page_for_browsers_and_pointers_for_programs(
    api: httpx2.AsyncClient, accept: str
) -> None:
    for_programs = await api.get("/", headers={"Accept": accept})
    assert for_programs.json()["name"] == "ktrdr"
    for_people = await api.get("/", headers=_BROWSER)
    assert for_people.headers["content-type"].startswith("text/html")
    # Neither may be kept for the other.
    for answer in (for_programs, for_people):
        assert answer.headers["vary"] == "Accept"
        assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/record",
        "/researches/op_agent_research_x",
        "/campaigns-and-watches",
        "/campaigns-and-watches/op_campaign_x",
    ],
)
async def test_a_document_loads_files_of_this_api_and_nothing_else(
    api: httpx2.AsyncClient, path: str
) -> None:
    document = await api.get(path, headers=_BROWSER)
    policy = document.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    files = re.findall(r'(?:src|href)="(/static/[^"]+)"', document.text)
    imports: set[str] = set()
    assert any(file.endswith(".css") for file in files)
    assert any(file.endswith("/main.js") for file in files)
    for file in files:
        answer = await api.get(file)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-cache"
        again = await api.get(file, headers={"If-None-Match": answer.headers["etag"]})
        assert again.status_code == 304
        assert not again.content
        imported = re.findall(r'from "(\.[^"]+)"', answer.text)
        imports.update(httpx2.URL(file).join(module).path for module in imported)
    # All scripts are named, so a browser loads them at once.
    assert imports <= set(files)
    assert not re.search(r"""(?:src|href)=["']?(?:https?:)?//""", document.text)
    assert " style=" not in document.text
    assert " on" not in re.sub(r">[^<]*<", "><", document.text)


async def test_an_id_in_the_address_stays_text(api: httpx2.AsyncClient) -> None:
    answer = await api.get("/researches/%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E")
    assert "<script>alert" not in answer.text
    assert "&lt;script&gt;alert(1)" in answer.text


async def test_the_frame_of_a_report_allows_its_styles_and_no_script(
    api: httpx2.AsyncClient,
) -> None:
    frame = await api.get("/report-frame")
    policy = frame.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "sandbox allow-same-origin" in policy
    assert frame.headers["x-frame-options"] == "SAMEORIGIN"


@pytest.mark.parametrize("path", ["nosuch.js", "../routes.py", "%2e%2e/routes.py", "page.css/"])
async def test_only_files_of_the_page_are_served(api: httpx2.AsyncClient, path: str) -> None:
    assert (await api.get(f"/static/{path}")).status_code == 404


def test_the_link_to_temporals_web_ui_is_an_address_of_the_web() -> None:
    assert Settings(temporal_ui_url="https://ui.example/").temporal_ui_url == "https://ui.example"
    with pytest.raises(ValidationError, match="http"):
        Settings(temporal_ui_url="javascript:alert(1)")
