#!/bin/sh
# Creates the virtual environment $1 unless it works already, and installs the pinned dependencies.
set -eu

PYTHON=${PYTHON:-python3}
VENV=$1

if ! "$VENV/bin/python" -m pip --version >/dev/null 2>&1; then
    echo "Creating $VENV"
    "$PYTHON" -m venv --clear "$VENV" >/dev/null 2>&1 || {
        echo "'$PYTHON -m venv $VENV' fails: install Python's venv module (apt-get install python3-venv), and check that this directory is writable and its disk not full." >&2
        exit 1
    }
fi

echo "Installing the pinned dependencies (a minute, the first time)"
export PIP_DISABLE_PIP_VERSION_CHECK=1
pip() { "$VENV/bin/python" -m pip "$@"; }
pip install -qq --require-hashes -r requirements.lock &&
    pip install -qq --no-deps --no-build-isolation -e . || {
    echo "The installation failed for the reason above; repeat the command to continue." >&2
    exit 1
}
