"""Runs the steps of a check, tells how each went and, at the end, what failed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from environments import ROOT, clean_environment

_BOLD, _RED, _GREEN, _PLAIN = ("\033[1m", "\033[31m", "\033[32m", "\033[0m")


@dataclass(frozen=True)
class Result:
    """How one step went. ``output`` is empty when it was shown while the step ran."""

    name: str
    passed: bool
    seconds: float
    output: str = ""
    note: str = ""


def captured(name: str, command: Sequence[str], note: Callable[[str], str] | None = None, **variables: str) -> Result:
    """Run a command in the repository's root and keep what it prints; ``note`` takes a short remark out of it."""
    start = time.monotonic()
    process = subprocess.run(
        command,
        check=False,
        cwd=ROOT,
        env=clean_environment(**variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    output = process.stdout.rstrip()
    seconds = time.monotonic() - start
    return Result(name, process.returncode == 0, seconds, output, note(output) if note else "")


def streamed(name: str, command: Sequence[str], **variables: str) -> Result:
    """Run a command in the repository's root and let it print."""
    print(paint(f"--- {name}", _BOLD), flush=True)
    start = time.monotonic()
    process = subprocess.run(
        command, check=False, cwd=ROOT, env=clean_environment(**variables), stdin=subprocess.DEVNULL
    )
    return Result(name, process.returncode == 0, time.monotonic() - start)


def report(result: Result) -> Result:
    """Print one line for a step that has ended."""
    word = paint("ok    ", _GREEN) if result.passed else paint("FAILED", _RED)
    note = f": {result.note}" if result.note else ""
    print(f"{word} {result.name} ({result.seconds:.0f} s){note}", flush=True)
    return result


def conclude(results: Sequence[Result], seconds: float) -> int:
    """Print what the failed steps said, then one last line; the exit status."""
    failed = [result for result in results if not result.passed]
    for result in failed:
        if result.output:
            print(paint(f"\n--- {result.name} said:", _BOLD) + f"\n{result.output}")
    if failed:
        names = ", ".join(result.name for result in failed)
        print(paint(f"\nFAILED after {seconds:.0f} s: {names}", _RED), flush=True)
        return 1
    print(paint(f"\nall {len(results)} steps passed in {seconds:.0f} s", _GREEN), flush=True)
    return 0


def paint(text: str, colour: str) -> str:
    plain = not sys.stdout.isatty() or "NO_COLOR" in os.environ
    return text if plain else f"{colour}{text}{_PLAIN}"
