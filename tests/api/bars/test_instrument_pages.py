"""The page of one instrument of a report, and what a research is compared with."""

from collections.abc import Callable

import httpx2
import pytest

from tests.api.answers import accepted, ended, refused

SYMBOLS = ["PAGA", "PAGB", "PAGC"]


@pytest.fixture
def bars(fresh_universe: Callable[..., None]) -> None:
    fresh_universe(SYMBOLS, seed=44)


@pytest.mark.usefixtures("bars")
async def test_a_report_shows_one_instrument_and_its_benchmark(api: httpx2.AsyncClient) -> None:
    body = {
        "symbols": SYMBOLS[1:],
        "benchmark": SYMBOLS[0],
        "trials": 1,
        "seed": 1,
        "bypass_gates": True,
    }
    started = accepted(await api.post("/agent/trigger", json=body), 202)
    assert started["understood"]["benchmark"] == SYMBOLS[0]
    research = started["operation_id"]
    shown = await ended(api, research)
    assert shown["status"] == "completed"

    page = await api.get(f"/operations/{research}/report")
    assert page.status_code == 200
    assert f"Buy and hold of {SYMBOLS[0]}" in page.text
    assert f"Alpha is what was earned beyond {SYMBOLS[0]}" in page.text
    one = await api.get(f"/operations/{research}/report", params={"instrument": SYMBOLS[1]})
    assert one.status_code == 200
    assert f"<h1>{SYMBOLS[1]}</h1>" in one.text
    assert one.headers["content-security-policy"] == page.headers["content-security-policy"]
    dossier = (await api.get(f"/operations/{research}/report", params={"format": "json"})).json()
    assert dossier["input"]["spec"]["benchmark"] == SYMBOLS[0]
    assert dossier["input"]["backtest"]["benchmark"]["content_hash"]

    path = f"/operations/{research}/report"
    refused(
        await api.get(path, params={"instrument": "NOSUCH"}), 422, "invalid_input", "instrument"
    )
    both = {"instrument": SYMBOLS[1], "format": "json"}
    refused(await api.get(path, params=both), 422, "invalid_input", "instrument")
    watch = await api.post("/watches", json={"research_id": research})
    refused(watch, 409, "not_watchable")
