"""What people typed for a field of a request: the API speaks of fields, the command of options."""

import re
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, Protocol, Self

# Fields that are called otherwise than the parameter which fills them.
_PARAMETER: Final[Mapping[str, str]] = MappingProxyType(
    {
        "brief": "goal",
        "briefs": "goals",
        "symbols": "each_symbol",
        "research.symbols": "symbols",
        "budget.researches": "max_researches",
        "budget.trials": "max_trials",
        "budget.cost": "max_total_cost",
        "budget.hours": "max_hours",
        "active_only": "active",
        "strategy_name": "strategy",
        "interval_seconds": "every",
        "start_date": "start",
        "end_date": "end",
        "features": "feature",
        "note": "text",
        "add_tags": "tags",
        "remove_tags": "remove",
        "trades": "min_trades",
        "sharpe": "min_sharpe",
        "excess_log_loss": "max_excess_log_loss",
    }
)
_QUOTED: Final = re.compile(r"`([a-z_.]+)`")
_WHOLE_BODY: Final = "body"


class Parameter(Protocol):
    """An option or an argument of a command."""

    @property
    def name(self) -> str | None:
        """Its name in the program."""

    @property
    def opts(self) -> Sequence[str]:
        """How it can be typed, such as `--follow` and `-f`."""

    @property
    def metavar(self) -> str | None:
        """What stands for its value in the help."""


class FieldRefusal(Protocol):
    """What is wrong with one field."""

    @property
    def field(self) -> str:
        """Path of the field, with dots."""

    @property
    def message(self) -> str:
        """What is wrong with it."""

    @property
    def line(self) -> int | None:
        """Line of the file, if it is one of a file."""


class Labels:
    """The parameters of a command, as its help shows them.

    Args:
        labels: By the name of the parameter, such as `--min-trades` or `GOAL`.
    """

    def __init__(self, labels: Mapping[str, str]) -> None:
        self._labels = labels

    @classmethod
    def of(cls, parameters: Iterable[Parameter]) -> Self:
        """Return the labels of a command with these parameters."""
        return cls({each.name: _show(each) for each in parameters if each.name})

    def get(self, field: str) -> str:
        """Return what was typed for a field, or the field itself."""
        whole, _, name = field.rpartition(".")
        if name.isdecimal() and (label := self.get(whole)) != whole:
            return label  # An entry of a list, which is one option.
        parameter = _PARAMETER.get(field) or _PARAMETER.get(name, name)
        for known in (parameter, name, f"{name}s", f"{name}_ids"):
            if known in self._labels:
                return self._labels[known]
        return field

    def explain(self, message: str, problems: Sequence[FieldRefusal]) -> list[str]:
        """Return what to tell people of a refusal: one sentence for each problem.

        Args:
            message: The whole refusal, as the API words it.
            problems: The fields that it is about; empty if it is about none.
        """
        if not problems:
            return [self.rename(message)]
        # The name of a file may stand before its first problem.
        file, found, _ = message.partition(f"{problems[0].field}: ")
        return [self._explain(each, message, file if found else "") for each in problems]

    def _explain(self, problem: FieldRefusal, message: str, file: str) -> str:
        if problem.line is not None:
            return f"{file}line {problem.line}: {problem.field}: {problem.message}"
        said = problem.message.removeprefix(f"{problem.field}: ")
        is_sentence = said == problem.message == message
        if is_sentence or problem.field == _WHOLE_BODY:
            return self.rename(said)
        return f"{self.get(problem.field)}: {self.rename(said)}"

    def rename(self, text: str) -> str:
        """Put labels in the place of the fields that a text quotes."""
        return _QUOTED.sub(lambda found: self._rename_quoted(found[1]), text)

    def _rename_quoted(self, field: str) -> str:
        label = self.get(field)
        return f"`{field}`" if label == field else label


def _show(parameter: Parameter) -> str:
    longest = max(parameter.opts, key=len)
    return longest if longest.startswith("-") else parameter.metavar or longest.upper()
