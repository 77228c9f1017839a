"""Lowers the priority of the process that imports it.

Only the fork server does, before it loads anything else, and all that it forks inherits it. So
requests to the API and the worker wait neither behind computation nor behind the loading of its
libraries.
"""

import os
from typing import Final

NICENESS: Final = 10

os.nice(NICENESS)
