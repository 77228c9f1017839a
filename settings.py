"""All settings, validated once. Entry points build a `Settings` and pass it down.

The connection to Temporal is not here: it comes from Temporal's own environment configuration
(`TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`, profiles in TOML, TLS, API key).
"""

import os
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from errors import StartupError


class Settings(BaseSettings):
    """Settings of every process, from `KTRDR_*` environment variables."""

    model_config = SettingsConfigDict(env_prefix="KTRDR_", frozen=True)

    home: Path = Field(
        Path("var"), description="State directory of the embedded stack, created if missing"
    )
    api_host: str = "127.0.0.1"
    api_port: int = Field(8000, ge=1, le=65535)
    temporal_port: int = Field(7233, ge=1, le=65535, description="Port of the embedded server")
    ui_port: int = Field(8233, ge=1, le=65535, description="Port of its Web UI")
    temporal_bin: str | None = Field(None, description="Another `temporal` executable to embed")
    api_url: str | None = Field(None, description="Where the `ktrdr` command finds the API")
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
    data_dir: Path | None = Field(None, description="Directory with your own CSV or Parquet bars")
    strategy_dir: Path | None = Field(None, description="Your strategy files")
    artifacts_url: str | None = Field(None, description="fsspec URL of the artifact store")
    ledger_url: str | None = Field(None, description="SQLAlchemy URL of the ledger")
    compute_slots: int = Field(
        default_factory=lambda: os.cpu_count() or 1,
        ge=1,
        le=10_000,
        description="Compute activities that a worker runs at once, per task queue",
    )

    deployment: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$",
        description="Name of the deployment, to run workers of several versions side by side",
    )
    build_id: str = Field(
        default_factory=lambda: version("ktrdr"),
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.+-]{0,63}$",
        description="Version of this worker's code, unique per release; used with a deployment",
    )

    max_active_researches: int | None = Field(
        None, ge=1, description="The API refuses more than this; without a limit they queue"
    )

    metrics_address: str | None = Field(
        None,
        pattern=r"^[^:]+:[0-9]{1,5}$",
        description="Host and port where a worker or the API serves metrics for Prometheus",
    )
    log_format: Literal["text", "json"] = Field("text", description="Log format of workers and API")

    daily_budget: float = Field(
        20.0, ge=0.0, description="US dollars per day (UTC) for language models; 0 for no limit"
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

    @field_validator("home", "data_dir", "strategy_dir", "api_keys", "payload_keys")
    @classmethod
    def _absolute(cls, path: Path | None) -> Path | None:
        """Resolve now: a child process may have another working directory."""
        return path.absolute() if path else None

    @property
    def artifacts(self) -> str:
        """URL of the artifact store."""
        return self.artifacts_url or str(self.home / "artifacts")

    @property
    def ledger(self) -> str:
        """SQLAlchemy URL of the ledger."""
        return self.ledger_url or f"sqlite:///{self.home / 'ledger.db'}"

    @property
    def budget(self) -> float | None:
        """What language models may cost per day, in US dollars; None for no limit."""
        return self.daily_budget or None

    @property
    def strategies(self) -> Path:
        """Directory of the user's own strategy files; it need not exist."""
        return self.strategy_dir or self.home / "strategies"

    @property
    def bars(self) -> Path:
        """Directory of the user's own bars; it need not exist."""
        return self.data_dir or self.home / "data"

    @property
    def api(self) -> str:
        """Address of the API for clients, without a path."""
        return (self.api_url or f"http://{self.api_host}:{self.api_port}").rstrip("/")


def load_settings() -> Settings:
    """Read the environment.

    Raises:
        StartupError: names each invalid variable.
    """
    try:
        return Settings()
    except ValidationError as error:
        problems = "; ".join(
            f"KTRDR_{'_'.join(str(part) for part in problem['loc']).upper()}: {problem['msg']}"
            for problem in error.errors()
        )
        raise StartupError(problems) from None
