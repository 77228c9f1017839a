"""A small research, conducted when this module is imported. Only the fork server does that.

What libraries load, compile and remember at their first use is then there for every process that is
forked from it, instead of being done again in each.
"""

from activities import direct
from quant.models import DataSource
from storage.artifacts import ArtifactStore

direct.conduct(
    DataSource(), trials=1, seed=0, store=ArtifactStore("memory://rehearsal"), bypass_gates=True
)
