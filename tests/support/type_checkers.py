"""Runs mypy and pyright over files that say in comments which of their lines must be rejected.

``# error`` at the end of a line: both checkers must report an error on it. ``# error: arg-type``: mypy's error must be
of this code. Every other line must pass both.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 240

_MARK = re.compile(r"#\s*error(?::\s*(?P<code>[a-z-]+))?\s*$")


@dataclass
class Complaints:
    """What a checker reported as errors: by file and line, (code, message) pairs."""

    checker: str
    by_line: dict[tuple[Path, int], list[tuple[str, str]]] = field(default_factory=dict)

    def add(self, path: Path, line: int, code: str, message: str) -> None:
        self.by_line.setdefault((path, line), []).append((code, message))


def expected_errors(path: Path) -> dict[int, str | None]:
    """The lines marked ``# error``, with mypy's error code where one is given."""
    lines = enumerate(path.read_text().splitlines(), 1)
    return {number: mark["code"] for number, line in lines if (mark := _MARK.search(line))}


def check(paths: Sequence[Path]) -> tuple[Complaints, Complaints]:
    """Run mypy --strict and pyright over files, each once, at the same time."""
    files = [str(path) for path in paths]
    cache = f"--cache-dir={ROOT / '.mypy_cache' / 'typing'}"
    mypy = _start(["mypy", "--config-file=", "--strict", "--output=json", "--python-version=3.11", cache, *files])
    pyright = _start(["pyright", "--outputjson", "--pythonpath", sys.executable, "--pythonversion=3.11", *files])
    return _read_mypy(mypy), _read_pyright(pyright)


def disagreements(path: Path, complaints: Complaints) -> list[str]:
    """Where a checker does not say what the file's comments say; empty when it does."""
    expected = expected_errors(path)
    found = {line: said for (of, line), said in complaints.by_line.items() if of == path}
    problems = []
    for line in sorted(expected.keys() | found.keys()):
        where = f"{path.name}:{line}: {complaints.checker}"
        if line not in expected:
            problems += [f"{where} rejects it: {message} [{code}]" for code, message in found[line]]
        elif line not in found:
            problems.append(f"{where} accepts what must be rejected")
        elif complaints.checker == "mypy" and expected[line] not in (None, *(code for code, _ in found[line])):
            problems.append(f"{where} rejects it with {found[line][0][0]}, not {expected[line]}: {found[line][0][1]}")
    return problems


def _start(command: list[str]) -> subprocess.Popen[str]:
    environment: Mapping[str, str] = os.environ | {"PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _output(process: subprocess.Popen[str]) -> str:
    with process:
        output, errors = process.communicate(timeout=SECONDS)
    # Status 1 is "found errors"; any other means that the checker itself did not work.
    assert process.returncode in (0, 1), f"{process.args!r} ended with {process.returncode}:\n{errors}\n{output}"
    return output


def _read_mypy(process: subprocess.Popen[str]) -> Complaints:
    complaints = Complaints("mypy")
    for line in _output(process).splitlines():
        entry = json.loads(line)
        if entry["severity"] == "error":
            complaints.add((ROOT / entry["file"]).resolve(), entry["line"], entry["code"] or "", entry["message"])
    return complaints


def _read_pyright(process: subprocess.Popen[str]) -> Complaints:
    complaints = Complaints("pyright")
    for entry in json.loads(_output(process))["generalDiagnostics"]:
        if entry["severity"] == "error":
            line = entry["range"]["start"]["line"] + 1
            complaints.add(Path(entry["file"]).resolve(), line, entry.get("rule", ""), entry["message"])
    return complaints
