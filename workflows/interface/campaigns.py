"""What a campaign is asked for, and which researches that means.

The command imports this module, so it must not import Temporal's SDK.
"""

import math
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import ConfigDict, Field

from quant.brief.words import ALL_KINDS
from quant.messages.base import FrozenModel
from quant.messages.campaign import MOST_MEMBERS, MOST_SEEDS, CampaignState, Offspring
from quant.messages.data import Symbol
from quant.messages.spelling import Spelling
from quant.messages.steps import Seed
from quant.messages.strategy import FeatureKind, StrategyName
from workflows.interface.messages import ResearchRequest

MEMBERS_PER_RUN: Final = 300
"""After so many members a campaign continues as new, so that its history stays small."""

_MOST_VALUES: Final = 1000

CampaignName = Annotated[
    str,
    Spelling(
        r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$",
        "letters, digits, `_`, `.` and `-`, at most 64, with a letter or digit first",
    ),
]
_Universe = Annotated[tuple[Symbol, ...], Field(min_length=2, max_length=_MOST_VALUES)]
_Designer = Literal["search", "llm"]

# Each list of the grid takes the place of this field of the research.
FIELD_OF_LIST: Final = {
    "symbols": "symbol",
    "briefs": "brief",
    "strategies": "strategy",
    "designers": "designer",
    "seeds": "seed",
}
# They name what is traded; of several, the last. The list `symbols` takes the place of all.
FIELDS_OF_SYMBOLS: Final = ("symbol", "symbols", "universe")
# Only a language model uses them. In a campaign of both designers they are for its members alone.
_OF_LANGUAGE_MODELS: Final = ("model", "max_cost")


class CampaignBudget(FrozenModel):
    """What all members may use together. A campaign ends when nothing more fits in."""

    researches: int | None = Field(None, strict=True, ge=1, le=MOST_MEMBERS)
    trials: int | None = Field(None, strict=True, ge=1, description="Candidates of all searches")
    cost: float | None = Field(
        None,
        gt=0.0,
        le=1e6,
        description="Of language models, in US dollars. Each member may spend `research.max_cost`",
    )
    hours: float | None = Field(
        None, gt=0.0, le=24.0 * 366, description="Wall time. Members that run then are cancelled"
    )


class CampaignRequest(FrozenModel):
    """Many researches: each combination of the lists, with everything else as `research` says."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "momentum-on-indices",
                    "symbols": ["SP500", "NASDAQ"],
                    "briefs": ["momentum", "mean reversion"],
                    "seeds": [1, 2, 3],
                    "research": {"trials": 30},
                    "parallel": 4,
                    "budget": {"trials": 300, "hours": 8},
                }
            ]
        }
    )

    name: CampaignName
    symbols: tuple[Symbol | _Universe, ...] | None = Field(
        None,
        min_length=1,
        max_length=_MOST_VALUES,
        description="A research on each symbol. A list among them is one research on all of these",
    )
    briefs: tuple[Annotated[str, Field(max_length=4000)], ...] | None = Field(
        None, min_length=1, max_length=100
    )
    strategies: tuple[StrategyName, ...] | None = Field(
        None, min_length=1, max_length=_MOST_VALUES, description="Excludes `briefs`"
    )
    designers: tuple[_Designer, ...] | None = Field(None, min_length=1, max_length=2)
    seeds: tuple[Seed, ...] | None = Field(None, min_length=1, max_length=MOST_SEEDS)
    research: ResearchRequest = Field(
        ResearchRequest(), description="What all members share, with owner and priority"
    )
    parallel: int = Field(
        2, strict=True, ge=1, le=64, description="How many members run at the same time"
    )
    budget: CampaignBudget = CampaignBudget()
    stop_when: Literal["promising"] | None = Field(
        None, description="`promising`: the first promising member stops all others"
    )
    generations: int = Field(
        1,
        strict=True,
        ge=1,
        le=100,
        description="Each generation after the first is proposed from the development scores of "
        "the one before",
    )

    @property
    def given_lists(self) -> dict[str, tuple[Any, ...]]:
        """The lists of the grid that were given."""
        values = {name: getattr(self, name) for name in FIELD_OF_LIST}
        return {name: each for name, each in values.items() if each is not None}

    @property
    def cells(self) -> int:
        """How many combinations of the grid there are, seeds left out."""
        lists = self.given_lists
        return math.prod(len(each) for name, each in lists.items() if name != "seeds")

    @property
    def members_per_generation(self) -> int:
        """How many members a generation has."""
        return self.cells * len(self.seeds or (None,))

    @property
    def members(self) -> int:
        """How many members there are in all generations."""
        return self.members_per_generation * self.generations

    @property
    def features(self) -> tuple[FeatureKind, ...]:
        """The features that members may choose from."""
        return self.research.features or ALL_KINDS

    def list_cells(self) -> Iterator[ResearchRequest]:
        """Yield the research of each combination, with the first seed."""
        return (self.get_cell(number) for number in range(self.cells))

    def get_cell(self, number: int) -> ResearchRequest:
        """Return the research of a combination of the grid, counted from 0, with the first seed."""
        lists = {name: each for name, each in self.given_lists.items() if name != "seeds"}
        chosen: dict[str, Any] = {}
        for name, values in reversed(lists.items()):
            number, place = divmod(number, len(values))
            value = values[place]
            # A list of symbols is the universe of one research.
            chosen[name if isinstance(value, tuple) else FIELD_OF_LIST[name]] = value
        if self.seeds is not None:
            chosen["seed"] = self.seeds[0]
        return self._make_research(chosen)

    def get_member(self, number: int, offspring: Offspring | None = None) -> ResearchRequest:
        """Return the research of a member.

        All combinations come first with the first seed, then with the second, and so on.

        Args:
            number: Counted from 1 in each generation.
            offspring: What it differs in, if it belongs to a later generation.
        """
        seed, cell = divmod(number - 1, self.cells)
        if offspring is not None:
            features = {"features": offspring.features} if offspring.features else {}
            return self._change(self.get_cell(offspring.cell), seed=offspring.seed, **features)
        request = self.get_cell(cell)
        return self._change(request, seed=self.seeds[seed]) if self.seeds else request

    def _make_research(self, chosen: dict[str, Any]) -> ResearchRequest:
        shared = self.research.model_dump(exclude_unset=True)
        if self.symbols is not None:
            shared = {name: each for name, each in shared.items() if name not in FIELDS_OF_SYMBOLS}
        mixed = self.designers is not None and "llm" in self.designers
        if mixed and chosen.get("designer") == "search":
            shared = {
                name: each for name, each in shared.items() if name not in _OF_LANGUAGE_MODELS
            }
        return ResearchRequest(**(shared | chosen))

    def _change(self, request: ResearchRequest, **changes: Any) -> ResearchRequest:
        return ResearchRequest(**(request.model_dump(exclude_unset=True) | changes))


class CampaignInput(FrozenModel):
    """The input of the workflow: the request, and how far earlier runs of the workflow came."""

    request: CampaignRequest
    max_active: int | None = Field(
        None, ge=1, description="Limit on active researches; null for none"
    )
    members_per_run: int = Field(MEMBERS_PER_RUN, ge=1)
    began_at: datetime | None = Field(None, description="Null in the first run")
    state: CampaignState = CampaignState()
    offspring: tuple[Offspring, ...] = Field((), description="The present generation, if not first")
