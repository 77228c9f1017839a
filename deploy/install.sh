#!/bin/sh
# Installs the packages that the lock $2 pins, and this checkout, into the virtual environment $1, which
# is created unless it works already. What an interruption left half-done is done again.
set -eu

PYTHON=${PYTHON:-python3}
VENV=$1
LOCK=$2
# Only what this script has created is its own: other programs may need what ktrdr does not.
MARK=.created-for-ktrdr

# The user's settings for pip hold, but for those that would install somewhere else or build from source.
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_USER=0
unset PIP_TARGET PIP_PREFIX PIP_ROOT PIP_DRY_RUN PIP_NO_BINARY
# -I: nor does a package elsewhere (PYTHONPATH, the user's own) count as installed.
pip() { "$VENV/bin/python" -I -m pip "$@"; }

if ! pip --version >/dev/null 2>&1; then
    echo "Creating $VENV"
    reason=$("$PYTHON" -I -m venv --clear "$VENV" 2>&1) || {
        echo "$reason" >&2
        echo "'$PYTHON -m venv $VENV' fails for the reason above: check that this directory is writable, and its disk not full." >&2
        exit 1
    }
    touch "$VENV/$MARK"
fi

# pip writes INSTALLER after all files of a package; without it, it was interrupted there.
for package in "$VENV"/lib/python3.*/site-packages/*.dist-info; do
    [ -e "$package/INSTALLER" ] || rm -rf "$package"
done

echo "Installing the packages of $LOCK (a minute, the first time)"
log=$VENV/pip.log
rm -f "$log"
pip install -q --log "$log" --require-hashes --only-binary :all: -r "$LOCK" &&
    pip install -q --log "$log" --no-deps --no-build-isolation -e . || {
    # pip prints that it found no package, and only logs why it could not even look.
    sed -n 's/^[^ ]* *\(Could not fetch URL.*\)/\1/p' "$log" >&2
    echo "The installation failed for the reason above ($log tells more); repeat the command to continue." >&2
    exit 1
}
if [ -e "$VENV/$MARK" ]; then
    sh deploy/slim.sh "$VENV"/lib/python3.*/site-packages
fi
rm "$log"
# What runs is compiled here, as pip does with packages, and not by the first command.
"$VENV/bin/python" -I -m compileall -q ./*.py activities api cli quant storage temporal workflows
