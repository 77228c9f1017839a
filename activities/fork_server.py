"""What the fork server does before it loads anything else; importing this does it.

It dies with the worker, also while it still loads.
"""

import ctypes
import signal
from typing import Final

# From <linux/prctl.h>.
_PR_SET_PDEATHSIG: Final = 1

ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
