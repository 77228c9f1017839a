"""The page of a report is drawn at the first look, and kept until its data change."""

import time

import httpx2

from quant.messages.artifacts import Artifact
from quant.messages.report.dossier import Dossier
from quant.messages.steps import ModelComment
from quant.steps.assess import publish_assessment
from settings import Settings
from storage.artifacts import ArtifactStore, OperationArtifacts
from tests.api.answers import refused
from workflows.interface.contract import OperationType
from workflows.interface.ids import make_step_id


def open_assessment(settings: Settings, operation_id: str) -> OperationArtifacts:
    step = make_step_id(operation_id, OperationType.ASSESSMENT)
    return ArtifactStore(settings.artifacts_url).open(step)


async def look(api: httpx2.AsyncClient, operation_id: str) -> bytes:
    answer = await api.get(f"/operations/{operation_id}/report")
    assert answer.status_code == 200, answer.text
    return answer.content


async def test_a_page_is_drawn_at_the_first_look_in_less_than_a_second(
    api: httpx2.AsyncClient, settings: Settings, completed: str
) -> None:
    assessment = open_assessment(settings, completed)
    assert assessment.read(Artifact.REPORT) is None
    began = time.process_time()
    page = await look(api, completed)
    assert time.process_time() - began < 1.0
    assert page.startswith(b"<!")
    assert page.count(b"<svg") > 1
    assert assessment.read(Artifact.REPORT) == page
    assert await look(api, completed) == page


async def test_a_page_is_drawn_again_when_a_comment_was_added(
    api: httpx2.AsyncClient, settings: Settings, completed: str
) -> None:
    before = await look(api, completed)
    assessment = open_assessment(settings, completed)
    dossier = Dossier.model_validate_json(assessment.read(Artifact.DOSSIER) or b"")
    comment = ModelComment(text="Nothing to see.", model="test:model")
    publish_assessment(dossier.result.model_copy(update={"comment": comment}), assessment)
    after = await look(api, completed)
    assert b"test:model" in after
    assert b"test:model" not in before
    assert assessment.read(Artifact.REPORT) == after


async def test_a_page_that_an_earlier_version_has_stored_is_shown_as_it_was(
    api: httpx2.AsyncClient, settings: Settings, completed: str
) -> None:
    assessment = open_assessment(settings, completed)
    assessment.write(Artifact.REPORT, b"<!doctype html><p>As it was.")
    assert await look(api, completed) == b"<!doctype html><p>As it was."
    # Such a page may have outlived its data.
    dossier = assessment.read(Artifact.DOSSIER) or b""
    await assessment.delete(Artifact.DOSSIER)
    assert await look(api, completed) == b"<!doctype html><p>As it was."
    assessment.write(Artifact.DOSSIER, dossier)
    await assessment.delete(Artifact.REPORT)


async def test_damaged_data_are_refused_by_name(
    api: httpx2.AsyncClient, settings: Settings, completed: str
) -> None:
    assessment = open_assessment(settings, completed)
    await assessment.delete(Artifact.REPORT)
    dossier = assessment.read(Artifact.DOSSIER) or b""
    assessment.write(Artifact.DOSSIER, dossier[:100])
    answer = await api.get(f"/operations/{completed}/report")
    assert answer.status_code >= 400
    refused(answer, answer.status_code, "damaged_artifact")
    assessment.write(Artifact.DOSSIER, dossier)
