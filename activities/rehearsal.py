"""A small research, run when this module is imported. Only the fork server imports it.

What libraries load, compile and cache on first use is then shared by every process that is forked
from it, instead of being repeated in each.
"""

from activities import direct
from quant.messages.data import DataSource
from storage.artifacts import ArtifactStore

direct.conduct(
    DataSource(), trials=1, seed=0, store=ArtifactStore("memory://rehearsal"), bypass_gates=True
)
