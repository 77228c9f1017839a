"""Candidates, accounts, conditions and the strategy of a research over REST."""

import httpx2
from temporalio.client import Client

from quant.messages.artifacts import Artifact
from quant.strategy.parser import parse_strategy
from settings import Settings
from storage.artifacts import ArtifactStore
from tests.api.answers import accepted, ended, refused
from tests.support.helpers import assert_eventually
from tests.support.phases import IN_DESIGN, start
from workflows.interface.contract import OperationType
from workflows.interface.ids import make_step_id

SEARCH = {"symbol": "NASDAQ", "trials": 5, "seed": 11, "bypass_gates": True}


async def test_what_a_research_has_shown_is_read_by_its_id(
    api: httpx2.AsyncClient, settings: Settings
) -> None:
    operation_id = accepted(await api.post("/agent/trigger", json=SEARCH), 202)["operation_id"]
    await ended(api, operation_id)

    candidates = accepted(await api.get(f"/operations/{operation_id}/candidates"))["data"]
    assert [each["number"] for each in candidates["candidates"]] == [1, 2, 3, 4, 5]
    assert candidates["planned"] == candidates["scored"] == 5
    assert all(each["trades"] >= 0 for each in candidates["candidates"])
    assert candidates["luck"] == sorted(candidates["luck"])
    assert len(candidates["luck"]) == 5
    later = accepted(await api.get(f"/operations/{operation_id}/candidates?after=3"))["data"]
    assert [each["number"] for each in later["candidates"]] == [4, 5]

    experiment = accepted(await api.get(f"/experiments/{operation_id}"))["data"]
    best = max(each["sharpe"] for each in candidates["candidates"] if each["sharpe"] is not None)
    design = accepted(await api.get(f"/operations/{operation_id}.design/results"))["results"]
    assert abs(best - design["best_sharpe"]) < 1e-9

    judgement = accepted(await api.get(f"/experiments/{operation_id}/judgement"))["data"]
    assert judgement["verdict"] == experiment["verdict"]
    assert len(judgement["conditions"]) == 10
    promising = all(each["passed"] for each in judgement["conditions"])
    assert promising == (judgement["verdict"] == "promising")

    strategy = await api.get(f"/experiments/{operation_id}/strategy")
    assert parse_strategy(strategy.content).model_dump(mode="json") == experiment["strategy"]

    # Before its assessment, nobody sees how a research does on the holdout.
    curves = accepted(await api.get(f"/operations/{operation_id}/curves"))["data"]
    assert len(curves["holdout"]["equity"]) == len(curves["holdout"]["timestamps"]) > 1
    store = ArtifactStore(settings.artifacts_url)
    assessment = store.open(make_step_id(operation_id, OperationType.ASSESSMENT))
    await assessment.delete(Artifact.DOSSIER)

    async def hidden() -> bool:
        again = accepted(await api.get(f"/operations/{operation_id}/curves"))["data"]
        return again["walk_forward"] is not None and again["holdout"] is None

    await assert_eventually(hidden)


async def test_candidates_are_shown_while_they_are_scored(
    api: httpx2.AsyncClient, client: Client
) -> None:
    research = await start(client, IN_DESIGN.request)

    async def scored() -> bool:
        answer = accepted(await api.get(f"/operations/{research.id}/candidates"))["data"]
        return len(answer["luck"]) > 2 and len(answer["candidates"]) > 0

    await assert_eventually(scored)


async def test_what_does_not_exist_is_refused(api: httpx2.AsyncClient) -> None:
    for path in ("/operations/nosuch/candidates", "/operations/nosuch/curves"):
        refused(await api.get(path), 404, "not_found")
    for path in ("/experiments/nosuch/judgement", "/experiments/nosuch/strategy"):
        assert (await api.get(path)).status_code == 404


async def test_a_preview_says_what_a_start_would_say_and_starts_nothing(
    api: httpx2.AsyncClient,
) -> None:
    body = {"brief": "momentum on NASDAQ with moonlight", "trials": 7}
    before = accepted(await api.get("/operations"))["total_count"]
    preview = accepted(await api.post("/agent/preview", json=body))
    assert accepted(await api.get("/operations"))["total_count"] == before
    assert preview["cost"]["trials"] == 7
    assert preview["cost"]["look"] >= 1
    assert (await api.post("/agent/preview", json={"symbol": "NOSUCH"})).status_code == 422
    started = accepted(await api.post("/agent/trigger", json=body), 202)
    assert started["understood"] == preview["understood"]
    assert started["warnings"] == preview["warnings"]
