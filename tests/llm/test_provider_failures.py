"""What a provider may do to us, and what Temporal is told about it."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from temporalio.api.failure.v1 import Failure
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.computing.compute import Compute
from activities.llm.meter import MAX_ANSWER_TOKENS
from activities.research import ResearchActivities
from settings import Settings
from storage.ledger.ledger import Ledger
from storage.ledger.records import Tokens
from temporal.converter import data_converter
from tests.llm.conftest import KEY
from tests.llm.provider import Provider, Refusal, Reply
from tests.llm.replies import GPT, SONNET, design_task
from tests.support.helpers import assert_eventually
from tests.support.outside.silence import silent_http_server

MODELS = pytest.mark.parametrize("model", [SONNET, GPT])

# Providers like to repeat what they were sent.
_SAID = {"type": "error", "error": {"type": "some_error", "message": f"Wrong key {KEY}"}}


async def failure(
    environment: ActivityEnvironment, activities: ResearchActivities, model: str
) -> ApplicationError:
    """Return what the design of a research with this model fails with."""
    with pytest.raises(ApplicationError) as caught:
        await environment.run(activities.design, design_task(model))
    in_history = Failure()
    await data_converter.encode_failure(caught.value, in_history)
    assert KEY not in str(in_history)
    return caught.value


def committed(ledger: Ledger) -> float:
    return ledger.spending.get_committed(datetime.now(UTC).date())


@MODELS
@pytest.mark.parametrize(
    ("status", "retryable"),
    [(400, False), (401, False), (403, False), (404, False), (429, True), (500, True), (529, True)],
)
async def test_rate_limits_and_errors_of_the_server_may_pass_and_others_do_not(
    provider: Provider,
    activities: ResearchActivities,
    environment: ActivityEnvironment,
    ledger: Ledger,
    model: str,
    status: int,
    retryable: bool,
) -> None:
    provider.replies = [Refusal(status, body=_SAID)]
    error = await failure(environment, activities, model)
    assert error.type == "language_model_failed"
    assert error.non_retryable is not retryable
    assert str(status) in error.message
    # Temporal tries again; the client library does not.
    assert len(provider.requests) == 1
    assert committed(ledger) == 0.0


@MODELS
@pytest.mark.parametrize("status", [429, 503])
async def test_a_retry_waits_as_long_as_the_provider_wants(
    provider: Provider,
    activities: ResearchActivities,
    environment: ActivityEnvironment,
    model: str,
    status: int,
) -> None:
    provider.replies = [Refusal(status, headers={"retry-after": "17"}, body=_SAID)]
    error = await failure(environment, activities, model)
    assert error.next_retry_delay == timedelta(seconds=17)


async def test_an_exhausted_quota_does_not_pass_by_waiting(
    provider: Provider, activities: ResearchActivities, environment: ActivityEnvironment
) -> None:
    quota = {"error": {"type": "insufficient_quota", "code": "insufficient_quota", "message": ""}}
    provider.replies = [Refusal(429, body=quota)]
    assert (await failure(environment, activities, GPT)).non_retryable


@MODELS
async def test_an_answer_that_ends_in_its_middle_is_asked_for_again(
    provider: Provider,
    activities: ResearchActivities,
    environment: ActivityEnvironment,
    ledger: Ledger,
    model: str,
) -> None:
    provider.replies = [Reply(text="Let me think about that.", breaks_off=True)]
    error = await failure(environment, activities, model)
    assert (error.type, error.non_retryable) == ("language_model_failed", False)
    # Nobody knows what it has cost: the most that it can have cost stays set aside.
    assert committed(ledger) > 0.0


@MODELS
async def test_a_provider_that_falls_silent_is_given_up_after_the_timeout(
    provider: Provider,
    compute: Compute,
    ledger: Ledger,
    own_settings: Settings,
    environment: ActivityEnvironment,
    model: str,
) -> None:
    provider.replies = [Reply(text="Let me think about that.", hangs=True)]
    impatient = own_settings.model_copy(update={"llm_timeout_seconds": 2})
    activities = ResearchActivities(compute=compute, ledger=ledger, settings=impatient)
    error = await failure(environment, activities, model)
    assert (error.type, error.non_retryable) == ("language_model_failed", False)


@MODELS
@pytest.mark.usefixtures("provider")
async def test_a_provider_that_is_paused_is_given_up_after_the_timeout(
    compute: Compute,
    ledger: Ledger,
    own_settings: Settings,
    environment: ActivityEnvironment,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    model: str,
) -> None:
    impatient = own_settings.model_copy(update={"llm_timeout_seconds": 2})
    activities = ResearchActivities(compute=compute, ledger=ledger, settings=impatient)
    with silent_http_server(tmp_path) as port:
        for variable in ("ANTHROPIC_BASE_URL", "OPENAI_BASE_URL"):
            monkeypatch.setenv(variable, f"http://127.0.0.1:{port}/v1")
        error = await failure(environment, activities, model)
    assert (error.type, error.non_retryable) == ("language_model_failed", False)


async def test_a_provider_that_only_says_that_it_is_alive_is_given_up(
    provider: Provider,
    activities: ResearchActivities,
    environment: ActivityEnvironment,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("activities.llm.meter._LONGEST_ANSWER_SECONDS", 1.0)
    provider.replies = [Reply(text="Let me think about that.", hangs=True)]
    error = await failure(environment, activities, SONNET)
    assert (error.type, error.non_retryable) == ("language_model_failed", False)


@MODELS
async def test_an_answer_without_end_is_given_up_at_once(
    provider: Provider,
    activities: ResearchActivities,
    environment: ActivityEnvironment,
    model: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # So long an answer as is really allowed takes a minute of processor time to be sent and read.
    monkeypatch.setattr("activities.llm.connection._MOST_ANSWER_BYTES", 256 * 1024)
    provider.replies = [Reply(text="Let me think about that. " * 400, endless=True)]
    error = await failure(environment, activities, model)
    assert (error.type, error.non_retryable) == ("model_misbehaved", True)
    assert "without end" in error.message


async def test_an_answer_that_never_ends_in_time_is_not_asked_for_again_for_ever(
    provider: Provider,
    activities: ResearchActivities,
    environment: ActivityEnvironment,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("activities.llm.meter._LONGEST_ANSWER_SECONDS", 0.5)
    environment.info = replace(environment.info, attempt=3)
    provider.replies = [Reply(text="Let me think about that.", hangs=True)]
    error = await failure(environment, activities, SONNET)
    assert (error.type, error.non_retryable) == ("language_model_failed", True)


async def test_answers_that_together_take_too_long_are_given_up(
    provider: Provider,
    activities: ResearchActivities,
    environment: ActivityEnvironment,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("activities.llm.meter._LONGEST_CONVERSATION_SECONDS", 0.0)
    provider.replies = [Reply(text="Let me think about that.")] * 2
    error = await failure(environment, activities, SONNET)
    assert (error.type, error.non_retryable) == ("model_misbehaved", True)
    assert len(provider.requests) == 1


@MODELS
async def test_no_report_of_tokens_costs_more_than_the_call_can(
    provider: Provider,
    activities: ResearchActivities,
    environment: ActivityEnvironment,
    ledger: Ledger,
    model: str,
) -> None:
    provider.replies = [
        Reply(text="Hm.", tokens=Tokens(input_tokens=10**12, output_tokens=10**12)),
        Refusal(400),
    ]
    await failure(environment, activities, model)
    assert 0.0 < committed(ledger) < 1.0
    [event] = ledger.spending.list_events(datetime.now(UTC).date(), 10)[-1:]
    assert event.output_tokens == MAX_ANSWER_TOKENS


@MODELS
@pytest.mark.usefixtures("provider")
async def test_a_provider_that_is_away_may_come_back(
    activities: ResearchActivities,
    environment: ActivityEnvironment,
    monkeypatch: pytest.MonkeyPatch,
    model: str,
) -> None:
    for variable in ("ANTHROPIC_BASE_URL", "OPENAI_BASE_URL"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9/v1")
    error = await failure(environment, activities, model)
    assert (error.type, error.non_retryable) == ("language_model_failed", False)


@MODELS
async def test_a_cancel_in_the_middle_of_an_answer_closes_the_connection(
    provider: Provider,
    activities: ResearchActivities,
    environment: ActivityEnvironment,
    model: str,
) -> None:
    provider.replies = [Reply(text="Let me think about that.", hangs=True)]
    running = asyncio.create_task(environment.run(activities.design, design_task(model)))

    async def asked() -> bool:
        return bool(provider.requests)

    await assert_eventually(asked)
    environment.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    async def closed() -> bool:
        return provider.hung_up.is_set()

    await assert_eventually(closed)


async def test_without_a_key_nobody_is_asked(
    provider: Provider,
    activities: ResearchActivities,
    environment: ActivityEnvironment,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    error = await failure(environment, activities, SONNET)
    assert (error.type, error.non_retryable) == ("invalid_input", True)
    assert "ANTHROPIC_API_KEY" in error.message
    assert not provider.requests


async def test_a_model_without_a_known_price_is_not_asked(
    provider: Provider, activities: ResearchActivities, environment: ActivityEnvironment
) -> None:
    error = await failure(environment, activities, "openai:my-own")
    assert "KTRDR_LLM_INPUT_PRICE" in error.message
    assert not provider.requests
