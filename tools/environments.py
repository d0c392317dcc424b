"""Virtual environments under .dev/, made when first needed and renewed when the project's requirements change."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from interpreters import Interpreter

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / ".dev"


class SetupFailed(Exception):
    """An environment could not be made; the message says why and what to do."""


class Environment:
    """One virtual environment with dynawire installed in editable form.

    Args:
        name: its folder under ``.dev/``.
        interpreter: the Python it is made of.
        extras: dynawire's extras to install.
        requirements: more to install.
        alone: more to install, without the dependencies it declares.
        only_wheels: fail rather than build a requirement from source.
    """

    def __init__(
        self,
        name: str,
        interpreter: Interpreter,
        *,
        extras: Sequence[str] = (),
        requirements: Sequence[str] = (),
        alone: Sequence[str] = (),
        only_wheels: bool = False,
    ) -> None:
        self.folder = FOLDER / name
        self.interpreter = interpreter
        self.python = str(self.folder / "bin" / "python")
        self._project = f"{ROOT}[{','.join(extras)}]" if extras else str(ROOT)
        self._requirements = list(requirements)
        self._alone = list(alone)
        self._options = ["--only-binary=:all:"] if only_wheels else []

    def command(self, program: str, *arguments: str) -> list[str]:
        """A command line for a program installed in this environment."""
        return [str(self.folder / "bin" / program), *arguments]

    def prepare(self, announce: bool = True) -> None:
        """Make it what it should be; does nothing and needs no network when it is."""
        stamp = self.folder / "dynawire-stamp"
        wanted = self._fingerprint()
        with _lock(self.folder.name):
            if stamp.exists() and stamp.read_text() == wanted and os.path.exists(self.python):
                return
            if announce:
                print(f"setting up .dev/{self.folder.name} with Python {self.interpreter.name} ...", flush=True)
            stamp.unlink(missing_ok=True)
            self._make()
            self._install("--editable", self._project, *self._requirements)
            if self._alone:
                self._install("--no-deps", *self._alone)
            stamp.write_text(wanted)

    def _fingerprint(self) -> str:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())
        parts = [self.interpreter.path, self.interpreter.version, self._project, self._requirements, self._alone]
        parts += [project["build-system"], project["project"]]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def _make(self) -> None:
        if not self.interpreter.complete:
            version = self.interpreter.name
            raise SetupFailed(
                f"{self.interpreter.path} cannot make virtual environments: it lacks the modules venv or ensurepip "
                f"(Debian and Ubuntu: apt-get install python{version}-venv)"
            )
        shutil.rmtree(self.folder, ignore_errors=True)
        result = _run([self.interpreter.path, "-I", "-m", "venv", str(self.folder)])
        if result.returncode:
            raise SetupFailed(f"{self.interpreter.path} -m venv failed:\n{_tail(result.stdout)}")

    def _install(self, *what: str) -> None:
        pip = [self.python, "-I", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
        result = _run([*pip, "--retries=2", *self._options, *what])
        if result.returncode:
            raise SetupFailed(
                f"pip could not install what .dev/{self.folder.name} needs:\n{_tail(result.stdout)}\n"
                "Is the package index reachable? (Behind a proxy or mirror: PIP_PROXY, PIP_INDEX_URL.)"
            )


def clean_environment(**more: str) -> dict[str, str]:
    """This process's environment variables without those that would mix another Python into a virtual environment."""
    ignored = {"PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__"}
    return {name: value for name, value in os.environ.items() if name not in ignored} | more


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=clean_environment(),
    )


def _tail(output: str) -> str:
    lines = [line for line in output.splitlines() if line.strip() and not line.lstrip().startswith("WARNING:")]
    return "\n".join(f"    {line}" for line in lines[-15:])


@contextmanager
def _lock(name: str) -> Iterator[None]:
    FOLDER.mkdir(exist_ok=True)
    with open(FOLDER / f"{name}.lock", "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"waiting for another ./dev that sets up .dev/{name} ...", file=sys.stderr, flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
