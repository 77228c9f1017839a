"""All settings, validated once. Entry points build a `Settings` and pass it down.

The connection to Temporal is not here: it comes from Temporal's own environment configuration
(`TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`, profiles in TOML, TLS, API key).
"""

import os
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, ByteSize, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from errors import StartupError
from quant.messages.spelling import Spelling
from quant.problems import explain
from quant.processes import NICENESS


def find_home() -> Path:
    """Return the state directory, wherever a command is run from: there is only one.

    It is `var` in the checkout that this file belongs to. An installed wheel has none, and keeps
    its state where the user's programs do (XDG Base Directory Specification).
    """
    here = Path(__file__).resolve().parent
    if (here / "pyproject.toml").is_file():
        return here / "var"
    of_user = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(of_user) / "ktrdr"


def _require_web_address(url: str | None) -> str | None:
    """Return the address without a slash at its end. Of another scheme, it could be a script."""
    if url is not None and not url.startswith(("http://", "https://")):
        raise ValueError("must begin with http:// or https://")
    return url and url.rstrip("/")


class Settings(BaseSettings):
    """Settings of every process, from `KTRDR_*` environment variables.

    Every attribute has its final value: a default that depends on another setting is filled in.
    """

    # An empty variable counts as not set, so that a file of variables may name all of them.
    model_config = SettingsConfigDict(env_prefix="KTRDR_", frozen=True, env_ignore_empty=True)

    home: Path = Field(
        default_factory=find_home,
        description="State directory of the embedded stack, created if missing",
    )
    api_host: str = "127.0.0.1"
    api_port: int = Field(8000, ge=1, le=65535)
    temporal_port: int = Field(7233, ge=1, le=65535, description="Port of the embedded server")
    ui_port: int = Field(8233, ge=0, le=65535, description="Port of its Web UI; 0 for none")
    temporal_ui_url: Annotated[str | None, AfterValidator(_require_web_address)] = Field(
        None, description="Address of Temporal's Web UI, to which the page links"
    )
    temporal_bin: str | None = Field(None, description="Another `temporal` executable to embed")
    api_url: Annotated[str, AfterValidator(lambda url: url.rstrip("/"))] = Field(
        default_factory=lambda known: f"http://{known['api_host']}:{known['api_port']}",
        description="Where the `ktrdr` command finds the API",
    )
    api_key: SecretStr | None = Field(None, description="Sent by the `ktrdr` command")
    api_keys: Path | None = Field(None, description="File with the keys that the API accepts")
    payload_keys: Path | None = Field(
        None, description="File with the keys that encrypt payloads in Temporal"
    )
    api_allowed_hosts: str = Field(
        "", description="Further host names that the API accepts, comma-separated"
    )
    api_cors_origins: str = Field(
        "", description="Origins whose pages may call the API, comma-separated"
    )
    data_dir: Path = Field(
        default_factory=lambda known: known["home"] / "data",
        description="Directory with your own CSV or Parquet bars; it need not exist",
    )
    strategy_dir: Path = Field(
        default_factory=lambda known: known["home"] / "strategies",
        description="Directory with your strategy files; it need not exist",
    )
    universe_dir: Path = Field(
        default_factory=lambda known: known["home"] / "universes",
        description="Directory with your lists of symbols; it need not exist",
    )
    artifacts_url: str = Field(
        default_factory=lambda known: str(known["home"] / "artifacts"),
        description="fsspec URL of the artifact store",
    )
    ledger_url: str = Field(
        default_factory=lambda known: f"sqlite:///{known['home'] / 'ledger.db'}",
        description="SQLAlchemy URL of the ledger",
    )
    compute_slots: int = Field(
        default_factory=lambda: os.cpu_count() or 1,
        ge=1,
        le=10_000,
        description="Processes that a worker computes with at once, whatever queues it serves",
    )
    compute_memory: ByteSize | None = Field(
        None,
        ge=2**20,
        description="Memory that these processes may use together, such as 8GiB. Further ones wait",
    )
    compute_niceness: int = Field(
        NICENESS,
        ge=0,
        le=19,
        description="How far they let others go first, as `nice` counts it; 0: not at all",
    )

    deployment: (
        Annotated[
            str,
            Spelling(
                r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$",
                "letters, digits, `_` and `-`, at most 64, with a letter or digit first",
            ),
        ]
        | None
    ) = Field(
        None,
        description="Name of the deployment, to run workers of several versions side by side",
    )
    build_id: Annotated[
        str,
        Spelling(
            r"^[A-Za-z0-9][A-Za-z0-9_.+-]{0,63}$",
            "letters, digits, `_`, `.`, `+` and `-`, at most 64, with a letter or digit first",
        ),
    ] = Field(
        default_factory=lambda: version("ktrdr"),
        description="Version of this worker's code, unique per release; used with a deployment",
    )

    max_active_researches: int | None = Field(
        None, ge=1, description="The API refuses more than this; without a limit they queue"
    )

    metrics_address: (
        Annotated[str, Spelling(r"^[^:]+:[0-9]{1,5}$", "a host and a port, such as 127.0.0.1:9000")]
        | None
    ) = Field(
        None,
        description="Host and port where a worker or the API serves metrics for Prometheus",
    )
    log_format: Literal["text", "json"] = Field("text", description="Log format of workers and API")

    alive_file: Path | None = Field(
        None, description="File that a worker touches every 5 seconds, for a health check"
    )

    notify_url: SecretStr | None = Field(
        None,
        description="Addresses of Apprise, separated by spaces, that are told when a watch decides "
        "and when a research has completed or failed",
    )

    daily_budget: Annotated[float | None, AfterValidator(lambda dollars: dollars or None)] = Field(
        20.0,
        ge=0.0,
        description="US dollars per day (UTC) for language models; 0 is stored as None: no limit",
    )
    llm_model: str = Field(
        "anthropic:claude-sonnet-5-5", description="Language model of a research that names none"
    )
    llm_timeout_seconds: float = Field(
        60.0, gt=0.0, le=3600.0, description="How long a provider may stay silent"
    )
    llm_input_price: float | None = Field(
        None,
        ge=0.0,
        description="US dollars per million input tokens, for a model without a known price",
    )
    llm_output_price: float | None = Field(
        None, ge=0.0, description="US dollars per million output tokens, for the same models"
    )

    @field_validator(
        "home",
        "data_dir",
        "strategy_dir",
        "universe_dir",
        "api_keys",
        "payload_keys",
        "alive_file",
    )
    @classmethod
    def _absolute(cls, path: Path | None) -> Path | None:
        """Make the path absolute: a child process may have another working directory."""
        return path.absolute() if path else None

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:  # noqa: ARG002 - immutable
        """Return validated settings with these changes. Defaults follow what they depend on."""
        changed = self.model_dump(exclude_unset=True) | dict(update or {})
        return type(self)(**changed)


def load_settings() -> Settings:
    """Read the environment.

    Raises:
        StartupError: A variable is invalid. The message names every such variable.
    """
    try:
        return Settings()
    except ValidationError as error:
        problems = "; ".join(
            f"KTRDR_{'_'.join(str(part) for part in problem['loc']).upper()}: {explain(problem)}"
            for problem in error.errors()
            # A default could not be filled in because of another problem in this list.
            if problem["type"] != "default_factory_not_called"
        )
        raise StartupError(problems) from None
