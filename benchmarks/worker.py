"""Runs one library: prepares it, then makes calls as its standard input says, and tells the CPU each took.

It answers ``ready OPERATIONS...``; a line ``OPERATION CALLS`` it answers with the CPU seconds per call of this process,
all its threads included (where the library says so, also of the server it runs). What fails ends it with a message.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import sample

sys.path.append(str(Path(__file__).resolve().parents[1]))  # for tests.support

# Calls before each measurement: another library has had the processor meanwhile.
WARM_UP = 10
OPERATIONS = ("get", "put", "update", "query")


class Subject:
    """One library and its operations, async ones on a loop of their own."""

    def __init__(self, module: ModuleType, url: str, runner: asyncio.Runner) -> None:
        self._module = module
        self._runner = runner
        self._cpu = getattr(module, "cpu", time.process_time)
        if hasattr(module, "start"):
            module.start(url)
        if hasattr(module, "astart"):
            runner.run(module.astart(url))
        self.operations = [name for op in OPERATIONS for name in (op, f"a{op}") if hasattr(module, name)]

    def stop(self) -> None:
        if hasattr(self._module, "stop"):
            self._module.stop()
        if hasattr(self._module, "astop"):
            self._runner.run(self._module.astop())

    def call(self, operation: str) -> Any:
        function = getattr(self._module, operation)
        return self._runner.run(function()) if operation.startswith("a") else function()

    def check(self) -> None:
        """See that what the library reads is what was stored."""
        for operation in self.operations:
            result = self.call(operation)
            if operation.endswith("get"):
                self._same(operation, result, 1)
            elif operation.endswith("query"):
                if len(result) != sample.PAGE_ITEMS:
                    raise SystemExit(f"{operation} gave {len(result)} items")
                self._same(operation, result[-1], sample.PAGE_ITEMS - 1)

    def _same(self, operation: str, item: Any, number: int) -> None:
        expected = sample.plain(sample.item(number))
        found = self._module.plain(item)
        if found != expected:
            raise SystemExit(f"{operation} gave {found}, not {expected}")

    def measure(self, operation: str, calls: int) -> float:
        function = getattr(self._module, operation)
        gc.collect()
        if operation.startswith("a"):
            return self._runner.run(self._ameasure(function, calls))
        for _ in range(WARM_UP):
            function()
        start = self._cpu()
        for _ in range(calls):
            function()
        return float(self._cpu() - start) / calls

    async def _ameasure(self, function: Any, calls: int) -> float:
        for _ in range(WARM_UP):
            await function()
        start = self._cpu()
        for _ in range(calls):
            await function()
        return float(self._cpu() - start) / calls


def main(module_name: str, url: str, loop: str) -> None:
    factory = importlib.import_module("uvloop").new_event_loop if loop == "uvloop" else None
    with asyncio.Runner(loop_factory=factory) as runner:
        subject = Subject(importlib.import_module(module_name), url, runner)
        subject.check()
        print("ready", *subject.operations, flush=True)
        for line in sys.stdin:
            operation, calls = line.split()
            print(subject.measure(operation, int(calls)), flush=True)
        subject.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
