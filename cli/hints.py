"""Commands that this one suggests, so that they can be copied."""

import shlex
import shutil
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent


def ktrdr(*arguments: str) -> str:
    """Return a command line of `ktrdr`, called as it can be called from here."""
    # In a checkout it is `.venv/bin/ktrdr`, which need not be on the path.
    typed = sys.argv[0]
    name = typed if Path(typed).name == "ktrdr" and shutil.which("ktrdr") is None else "ktrdr"
    return shlex.join((name, *arguments))


def start_stack() -> str:
    """Return the command that starts the stack: `make up` in a checkout."""
    # A directory that no longer exists has no path, but can be compared.
    in_checkout = (_ROOT / "Makefile").is_file() and Path().samefile(_ROOT)
    return "make up" if in_checkout else ktrdr("up")
