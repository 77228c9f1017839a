"""A model comments on an assessment: words from it, figures from the computation."""

import re
from collections.abc import Awaitable, Callable

import pytest
from temporalio.client import Client

from activities.llm.assessor import Comment, comment
from activities.llm.connection import connect_model
from activities.llm.meter import Conversation, Meter, MeteredModel
from activities.llm.prices import Prices
from activities.llm.providers import ModelName
from errors import ModelMisbehaved
from quant.messages.artifacts import Artifact
from quant.messages.report.dossier import Dossier
from quant.messages.steps import AssessmentResult
from quant.report.page import render_report
from settings import Settings
from storage.artifacts import ArtifactStore
from storage.ledger.ledger import Ledger
from tests.llm.provider import Provider, Refusal, Reply
from tests.llm.replies import GPT, SONNET
from tests.llm.replies import comment as says
from tests.support.helpers import new_id
from tests.support.phases import start
from workflows.interface.messages import ResearchRequest

Commenting = Callable[[str], Awaitable[Comment]]

_FIGURES = {"sharpe": "0.42", "trades": "81"}

COMMENTED = ResearchRequest(strategy="quick", seed=7, designer="llm", model=SONNET)


@pytest.fixture
def comment_by(ledger: Ledger, own_settings: Settings) -> Commenting:
    """Let a model comment."""

    async def comment_by(model: str) -> Comment:
        name = ModelName.parse(model)
        meter = Meter(
            name=name,
            research_id=new_id(),
            max_cost=None,
            ledger=ledger,
            prices=Prices(),
            artifacts=ArtifactStore(own_settings.artifacts_url).open(new_id()),
            conversation=Conversation(prompt="{}"),
            report_step=print,
        )
        async with connect_model(name, 5) as connection:
            return await comment(MeteredModel(connection, meter), "{}", _FIGURES)

    return comment_by


async def assessed(client: Client, settings: Settings) -> tuple[AssessmentResult, str]:
    """Research to the end, and return the assessment and the report."""
    handle = await start(client, COMMENTED)
    result = await handle.result()
    folder, _, _ = result.report_path.partition("/")
    artifacts = ArtifactStore(settings.artifacts_url).open(folder)
    stored = AssessmentResult.model_validate_json(artifacts.read(Artifact.ASSESSMENT) or b"")
    dossier = Dossier.model_validate_json(artifacts.read(Artifact.DOSSIER) or b"")
    return stored, render_report(dossier)


@pytest.mark.parametrize("model", [SONNET, GPT])
async def test_the_figures_come_from_us(
    provider: Provider, comment_by: Commenting, model: str
) -> None:
    provider.replies = [says("A ratio of {sharpe} in {trades} trades.", "More trades.")]
    said = await comment_by(model)
    assert said.text == "A ratio of 0.42 in 81 trades."
    assert said.hypotheses == ("More trades.",)


async def test_a_hypothesis_holds_no_figure_not_even_one_of_ours(
    provider: Provider, comment_by: Commenting
) -> None:
    provider.replies = [says("Fine.", "More than {trades}."), says("Fine.", "More trades.")]
    assert (await comment_by(SONNET)).hypotheses == ("More trades.",)
    assert "No figure trades may stand here" in str(provider.requests[-1])


@pytest.mark.parametrize(
    "wrong",
    [
        "A ratio of 0.9.",
        "A ratio of \N{SUPERSCRIPT TWO}.",
        "A ratio of \N{ARABIC-INDIC DIGIT FOUR}.",
        "A ratio of \N{VULGAR FRACTION ONE HALF}.",
        "A ratio of {sortino}.",
        "",
        "long" * 600,
    ],
)
async def test_a_figure_of_its_own_and_other_nonsense_go_back_to_the_model(
    provider: Provider, comment_by: Commenting, wrong: str
) -> None:
    provider.replies = [says(wrong), says("Fine.", "x" * 501), says("A ratio of {sharpe}.")]
    said = await comment_by(SONNET)
    assert said.text == "A ratio of 0.42."
    assert len(provider.requests) == 3


async def test_a_model_that_never_keeps_to_the_rules_is_given_up(
    provider: Provider, comment_by: Commenting
) -> None:
    provider.replies = [says("A ratio of 9.") for _ in range(20)]
    with pytest.raises(ModelMisbehaved):
        await comment_by(SONNET)
    assert len(provider.requests) < 8


async def test_a_comment_is_in_the_assessment_in_the_report_and_in_the_ledger(
    provider: Provider, tidy: Client, settings: Settings
) -> None:
    provider.replies = [says("<b>A ratio\x1b</b> of {log_loss}.", "Try <i>volume</i>.")]
    result, report = await assessed(tidy, settings)
    assert result.comment is not None
    said = re.fullmatch(r"<b>A ratio</b> of (0\.\d{4})\.", result.comment.text)
    assert said is not None
    assert f"log loss {said[1]}" in result.observations[0]
    assert f"&lt;b&gt;A ratio&lt;/b&gt; of {said[1]}." in report
    assert "Try &lt;i&gt;volume&lt;/i&gt;." in report
    assert "<b>" not in report and "<i>" not in report
    ledger = Ledger(settings.ledger_url)
    statements = [each.statement for each in ledger.hypotheses.find(limit=None)]
    ledger.close()
    assert "Try <i>volume</i>." in statements


async def test_an_assessment_is_complete_without_a_comment(
    provider: Provider, tidy: Client, settings: Settings
) -> None:
    provider.replies = [Refusal(401)]
    result, report = await assessed(tidy, settings)
    assert result.comment is None
    assert "The language model gave no comment." in result.limitations[-1]
    assert "answered with status 401" in report


async def test_a_provider_that_is_away_for_a_moment_is_asked_again(
    provider: Provider, tidy: Client, settings: Settings
) -> None:
    provider.replies = [Refusal(529), Reply(text="", breaks_off=True), says("Weak.")]
    result, _ = await assessed(tidy, settings)
    assert result.comment is not None
    assert result.comment.text == "Weak."
