"""What the fork server does before it loads anything else; importing this does it.

It lowers its priority, and all that it forks inherits that: requests to the API and the worker wait
neither behind computation nor behind the loading of its libraries. And it dies with the worker,
also while it still loads.
"""

import ctypes
import os
import signal
from typing import Final

NICENESS: Final = 10

# From <linux/prctl.h>.
_PR_SET_PDEATHSIG: Final = 1

os.nice(NICENESS)
ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
