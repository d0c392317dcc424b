"""The processes of a benchmark: the server, one worker per library, and programs that run to their end."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

FOLDER = Path(__file__).resolve().parent


class Failed(Exception):
    """A process of the benchmark did not do its work; the message is the last it said."""


def environment() -> dict[str, str]:
    """Nothing of the user's own AWS set-up; compiled modules are cached, as in any installation."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    kept.pop("DYNAWIRE_URL", None)
    files = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    keys = {"AWS_ACCESS_KEY_ID": "benchmark", "AWS_SECRET_ACCESS_KEY": "benchmark", "AWS_DEFAULT_REGION": "eu-west-1"}
    return kept | files | keys | {"AWS_EC2_METADATA_DISABLED": "true"}


@contextmanager
def server(scan_items: int) -> Iterator[str]:
    """The canned-response server in a process of its own; its URL."""
    command = [sys.executable, str(FOLDER / "server.py"), str(scan_items)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.stdin.close()


class Worker:
    """One library in a process of its own (benchmarks/worker.py), which measures when told to."""

    def __init__(self, name: str, module: str, url: str, loop: str) -> None:
        self.name = name
        self._process = subprocess.Popen(
            [sys.executable, str(FOLDER / "worker.py"), module, url, loop],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(),
        )

    def ready(self) -> list[str]:
        """Wait until it is prepared and has checked what it reads; the operations it has."""
        return self._answer().split()[1:]

    def measure(self, operation: str, calls: int) -> float:
        """CPU seconds per call."""
        assert self._process.stdin
        self._process.stdin.write(f"{operation} {calls}\n")
        self._process.stdin.flush()
        return float(self._answer())

    def _answer(self) -> str:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            _, errors = self._process.communicate()
            raise Failed(errors.strip().splitlines()[-1] if errors.strip() else f"{self.name} ended")
        return line

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.communicate()


def run(script: str, *arguments: str) -> list[str]:
    """Run one of the benchmark's scripts; the words it printed."""
    command = [sys.executable, str(FOLDER / script), *arguments]
    result = subprocess.run(command, check=False, capture_output=True, text=True, env=environment())
    if result.returncode:
        raise Failed(result.stderr.strip().splitlines()[-1])
    return result.stdout.split()


def cpu_of(code: str) -> float:
    """CPU seconds of a Python that runs a line of code and ends."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command: Sequence[str] = [sys.executable, "-c", code]
    result = subprocess.run(command, check=False, capture_output=True, text=True, env=environment(), cwd="/")
    if result.returncode:
        raise Failed(result.stderr.strip().splitlines()[-1])
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
