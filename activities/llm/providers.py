"""Names of language models, and the keys that they need.

A name is `<provider>:<model>`. Keys and custom addresses come from the environment variables that
the providers' own libraries read; a local model is reached as `openai:<model>` with
`OPENAI_BASE_URL`.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from errors import InvalidInput


@dataclass(frozen=True)
class Provider:
    """Where a provider's key and address come from."""

    key_variable: str
    address_variable: str


PROVIDERS: Final[Mapping[str, Provider]] = {
    "anthropic": Provider("ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL"),
    "openai": Provider("OPENAI_API_KEY", "OPENAI_BASE_URL"),
}

KEY_VARIABLES: Final = tuple(provider.key_variable for provider in PROVIDERS.values())

KEY_IS_SET: Final = "set"
"""In place of a key, for a process that only asks whether there is one."""

# Names of the earlier system.
_ALIASES: Final[Mapping[str, str]] = {
    "opus": "anthropic:claude-opus-5-5",
    "sonnet": "anthropic:claude-sonnet-5-5",
    "haiku": "anthropic:claude-haiku-5-5",
}


@dataclass(frozen=True)
class ModelName:
    """A language model of a provider."""

    provider: str
    model: str

    @classmethod
    def parse(cls, text: str) -> "ModelName":
        """Parse a name.

        Raises:
            InvalidInput: The text does not name a model of a known provider.
        """
        provider, colon, model = _ALIASES.get(text.lower(), text).partition(":")
        if not colon and model == "" and text.startswith("claude-"):
            provider, model = "anthropic", text
        if provider not in PROVIDERS or not model:
            known = " or ".join(f"{name}:…" for name in PROVIDERS)
            raise InvalidInput(
                f"{text[:100]!r} is not a language model; use {known}", field="model"
            )
        return cls(provider, model)

    def __str__(self) -> str:
        return f"{self.provider}:{self.model}"

    @property
    def key_variable(self) -> str:
        """The environment variable that holds the provider's key."""
        return PROVIDERS[self.provider].key_variable

    @property
    def has_key(self) -> bool:
        """Whether there is a key for the provider."""
        return bool(os.environ.get(self.key_variable, "").strip())

    def read_key(self) -> str:
        """Return the provider's key.

        Raises:
            InvalidInput: There is none. The message says what to do.
        """
        if not self.has_key:
            raise InvalidInput(
                f"The designer `llm` needs a key for {self.provider}: set {self.key_variable} for "
                "the API and the workers, or use the designer `search`.",
                field="designer",
            )
        return os.environ[self.key_variable].strip()

    @property
    def address(self) -> str | None:
        """Address of the provider, if it is not the usual one."""
        return os.environ.get(PROVIDERS[self.provider].address_variable) or None
