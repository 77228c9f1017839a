#!/bin/sh
# Checks the prerequisites on this machine, and names the first one that is missing.
set -u

PYTHON=${PYTHON:-python3}
LIBGOMP=${LIBGOMP:-libgomp.so.1}

missing() {
    echo "$1" >&2
    exit 1
}

found=$("$PYTHON" -c 'import platform; print(platform.python_version())' 2>/dev/null) ||
    missing "There is no Python at '$PYTHON': install Python 3.11 or newer (apt-get install python3), or name one with 'make PYTHON=/path/to/python3'."

"$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    missing "Python 3.11 or newer is needed and '$PYTHON' is $found: install a newer one, or name one with 'make PYTHON=/path/to/python3.11'."

"$PYTHON" -c 'import os, sys; sys.exit(not hasattr(os, "pidfd_open"))' ||
    missing "ktrdr runs on Linux only: it kills compute processes through pidfds, which this Python does not offer."

"$PYTHON" -c 'import ensurepip, venv' 2>/dev/null ||
    missing "'$PYTHON' cannot make virtual environments: install its venv module (apt-get install python3-venv)."

"$PYTHON" -c 'import ctypes, sys; ctypes.CDLL(sys.argv[1])' "$LIBGOMP" 2>/dev/null ||
    missing "The library $LIBGOMP, which LightGBM needs, is not on this machine: install it (apt-get install libgomp1)."
