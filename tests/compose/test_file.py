"""`docker-compose.yml` is valid, complete, and agrees with the files and images that it names."""

import json
import os
import re
import subprocess
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path

import jsonschema_rs
import pytest
import yaml

from activities.llm.providers import PROVIDERS
from settings import Settings
from temporal.dynamic_config import dynamic_config
from tests.compose.composition import (
    COMPOSE,
    ONCE,
    OURS,
    PREVIOUS,
    QUEUES,
    SERVICES,
    WORKERS,
    file_behind,
    health_check,
    mounts,
)
from tests.support.helpers import ROOT


def test_the_file_keeps_to_the_specification() -> None:
    schema = json.loads((Path(__file__).parent / "compose-spec.json").read_text())
    jsonschema_rs.validator_for(schema).validate(COMPOSE)
    broken = {**COMPOSE, "services": {"api": {"image": 5}}}
    with pytest.raises(jsonschema_rs.ValidationError):
        jsonschema_rs.validator_for(schema).validate(broken)


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_locked_down(name: str) -> None:
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"]
    if name not in OURS:
        assert re.search(r":[0-9][^:]*$", service["image"]), "pinned"
    if not service["image"].startswith("temporalio/admin-tools"):
        assert int(service["user"].partition(":")[0]) > 0
    for port in service.get("ports", []):
        assert port.startswith("127.0.0.1:")


DONE = {"condition": "service_completed_successfully"}
HEALTHY = {"condition": "service_healthy"}
AFTER = {
    "postgresql": {},
    "temporal-schema": {"postgresql": HEALTHY},
    "temporal": {"temporal-schema": DONE},
    "temporal-namespace": {"temporal": HEALTHY},
    "temporal-ui": {"temporal": HEALTHY},
    **{name: {"setup": DONE} for name in OURS},
    "setup": {"temporal-namespace": DONE},
}


def test_services_start_one_after_the_other() -> None:
    assert {name: each.get("depends_on", {}) for name, each in SERVICES.items()} == AFTER
    for name in ONCE:
        # One that ends well and is started again would never be done.
        assert SERVICES[name]["restart"] == "on-failure"
    for waited_for in AFTER.values():
        for name, condition in waited_for.items():
            assert (name in ONCE) == (condition == DONE)
            assert name in ONCE or "healthcheck" in SERVICES[name]


def test_every_file_and_volume_that_is_named_exists() -> None:
    for name, service in SERVICES.items():
        for source in mounts(name).values():
            if source.startswith("./"):
                assert (ROOT / source).exists(), source
            elif not source.startswith("$"):
                assert source in COMPOSE["volumes"]
        for argument in service.get("entrypoint", [])[1:]:
            script = file_behind(name, argument)
            assert script is not None, argument
            subprocess.run(["sh", "-n", str(script)], check=True)


# What is known to be in an image, which nobody can look into here.
TOOLS = {
    "postgres:16.10-bookworm": {"pg_isready"},
    "temporalio/server:1.31.0": {"nc"},
    "ktrdr": {"python", "ktrdr", "test", "find"},
}


@pytest.mark.parametrize("name", [name for name in SERVICES if "healthcheck" in SERVICES[name]])
def test_health_is_asked_with_what_the_image_has(name: str) -> None:
    image = "ktrdr" if name in OURS else SERVICES[name]["image"]
    program, *arguments = health_check(name)
    called = re.findall(r"(?:^|\$\()([\w-]+)", arguments[-1]) if program == "sh" else [program]
    assert called
    assert set(called) <= TOOLS[image]


def test_health_is_asked_where_the_services_listen() -> None:
    port = Settings.model_fields["api_port"].default
    assert f"'http://127.0.0.1:{port}/health'" in health_check("api")[-1]
    assert SERVICES["api"]["ports"][0].endswith(f":{port}")
    assert health_check("temporal")[1:] == ["-z", "localhost", "7233"]
    assert health_check("postgresql")[1:] == ["-U", "temporal"]


@pytest.mark.parametrize("name", [*WORKERS, *PREVIOUS])
def test_the_health_of_a_worker_is_in_the_file_that_it_touches(name: str) -> None:
    alive_file = SERVICES[name]["environment"]["KTRDR_ALIVE_FILE"]
    assert f"find {alive_file} " in health_check(name)[-1]
    # Of one container only, and not of the time before it was started.
    assert str(Path(alive_file).parent) in SERVICES[name]["tmpfs"]


@pytest.mark.parametrize("name", SERVICES)
def test_services_find_each_other_by_name(name: str) -> None:
    environment = SERVICES[name].get("environment", {})
    if "TEMPORAL_ADDRESS" in environment:
        assert environment["TEMPORAL_ADDRESS"] == "temporal:7233"
        assert "temporal" in SERVICES
    database = SERVICES["postgresql"]["environment"]
    if "POSTGRES_SEEDS" in environment:
        assert environment["POSTGRES_SEEDS"] == "postgresql"
        assert environment["DB_PORT"] == "5432"
        assert environment["POSTGRES_USER"] == database["POSTGRES_USER"]
        assert environment["POSTGRES_PWD"] == database["POSTGRES_PASSWORD"]
    if "KTRDR_LEDGER_URL" in environment:
        password = database["POSTGRES_PASSWORD"]
        assert environment["KTRDR_LEDGER_URL"] == (
            f"postgresql://{database['POSTGRES_USER']}:{password}@postgresql:5432/ktrdr"
        )


def test_where_a_read_only_container_writes_there_is_room() -> None:
    for name, service in SERVICES.items():
        assert "/tmp" in service["tmpfs"]
        if name in OURS:
            assert mounts(name)["/state"] == "state"
    # Its socket lies there, also for `pg_isready`.
    assert "/run/postgresql" in SERVICES["postgresql"]["tmpfs"]
    assert mounts("postgresql")["/var/lib/postgresql/data"] == "postgresql"


def test_the_server_reads_our_dynamic_configuration() -> None:
    environment = SERVICES["temporal"]["environment"]
    configuration = file_behind("temporal", environment["DYNAMIC_CONFIG_FILE_PATH"])
    assert configuration is not None
    told = {
        name: values[0]["value"]
        for name, values in yaml.safe_load(configuration.read_text()).items()
    }
    # A cancel reaches a worker at once only with both.
    assert told["system.enableCancelActivityWorkerCommand"]
    assert told["frontend.WorkerCommandsEnabled"]
    # The servers of the other tests, which prove the rest, are started with the same values.
    assert told == dynamic_config()
    assert int(environment["NUM_HISTORY_SHARDS"]) >= 512, "cannot be changed later"


SCHEMAS = {
    "temporalio/admin-tools:1.31.0": {
        "temporal": "/etc/temporal/schema/postgresql/v12/temporal/versioned",
        "temporal_visibility": "/etc/temporal/schema/postgresql/v12/visibility/versioned",
    }
}


def calls(service: str, tool: str, directory: Path, answer: str = "exit 0") -> list[list[str]]:
    """Run the script of a service, and return with which arguments it calls this tool of its."""
    _, script = SERVICES[service]["entrypoint"]
    log = directory / "calls"
    stub = directory / tool
    stub.write_text(f'#!/bin/sh\necho "$@" >>{log}\n{answer}\n')
    stub.chmod(0o755)
    environment = {**SERVICES[service]["environment"], "PATH": f"{directory}:{os.defpath}"}
    path = file_behind(service, script)
    assert path is not None
    subprocess.run(["sh", str(path)], env=environment, check=True)
    return [line.split() for line in log.read_text().splitlines()]


def test_the_databases_get_the_schema_that_the_image_has(tmp_path: Path) -> None:
    service = SERVICES["temporal-schema"]
    created, updated = [], {}
    for call in calls("temporal-schema", "temporal-sql-tool", tmp_path):
        given = dict(pairwise(call))
        assert (given["--plugin"], given["--ep"]) == (service["environment"]["DB"], "postgresql")
        if "create" in call:
            created.append(given["--db"])
        if "update-schema" in call:
            updated[given["--db"]] = given["-d"]
    assert updated == SCHEMAS[service["image"]]
    assert created == [*updated, "ktrdr"]


@pytest.mark.parametrize(("exists", "verb"), [(True, "update"), (False, "create")])
def test_the_namespace_gets_its_retention(tmp_path: Path, exists: bool, verb: str) -> None:
    answer = "exit 0" if exists else 'test "$3" != describe'
    told = SERVICES["temporal-namespace"]["environment"]
    *_, last = calls("temporal-namespace", "temporal", tmp_path, answer)
    assert last == [
        *("operator", "namespace", verb, "-n", told["TEMPORAL_NAMESPACE"]),
        *("--retention", told["RETENTION"]),
    ]


def test_every_variable_is_explained_and_no_secret_is_in_the_file() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    example = (ROOT / "deploy/compose/example.env").read_text()
    explained = set(re.findall(r"^(?:# )?([A-Z_]+)=", example, re.MULTILINE))
    taken = set(re.findall(r"\$\{([A-Z_]+)", text))
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if value is None:
                taken.add(name)
            elif re.search("PASSWORD|PWD|KEY$|SECRET", name):
                assert value.startswith("${"), name
    assert taken == explained


# What an installation need not be asked for: it follows from the file, or is of the embedded stack
# or of the `ktrdr` command.
NOT_ASKED_FOR = {
    *("home", "api_host", "api_port", "api_keys", "ledger_url", "data_dir", "strategy_dir"),
    *("alive_file", "temporal_port", "ui_port", "temporal_bin", "api_url", "api_key"),
}


@pytest.mark.parametrize("name", ["api", *WORKERS, *PREVIOUS])
def test_every_setting_can_be_given_without_editing_the_file(name: str) -> None:
    environment = SERVICES[name]["environment"]
    of_the_api = {field for field in Settings.model_fields if field.startswith("api_")}
    asked_for = (
        set(Settings.model_fields) - NOT_ASKED_FOR - (set() if name == "api" else of_the_api)
    )
    providers = {
        variable
        for provider in PROVIDERS.values()
        for variable in (provider.key_variable, provider.address_variable)
    }
    expected = {f"KTRDR_{field.upper()}" for field in asked_for} | providers
    given = {name for name, value in environment.items() if value is None}
    if name in PREVIOUS:
        expected.discard("KTRDR_BUILD_ID")
        assert environment["KTRDR_BUILD_ID"] == "${KTRDR_PREVIOUS_BUILD_ID:-}"
    assert expected <= given
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" in given


@pytest.mark.parametrize("name", ["api", *WORKERS, *PREVIOUS])
def test_what_works_with_keys_can_read_them_and_no_more(name: str) -> None:
    assert "${KTRDR_SECRETS:-./secrets}:/run/secrets:ro" in SERVICES[name]["volumes"]


def test_the_image_is_tagged_with_the_version_of_the_workers() -> None:
    for name in ("setup", "api", *WORKERS):
        assert SERVICES[name]["image"] == f"ktrdr:${{KTRDR_BUILD_ID:-{version('ktrdr')}}}"
        assert SERVICES[name]["build"] == "."


@pytest.mark.parametrize("queue", QUEUES)
def test_workers_of_the_version_before_differ_in_their_version_only(queue: str) -> None:
    new = {**SERVICES[f"worker-{queue}"]}
    old = {**SERVICES[f"previous-{queue}"]}
    assert old.pop("profiles") == ["previous"]
    assert old.pop("image").startswith("ktrdr:${KTRDR_PREVIOUS_BUILD_ID:-")
    # There is no code of that version here that it could be built from, and no registry of images.
    assert old.pop("pull_policy") == "never"
    del new["image"], new["build"]
    for service in (old, new):
        service["environment"] = {**service["environment"], "KTRDR_BUILD_ID": None}
    assert old == new


def test_what_is_filled_in_is_not_for_the_repository() -> None:
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    assert {".env", "secrets/"} <= set(ignored)
