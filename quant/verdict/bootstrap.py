"""Bootstrap and long-run variance of `arch`, without its models of volatility.

The package imports these models first, and with them statsmodels, formulaic and matplotlib. That
would take half a second of each worker. So the package is entered here without running it.
"""

import sys
from importlib.util import find_spec, module_from_spec
from typing import TYPE_CHECKING

if not TYPE_CHECKING and "arch" not in sys.modules:
    sys.modules["arch"] = module_from_spec(find_spec("arch"))

from arch.bootstrap import StationaryBootstrap, optimal_block_length
from arch.covariance.kernel import Bartlett

__all__ = ["Bartlett", "StationaryBootstrap", "optimal_block_length"]
