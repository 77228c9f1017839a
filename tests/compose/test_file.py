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

from activities.llm.providers import KEY_IS_SET, KEY_VARIABLES, PROVIDERS
from settings import Settings
from temporal.dynamic_config import load_dynamic_config
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
        assert re.match(r"\$\{KTRDR_PUBLISHED_\w+:-127\.0\.0\.1:\d+\}:", port), (
            "loopback by default"
        )
    assert service["logging"]["options"].keys() == {"max-size", "max-file"}


DONE = {"condition": "service_completed_successfully"}
HEALTHY = {"condition": "service_healthy"}
AFTER = {
    "postgresql": {},
    "temporal-schema": {"postgresql": HEALTHY},
    "temporal": {"temporal-schema": DONE},
    "temporal-namespace": {"temporal": HEALTHY},
    "temporal-ui": {"temporal": HEALTHY},
    "proxy": {"api": HEALTHY},
    **{name: {"setup": DONE} for name in OURS},
    "setup": {"temporal-namespace": DONE},
    # They also make what the others need before they can start.
    "ktrdr": {},
    "temporal-cli": {},
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
    "temporalio/server:1.32.0": {"nc"},
    "ktrdr": {"python", "ktrdr", "test", "find"},
}


@pytest.mark.parametrize("name", [name for name in SERVICES if "healthcheck" in SERVICES[name]])
def test_health_is_asked_with_what_the_image_has(name: str) -> None:
    image = "ktrdr" if name in OURS else SERVICES[name]["image"]
    program, *arguments = health_check(name)
    called = re.findall(r"(?:^|\$\()([\w-]+)", arguments[-1]) if program == "sh" else [program]
    assert called
    assert set(called) <= TOOLS[image]


@pytest.mark.parametrize("name", [*WORKERS, *PREVIOUS])
def test_the_health_of_a_worker_is_in_the_file_that_it_touches(name: str) -> None:
    alive_file = SERVICES[name]["environment"]["KTRDR_ALIVE_FILE"]
    assert f"find {alive_file} " in health_check(name)[-1]
    # Of one container only, and not of the time before it was started.
    assert str(Path(alive_file).parent) in SERVICES[name]["tmpfs"]


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
    assert told == load_dynamic_config()
    assert int(environment["NUM_HISTORY_SHARDS"]) >= 512, "cannot be changed later"


SCHEMAS = {
    "temporalio/admin-tools:1.32.0": {
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
    assert set(re.findall(r"\$\{([A-Z_]+)", text)) <= explained
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if re.search("PASSWORD|PWD|KEY$|SECRET", name):
                assert value.startswith("${"), name


# What follows from the Compose file, or is of the embedded stack or of the `ktrdr` command.
NOT_ASKED_FOR = {
    *("home", "api_host", "api_port", "api_keys", "ledger_url", "data_dir", "strategy_dir"),
    "universe_dir",
    *("alive_file", "temporal_port", "ui_port", "temporal_bin", "api_url", "api_key"),
}


def test_every_setting_is_explained() -> None:
    example = (ROOT / "deploy/compose/example.env").read_text()
    asked_for = {f"KTRDR_{field.upper()}" for field in set(Settings.model_fields) - NOT_ASKED_FOR}
    providers = {
        variable
        for provider in PROVIDERS.values()
        for variable in (provider.key_variable, provider.address_variable)
    }
    assert not {name for name in asked_for | providers if f"\n# {name}=" not in example}


@pytest.mark.parametrize("name", sorted(OURS))
def test_settings_come_from_the_file_of_variables_and_not_from_the_shell(name: str) -> None:
    assert SERVICES[name]["env_file"] == ".env"
    # A variable without a value would be taken from the shell.
    assert None not in SERVICES[name]["environment"].values()


@pytest.mark.parametrize("name", sorted(OURS))
def test_only_workers_that_call_language_models_have_their_keys(name: str) -> None:
    for variable in KEY_VARIABLES:
        given = SERVICES[name]["environment"].get(variable)
        # Without a value here, that of the file of variables counts.
        assert given == (None if name.endswith("-research") else f"${{{variable}:+{KEY_IS_SET}}}")


@pytest.mark.parametrize("name", sorted(OURS))
def test_only_the_command_can_change_keys(name: str) -> None:
    mode = "" if name == "ktrdr" else ":ro"
    assert f"${{KTRDR_SECRETS:-./secrets}}:/run/secrets{mode}" in SERVICES[name]["volumes"]


def test_the_image_is_tagged_with_the_version_of_the_workers() -> None:
    for name in ("setup", "ktrdr", "api", *WORKERS):
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
