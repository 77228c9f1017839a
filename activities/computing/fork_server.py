"""What the fork server does before it loads anything else; importing this does it.

It dies with the worker, also while it still loads. Ctrl-C in a terminal reaches the whole process
group, but the worker decides what stops; compute processes inherit that. What is loaded is no
garbage, so nobody looks for any meanwhile.
"""

import gc
import os
import signal

from activities.computing.environment import SECRET_VARIABLES
from quant.processes import die_with_parent

for _variable in SECRET_VARIABLES:
    os.environ.pop(_variable, None)

die_with_parent()
signal.signal(signal.SIGINT, signal.SIG_IGN)
gc.disable()
