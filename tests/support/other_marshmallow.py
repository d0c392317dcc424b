"""The other major version of marshmallow than the one installed, fetched once into a cache outside the tree.

It is pure Python, so that one copy serves every interpreter.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from tests.support.dynamodb_local import cache_directory

VERSIONS = {3: "3.26.2", 4: "4.4.0"}
INSTALL_SECONDS = 100


class Unavailable(Exception):
    """The other version can't be had here; the message says why."""


def other_version() -> str:
    """The version that is not installed."""
    installed = int(version("marshmallow").split(".")[0])
    return VERSIONS[4 if installed == 3 else 3]


def other_folder() -> Path:
    """A folder to put on the path before the installed packages, with the other version in it."""
    wanted = f"marshmallow-{other_version()}"
    folder = cache_directory() / wanted
    if (folder / "marshmallow").is_dir():
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with open(folder.parent / f"{wanted}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (folder / "marshmallow").is_dir():
                _install(folder)
    except OSError as error:
        raise Unavailable(f"{wanted} can't be put into {folder.parent}: {error}") from None
    return folder


def _install(folder: Path) -> None:
    made = Path(tempfile.mkdtemp(dir=folder.parent))
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--no-deps"]
    command = [*pip, "--no-compile", "--target", str(made / "it"), folder.name.replace("-", "==", 1)]
    try:
        result = subprocess.run(
            command,
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=INSTALL_SECONDS,
            env={name: one for name, one in os.environ.items() if name != "PYTHONPATH"},
        )
        if result.returncode:
            said = (result.stderr or result.stdout).strip().splitlines()
            raise Unavailable(f"pip could not install {folder.name}: {said[-1] if said else 'it said nothing'}")
        shutil.rmtree(folder, ignore_errors=True)
        os.rename(made / "it", folder)
    except subprocess.TimeoutExpired:
        raise Unavailable(f"pip took more than {INSTALL_SECONDS} s to install {folder.name}") from None
    finally:
        shutil.rmtree(made, ignore_errors=True)
