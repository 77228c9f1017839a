"""Fields of a request for a research that have no effect together with its other fields.

The API refuses them. A workflow that was started by hand names them in its warnings.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from workflows.interface.messages import ResearchInput, ResearchRequest
from workflows.requests.brief import apply_brief

_WITH_A_STRATEGY: Final[Mapping[str, str]] = MappingProxyType(
    {
        "trials": "with `strategy` nothing is searched",
        "memory": "with `strategy` nothing is searched",
        "features": "`strategy` names its own features",
        "long_only": "`strategy` says by itself which positions it takes",
    }
)
_WITHOUT_A_LANGUAGE_MODEL: Final[Mapping[str, str]] = MappingProxyType(
    {
        "model": "only the designer `llm` uses a language model",
        "max_cost": "only the designer `llm` costs anything",
    }
)
_WITH_A_LANGUAGE_MODEL: Final[Mapping[str, str]] = MappingProxyType(
    {
        "memory": "only the designer `search` starts from earlier trials",
        "features": "only the designer `search` chooses from them; say it in `brief`",
        "long_only": "only the designer `search` obeys it; say it in `brief`",
    }
)
_WITHOUT_GATES: Final[Mapping[str, str]] = MappingProxyType(
    {"gates": "`bypass_gates` continues whatever they say"}
)


def find_unused_fields(request: ResearchRequest) -> dict[str, str]:
    """Return the fields that have no effect, each with the reason.

    A field with its default value changes nothing anyway.
    """
    rules: dict[str, str] = {}
    if request.designer == "llm":
        rules |= _WITH_A_LANGUAGE_MODEL
    else:
        rules |= _WITHOUT_A_LANGUAGE_MODEL
    if request.strategy is not None:
        rules |= _WITH_A_STRATEGY
    if request.bypass_gates:
        rules |= _WITHOUT_GATES
    fields = ResearchRequest.model_fields
    return {
        name: why for name, why in rules.items() if getattr(request, name) != fields[name].default
    }


def complete_input(request: ResearchInput) -> ResearchInput:
    """Return the input with what the API adds to it, unless the API has done so."""
    if request.warnings is not None:
        return request
    unused = find_unused_fields(request)
    applied = apply_brief(request)
    warnings = (
        *(f"`{name}` has no effect: {why}." for name, why in unused.items()),
        *applied.warnings,
    )
    return applied.request.model_copy(update={"warnings": warnings})
