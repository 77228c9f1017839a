import httpx2
import pytest

from tests.api.answers import accepted, refused

VALID = "name: mine\nfeatures:\n  - {kind: rsi, period: 14}\n"


async def test_all_strategies_are_listed(api: httpx2.AsyncClient) -> None:
    rows = {row["name"]: row for row in accepted(await api.get("/strategies"))["data"]}
    assert rows["momentum"]["built_in"] is True
    assert rows["quick"]["built_in"] is False
    assert rows["quick"]["invalid"] is None


async def test_a_strategy_is_shown_by_name(api: httpx2.AsyncClient) -> None:
    data = accepted(await api.get("/api/v1/strategies/momentum"))["data"]
    assert data["name"] == "momentum"
    assert data["features"]


@pytest.mark.parametrize("name", ["nosuch", "%2E%2E%2Fquick", "%2E%2E", "x" * 5000])
async def test_an_unknown_strategy_is_refused(api: httpx2.AsyncClient, name: str) -> None:
    response = await api.get(f"/strategies/{name}")
    assert response.status_code in {404, 422}
    refused(response, response.status_code, response.json()["reason"])


async def test_a_valid_file_is_returned_as_parsed(api: httpx2.AsyncClient) -> None:
    data = accepted(await api.post("/strategies/validate", content=VALID))["data"]
    assert data["name"] == "mine"
    assert data["horizon"] == 5


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (VALID + "colour: red\n", "colour"),
        (VALID.replace("14", "1"), "features.0.period"),
        (VALID.replace("14", "!!python/object/apply:os.getcwd []"), "tags are not allowed"),
        ("name: [", "line"),
        ("just text", "mapping"),
        ("", "mapping"),
        (b"name: \xff\xfe", "UTF-8"),
        (b"x" * 70_000, "bytes"),
    ],
    ids=["unknown-field", "range", "tag", "cut", "text", "empty", "not-utf-8", "large"],
)
async def test_the_refusal_of_an_invalid_file_names_the_field(
    api: httpx2.AsyncClient, content: str | bytes, named: str
) -> None:
    response = await api.post("/strategies/validate", content=content)
    assert named in refused(response, 422, "invalid_input")["detail"]
