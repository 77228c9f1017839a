"""Root file systems of Debian, made from the packages that this machine's own sources name."""

import fcntl
import shutil
import subprocess
from pathlib import Path
from typing import Final

from tests.container.commands import run

PACKAGES: Final = ("ca-certificates", "netbase", "tzdata", "python3", "python3-venv")
# What the official `-slim` images leave out as well.
_LEFT_OUT: Final = (
    *("usr/share/doc", "usr/share/info", "usr/share/locale", "usr/share/man"),
    *("var/cache/apt", "var/lib/apt/lists"),
)
_NO_CACHES: Final = """\
DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/*.bin || true"; };
Dir::Cache::pkgcache ""; Dir::Cache::srcpkgcache "";
"""
_OWN_CERTIFICATES: Final = Path("usr/local/share/ca-certificates")


def mirror() -> str | None:
    """Return the mirror from which this machine installs Debian's packages, if it does."""
    if shutil.which("apt-get") is None:
        return None
    asked = run(
        *("apt-get", "indextargets", "--format", "$(ORIGIN)|$(COMPONENT)|$(REPO_URI)"),
        "Created-By: Packages",
    )
    found = [line.split("|") for line in asked.splitlines()]
    uris = [uri for origin, component, uri in found if origin == "Debian" and component == "main"]
    # Of several, the archive itself and not that of its security updates.
    return next((uri for uri in uris if not uri.rstrip("/").endswith("-security")), None)


def root_file_system(suite: str, directory: Path) -> Path:
    """Return the root file system of a Debian release in a directory, made by who first asks."""
    root = directory / suite
    with (directory / f"{suite}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not root.exists():
            _make(suite, directory / f"{suite}.unfinished").rename(root)
    return root


def _make(suite: str, root: Path) -> Path:
    """Make a root file system, in which what this machine trusts is trusted."""
    found = mirror()
    assert found is not None
    include = f"--include={','.join(PACKAGES)}"
    # What it mounts vanishes with it, even if it is killed.
    own_mounts = ("unshare", "--mount", "debootstrap")
    run(*own_mounts, "--variant=minbase", include, suite, str(root), found, within=1200)
    for path in (Path("/") / _OWN_CERTIFICATES).glob("*.crt"):
        shutil.copy(path, root / _OWN_CERTIFICATES)
    # The temporary directory of the tests does not exist in there.
    run("chroot", str(root), "env", "TMPDIR=/tmp", "update-ca-certificates")
    for left_out in _LEFT_OUT:
        shutil.rmtree(root / left_out)
        (root / left_out).mkdir()
    (root / "etc/apt/apt.conf.d/docker-clean").write_text(_NO_CACHES)
    (root / "usr/local/bin/python").symlink_to("/usr/bin/python3")
    return root


def archive(root: Path) -> "subprocess.Popen[bytes]":
    """Return a process that writes a root file system as a tar archive."""
    return subprocess.Popen(["tar", "-C", str(root), "-c", "."], stdout=subprocess.PIPE)
