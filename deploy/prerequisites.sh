#!/bin/sh
# Checks the prerequisites on this machine, and names the first one that is missing.
set -u

PYTHON=${PYTHON:-python3}
LIBGOMP=${LIBGOMP:-libgomp.so.1}

missing() {
    echo "$1" >&2
    exit 1
}

# Whether an expression is true in that Python.
holds() {
    "$PYTHON" -c "import os, sys, sysconfig; sys.exit(not ($1))" 2>/dev/null
}

# The Pythons of pyproject.toml, as "11 15" for >=3.11,<3.15.
range=$(sed -n 's/^requires-python = ">=3\.\([0-9]*\),<3\.\([0-9]*\)"$/\1 \2/p' \
    "$(dirname "$0")/../pyproject.toml")
oldest=${range% *}
newest=$((${range#* } - 1))
another="name one with 'make PYTHON=/path/to/python3.$newest'"

[ "$(uname -s)" = Linux ] ||
    missing "ktrdr runs on Linux only, and this is $(uname -s)."

command -v make >/dev/null ||
    missing "There is no make on this machine: install it (apt-get install make)."

found=$("$PYTHON" -c 'import platform; print(platform.python_version())' 2>/dev/null) ||
    missing "There is no Python at '$PYTHON': install Python 3.$oldest to 3.$newest (apt-get install python3), or $another."

holds "(3, $oldest) <= sys.version_info[:2] <= (3, $newest)" ||
    missing "Python 3.$oldest to 3.$newest is needed and '$PYTHON' is $found: install one of these, and $another."

holds 'sys.implementation.name == "cpython" and not sysconfig.get_config_var("Py_GIL_DISABLED")' ||
    missing "The usual build of CPython is needed, and '$PYTHON' is another (free-threaded, or not CPython): $another."

holds 'sysconfig.get_platform() in ("linux-x86_64", "linux-aarch64")' ||
    missing "ktrdr needs a 64-bit Python on x86-64 or ARM (aarch64), and '$PYTHON' is for $("$PYTHON" -c 'import sysconfig; print(sysconfig.get_platform())')."

holds 'tuple(map(int, os.confstr("CS_GNU_LIBC_VERSION").split()[1].split("."))) >= (2, 28)' ||
    missing "The pinned packages need the GNU C library 2.28 or newer, which '$PYTHON' does not use: take a Linux that has it, as Debian 12 or newer."

holds 'os.pidfd_open(os.getpid())' ||
    missing "ktrdr kills compute processes through pidfds, which '$PYTHON' or this Linux ($(uname -r)) does not offer: Linux 5.3 or newer is needed."

holds '__import__("ensurepip") and __import__("venv")' ||
    missing "'$PYTHON' cannot make virtual environments: install its venv module (apt-get install python3-venv)."

holds "__import__('ctypes').CDLL('$LIBGOMP')" ||
    missing "The library $LIBGOMP, which LightGBM needs, is not on this machine: install it (apt-get install libgomp1)."
