"""A small research that the fork server computes once, when it imports this module.

Libraries load, compile and cache much on first use. Every process that is forked afterwards shares
the outcome instead of repeating the work.
"""

from activities.inline_research import run_inline
from quant.messages.data import DataSource
from storage.artifacts import ArtifactStore

run_inline(
    DataSource(), trials=1, seed=0, store=ArtifactStore("memory://warmup"), bypass_gates=True
)
