"""The dynamic configuration of the Temporal server, a file of this package."""

from pathlib import Path
from typing import Any, Final

import yaml

_FILE: Final = Path(__file__).parent / "dynamicconfig.yaml"


def load_dynamic_config() -> dict[str, Any]:
    """Return the values in which a Temporal server must differ from its defaults, by name."""
    file: dict[str, list[dict[str, Any]]] = yaml.safe_load(_FILE.read_text())
    return {name: values[0]["value"] for name, values in file.items()}
