"""The reference of the API for people: nothing comes from elsewhere."""

import re

import httpx2
import pytest


@pytest.mark.parametrize("prefix", ["", "/api/v1"])
async def test_the_page_loads_only_what_we_serve(
    alone_api: httpx2.AsyncClient, prefix: str
) -> None:
    page = await alone_api.get(f"{prefix}/docs")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "unsafe" not in page.headers["content-security-policy"]
    assert "<script>" not in page.text
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(loaded) == 5
    for path in loaded:
        answer = await alone_api.get(f"{prefix}/{path}")
        assert answer.status_code == 200, path
        assert answer.content


async def test_a_browser_keeps_the_files(alone_api: httpx2.AsyncClient) -> None:
    path = "/api/v1/docs/swagger-ui-bundle.js"
    first = await alone_api.get(path)
    again = await alone_api.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert (await alone_api.get(path, headers={"If-None-Match": '"other"'})).status_code == 200


async def test_nothing_else_is_a_file_of_it(alone_api: httpx2.AsyncClient) -> None:
    for name in ("index.js", "..%2Froutes.py", "redoc.standalone.js"):
        assert (await alone_api.get(f"/api/v1/docs/{name}")).status_code == 404
