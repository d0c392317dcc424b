"""Which CPythons of the supported versions this machine has."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

OLDEST, NEWEST = (3, 11), (3, 14)

_PROBE = """
import importlib.util, json, sys, sysconfig
print(json.dumps([
    sys.implementation.name == "cpython" and sys.version_info.releaselevel == "final"
    and not sysconfig.get_config_var("Py_GIL_DISABLED"),
    sys.version_info[:3],
    all(importlib.util.find_spec(name) for name in ("venv", "ensurepip")),
]))
"""


@dataclass(frozen=True)
class Interpreter:
    """A released CPython. ``complete``: it has what making a virtual environment takes."""

    path: str
    version: tuple[int, int, int]
    complete: bool

    @property
    def name(self) -> str:
        return f"{self.version[0]}.{self.version[1]}"


def find_interpreters() -> list[Interpreter]:
    """The best one of each supported version, newest first; the one named by $PYTHON before all others."""
    best: dict[str, Interpreter] = {}
    for path in _candidates():
        found = probe(path)
        if found is None or not OLDEST <= found.version[:2] <= NEWEST:
            continue
        known = best.get(found.name)
        if known is None or (found.complete, found.version) > (known.complete, known.version):
            best[found.name] = found
    newest_first = sorted(best.values(), key=lambda one: (one.complete, one.version), reverse=True)
    chosen = probe(os.environ["PYTHON"]) if os.environ.get("PYTHON") else None
    if chosen is not None:
        newest_first = [chosen, *(one for one in newest_first if one.name != chosen.name)]
    return newest_first


def probe(path: str) -> Interpreter | None:
    """What ``path`` is, or None when it is no released CPython (or does not start)."""
    try:
        answer = subprocess.run(
            [path, "-I", "-c", _PROBE], check=True, capture_output=True, timeout=30, stdin=subprocess.DEVNULL
        )
        usable, version, complete = json.loads(answer.stdout)
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return Interpreter(path, tuple(version), complete) if usable else None


def _candidates() -> Iterator[str]:
    names = [f"python3.{minor}" for minor in range(NEWEST[1], OLDEST[1] - 1, -1)]
    paths = [Path(folder) / name for folder in os.get_exec_path() for name in [*names, "python3", "python"]]
    home = Path(os.environ.get("HOME") or "/nonexistent")
    paths += (Path(os.environ.get("PYENV_ROOT") or home / ".pyenv") / "versions").glob("3.*/bin/python")
    paths += (home / ".local/share/uv/python").glob("cpython-3.*/bin/python3")
    paths.append(Path(sys.executable))
    seen = set()
    for path in paths:
        # A pyenv shim only starts one of the versions found above, slowly.
        if path.parent.name != "shims" and path.exists() and (real := os.path.realpath(path)) not in seen:
            seen.add(real)
            yield str(path)
