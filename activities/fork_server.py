"""What the fork server does before it loads anything else; importing this does it.

It dies with the worker, also while it still loads. The keys of language models are not for the
processes that compute.
"""

import ctypes
import os
import signal
from typing import Final

from activities.llm.providers import KEY_VARIABLES

# From <linux/prctl.h>.
_PR_SET_PDEATHSIG: Final = 1

for _variable in KEY_VARIABLES:
    os.environ.pop(_variable, None)

ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
