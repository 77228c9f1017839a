"""A small research that the fork server computes once, when it imports this module.

Libraries load, compile and cache much on first use. Every process that is forked afterwards shares
the outcome instead of repeating the work.
"""

import gc

from activities.inline_research import run_inline
from quant.bars.loader import load_built_in_bars
from quant.messages.data import DataSource
from storage.artifacts import ArtifactStore

load_built_in_bars()
run_inline(
    DataSource(),
    trials=1,
    seed=0,
    store=ArtifactStore("memory://warmup"),
    bypass_gates=True,
    # They take as long as the search, and use nothing that it has not used.
    neighbours=False,
)

# All this lasts as long as the process. A collection of garbage that looked at it would copy 45 MB
# of shared memory, in every process that is forked. To collect it once before takes 0.1 s, and
# frees a megabyte.
gc.freeze()
gc.enable()
