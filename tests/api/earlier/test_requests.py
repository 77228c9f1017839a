"""The bodies that clients of the earlier system send, and the keys that they read."""

from typing import Any

import httpx2
import pytest
import pytest_asyncio

from tests.api.answers import accepted, ended, refused
from tests.support.helpers import assert_eventually

# The days that a command of the earlier system names. SP500 ends in 2018.
TRAINED = {"start_date": "2000-01-01", "end_date": "2011-12-31"}
TESTED = {"start_date": "2012-01-01", "end_date": "2013-12-31"}


@pytest_asyncio.fixture(scope="module")
async def trained(api: httpx2.AsyncClient) -> dict[str, Any]:
    """The answer to the training that the earlier command starts."""
    body = {"strategy_name": "quick", "detailed_analytics": False} | TRAINED
    started = accepted(await api.post("/api/v1/trainings/start", json=body), 202)
    assert (await ended(api, started["task_id"]))["status"] == "completed"
    return started


@pytest_asyncio.fixture(scope="module")
async def tested(api: httpx2.AsyncClient, trained: dict[str, Any]) -> dict[str, Any]:
    """A finished backtest, started by the body of the earlier command."""
    body = {
        "strategy_name": "quick",
        "initial_capital": 50_000.0,
        "commission": 0.001,
        "slippage": 0.0005,
        "model_path": f"{trained['task_id']}/model.txt",
    } | TESTED
    started = accepted(await api.post("/api/v1/backtests/start", json=body), 202)
    assert started["success"] is True
    assert (started["symbol"], started["timeframe"]) == ("SP500", "1d")
    assert started["warnings"] == []
    return await ended(api, started["operation_id"])


def test_a_training_answers_how_it_was_understood(trained: dict[str, Any]) -> None:
    assert trained["success"] is True
    assert trained["status"] == "training_started"
    assert trained["message"]
    assert trained["strategy_name"] == "quick"
    assert (trained["symbols"], trained["timeframes"]) == (["SP500"], ["1d"])
    assert {name: trained[name] for name in TRAINED} == TRAINED
    assert trained["warnings"] == []


async def test_a_training_shows_its_figures_in_its_result(
    api: httpx2.AsyncClient, trained: dict[str, Any]
) -> None:
    shown = accepted(await api.get(f"/operations/{trained['task_id']}"))["data"]
    assert {name: shown["metadata"][name] for name in TRAINED} == TRAINED
    summary = shown["result_summary"]
    assert summary["training_metrics"]["epochs_completed"] == 20
    figures = summary["test_metrics"]
    assert {"test_accuracy", "precision", "recall", "f1_score"} <= figures.keys()
    assert all(isinstance(value, float) for value in figures.values())
    assert summary["data_summary"]["total_samples"] == 2113
    assert summary["data_summary"]["end_date"].startswith("2008-0")
    assert summary["model_path"] == f"{trained['task_id']}/model.txt"
    epochs = shown["metrics"]["epochs"]
    assert {"epoch", "train_loss", "val_loss"} <= epochs[0].keys()

    performance = accepted(await api.get(f"/trainings/{trained['task_id']}/performance"))
    for part in ("training_metrics", "test_metrics", "data_summary", "model_path"):
        assert performance[part] == summary[part]


def test_a_backtest_trades_the_days_that_it_names(tested: dict[str, Any]) -> None:
    assert {name: tested["metadata"][name] for name in TESTED} == TESTED
    parameters = tested["metadata"]["parameters"]
    assert (parameters["commission"], parameters["initial_capital"]) == (0.001, 50_000.0)
    summary = tested["result_summary"]
    assert summary["total_bars"] == summary["equity_curve_length"] == 502
    assert summary["data"]["holdout_start"].startswith("2012-01-03")
    assert summary["data"]["end"].startswith("2013-12-31")


def test_a_backtest_shows_figures_that_clients_format(tested: dict[str, Any]) -> None:
    summary = tested["result_summary"]
    metrics = summary["metrics"]
    read = {"total_return_pct", "sharpe_ratio", "max_drawdown_pct", "win_rate", "max_drawdown"}
    assert read <= metrics.keys()
    assert all(isinstance(value, int | float) for value in metrics.values())
    assert summary["trade_count"] == metrics["total_trades"] > 0
    assert metrics["final_capital"] == pytest.approx(50_000.0 * (1.0 + metrics["total_return"]))


async def test_costs_of_a_request_are_charged(
    api: httpx2.AsyncClient, trained: dict[str, Any], tested: dict[str, Any]
) -> None:
    body = {
        "training_id": trained["task_id"],
        "commission": 0.0,
        "slippage": 0.0,
    } | TESTED
    started = accepted(await api.post("/backtests/start", json=body), 202)
    free = (await ended(api, started["operation_id"]))["result_summary"]
    returns = [level["total_return"] for level in free["levels"]]
    assert len(set(returns)) == 1
    assert returns[0] > tested["result_summary"]["metrics"]["total_return"]


async def test_a_backtest_of_days_that_the_model_has_learned_from_warns(
    api: httpx2.AsyncClient, trained: dict[str, Any]
) -> None:
    body = {"training_id": trained["task_id"], "start_date": "2005-01-01", "end_date": "2012-01-31"}
    started = accepted(await api.post("/backtests/start", json=body), 202)
    [warning] = started["warnings"]
    assert "has learned from the bars from 2000-01-03 until 2008-0" in warning
    shown = await ended(api, started["operation_id"])
    assert (shown["status"], shown["warnings"]) == ("completed", [warning])


async def test_without_a_model_the_newest_of_the_strategy_is_backtested(
    api: httpx2.AsyncClient, trained: dict[str, Any]
) -> None:
    body = {"strategy_name": "quick", "symbol": "SP500", "timeframe": "1d", "model_path": None}

    async def newest_is_listed() -> bool:
        models = accepted(await api.get("/models"))["models"]
        return trained["task_id"] in {model["model_id"] for model in models}

    await assert_eventually(newest_is_listed)
    started = accepted(await api.post("/backtests/start", json=body | TESTED), 202)
    models = accepted(await api.get("/models"))["models"]
    assert started["model_path"] in {
        model["model_path"] for model in models if model["model_name"] == "quick"
    }


async def test_what_has_no_effect_is_named_in_the_answer_and_in_the_operation(
    alone_api: httpx2.AsyncClient,
) -> None:
    body = {"strategy_name": "quick", "task_id": "mine", "detailed_analytics": True}
    started = accepted(await alone_api.post("/trainings/start", json=body), 202)
    assert [warning.split()[0] for warning in started["warnings"]] == [
        "task_id",
        "detailed_analytics",
    ]
    # No worker runs, so Temporal alone answers.
    shown = accepted(await alone_api.get(f"/operations/{started['task_id']}"))["data"]
    assert shown["warnings"] == started["warnings"]


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/trainings/start", {"symbols": ["SP500", "SP500"]}, "symbols"),
        ("/trainings/start", {"timeframes": ["1h", "1d"]}, "timeframes"),
        ("/trainings/start", {"symbols": ["SP500"], "symbol": "NASDAQ"}, "symbols"),
        ("/trainings/start", {"start_date": "2012-01-01", "end_date": "2011-01-01"}, "start_date"),
        ("/trainings/start", {"start_date": "soon"}, "start_date"),
        ("/backtests/start", {"model_path": "models/mine.pt"}, "model_path"),
        ("/backtests/start", {"strategy_name": "never-trained"}, "strategy_name"),
        ("/backtests/start", {"commission": 0.5}, "commission"),
        ("/backtests/start", {"initial_capital": 0}, "initial_capital"),
    ],
)
async def test_what_cannot_be_done_is_refused_by_its_name(
    alone_api: httpx2.AsyncClient, path: str, body: dict[str, Any], field: str
) -> None:
    named = {} if "backtests" in path else {"strategy_name": "quick"}
    refusal = refused(await alone_api.post(path, json=named | body), 422, "invalid_input")
    assert field in refusal["detail"]


async def test_a_training_and_a_backtest_work_on_several_symbols(api: httpx2.AsyncClient) -> None:
    body = {"strategy_name": "quick", "symbols": ["SP500", "NASDAQ"], "timeframes": ["1d"]}
    started = accepted(await api.post("/trainings/start", json=body), 202)
    assert started["symbols"] == ["NASDAQ", "SP500"]
    shown = await ended(api, started["task_id"])
    assert shown["result_summary"]["data_summary"]["symbols"] == ["NASDAQ", "SP500"]

    backtest = {"strategy_name": "quick", "training_id": started["task_id"]}
    traded = accepted(await api.post("/backtests/start", json=backtest), 202)
    assert (await ended(api, traded["operation_id"]))["status"] == "completed"


async def test_a_backtest_names_what_its_model_was_trained_with(
    api: httpx2.AsyncClient, trained: dict[str, Any]
) -> None:
    model = {"model_path": f"{trained['task_id']}/model.txt"}
    for field, value in (("strategy_name", "slow"), ("symbol", "NASDAQ"), ("timeframe", "1h")):
        answer = await api.post("/backtests/start", json=model | {field: value})
        refused(answer, 422, "invalid_input", field)


async def test_a_backtest_of_days_without_bars_is_refused_and_names_those_that_exist(
    api: httpx2.AsyncClient, trained: dict[str, Any]
) -> None:
    body = {"training_id": trained["task_id"], "start_date": "2024-01-01", "end_date": "2024-06-01"}
    answer = await api.post("/backtests/start", json=body)
    said = refused(answer, 422, "invalid_data", "start_date")["detail"]
    assert "has 0 bars on the days to be traded" in said
    assert "2018-12-31" in said


@pytest.mark.long
async def test_evolve_backtests_a_model_on_many_slices(
    api: httpx2.AsyncClient, trained: dict[str, Any]
) -> None:
    """It reads the figures of a member's research, and backtests its model on up to 16 slices."""
    slices = [
        {
            "start_date": f"{2010 + n // 2}-{1 + n % 2 * 6:02}-01",
            "end_date": f"{2010 + n // 2}-{6 + n % 2 * 6:02}-28",
        }
        for n in range(16)
    ]
    model = {"strategy_name": "quick", "symbol": "SP500"}
    model["model_path"] = f"{trained['task_id']}/model.txt"
    started = [
        accepted(await api.post("/backtests/start", json=model | days), 202) for days in slices
    ]
    first_days = set()
    for each in started:
        shown = await ended(api, each["operation_id"])
        assert shown["status"] == "completed"
        metrics = shown["result_summary"]["metrics"]
        assert 0.0 <= metrics["max_drawdown_pct"] < 1.0
        first_days.add(shown["result_summary"]["data"]["holdout_start"])
    assert len(first_days) == 16
