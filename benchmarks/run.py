"""Speed, side by side: dynawire, boto3, PynamoDB, aiodynamo, pydynox and dynamoxy in one run on this machine.

Each library runs in a process of its own against a server in another that gives canned answers; what counts is the
client's CPU per call. The rounds are interleaved and the least of them is taken, so that a busy moment falls on all
alike. Only the ratios carry over to other machines.
"""

from __future__ import annotations

import argparse
import ast
import platform
import statistics
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.metadata import version

from processes import FOLDER, Failed, Worker, cpu_of, run, server
from report import Figures, render

LIBRARIES = ("dynawire", "boto3", "pynamodb", "aiodynamo", "pydynox", "dynamoxy")
ENGINES = ("dynawire", "dynamoxy", "moto", "dynamodb_local")


@dataclass(frozen=True)
class Effort:
    """How long to measure: rounds, CPU seconds per round and operation, and items of the long scan."""

    rounds: int
    seconds: float
    scan_items: int


FULL = Effort(rounds=15, seconds=0.1, scan_items=1_000_000)
QUICK = Effort(rounds=7, seconds=0.04, scan_items=100_000)


def measure(folder: str, names: Sequence[str], url: str, loop: str, effort: Effort) -> dict[str, dict[str, float]]:
    """CPU seconds per call by library and operation; a rival that cannot run is left out, and that is told."""
    with ExitStack() as stack:
        workers = {}
        for name in names:
            worker = stack.enter_context(Worker(name, f"{folder}.{name}_", url, loop))
            try:
                workers[worker] = {operation: [0] for operation in worker.ready()}
            except Failed as error:
                if name == "dynawire":
                    raise
                progress(f"{name} is left out: {error}", end="\n")
        calls = {
            (worker, operation): calls_for(worker, operation, effort.seconds)
            for worker, operations in workers.items()
            for operation in operations
        }
        figures: dict[tuple[Worker, str], list[float]] = {one: [] for one in calls}
        for number in range(effort.rounds):
            progress(f"{folder}: round {number + 1} of {effort.rounds}")
            for one, count in calls.items():
                figures[one].append(one[0].measure(one[1], count))
        return {
            worker.name: {operation: min(figures[worker, operation]) for operation in operations}
            for worker, operations in workers.items()
        }


def calls_for(worker: Worker, operation: str, seconds: float) -> int:
    """How many calls take about so many seconds; finding out warms it up."""
    calls = 10
    while (taken := worker.measure(operation, calls) * calls) < seconds / 3 and calls < 100_000:
        calls *= 3
    return max(5, int(calls * seconds / max(taken, 1e-9)))


def imports(names: Sequence[str], effort: Effort) -> dict[str, float]:
    """CPU seconds that importing each library adds to starting Python: the median of interleaved runs."""
    code = {name: import_of(name) for name in names}
    taken: dict[str, list[float]] = {name: [] for name in names}
    for name in names:
        cpu_of(code[name])  # compiles its modules
    for number in range(max(5, effort.rounds)):
        progress(f"import: round {number + 1} of {max(5, effort.rounds)}")
        bare = cpu_of("pass")
        for name in names:
            taken[name].append(cpu_of(code[name]) - bare)
    return {name: statistics.median(values) for name, values in taken.items()}


def import_of(name: str) -> str:
    """The import statement that the library's module declares; importing the module itself would import the library."""
    tree = ast.parse((FOLDER / "rivals" / f"{name}_.py").read_text())
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "IMPORT":
            return str(ast.literal_eval(node.value))
    raise Failed(f"rivals/{name}_.py declares no IMPORT")


def progress(text: str, end: str = "") -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end=end, file=sys.stderr, flush=True)
    elif end:
        print(text, file=sys.stderr, flush=True)


def versions(names: Sequence[str]) -> Mapping[str, str]:
    return {name: version(name) for name in names}


def main() -> int:
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__, allow_abbrev=False)
    parser.add_argument("libraries", nargs="*", metavar="LIBRARY", help=f"only these of: {' '.join(LIBRARIES)}")
    parser.add_argument("--quick", action="store_true", help="a short run, less exact")
    parser.add_argument("--uvloop", action="store_true", help="run every library's async calls on uvloop")
    arguments = parser.parse_args()
    if unknown := set(arguments.libraries) - set(LIBRARIES):
        parser.error(f"no such library: {' '.join(sorted(unknown))}")
    names = [name for name in LIBRARIES if not arguments.libraries or name in arguments.libraries]
    engines = [name for name in ENGINES if not arguments.libraries or name in arguments.libraries]
    effort = QUICK if arguments.quick else FULL
    loop = "uvloop" if arguments.uvloop else "asyncio"

    try:
        figures = measure_all(names, engines, loop, effort)
    except Failed as error:
        progress(f"dynawire itself failed: {error}", end="\n")
        return 1
    progress("")
    print(f"CPython {platform.python_version()}, {platform.machine()}, async on {loop}; CPU per call\n")
    return render(figures, versions(list(figures.calls)), quick=arguments.quick)


def measure_all(names: Sequence[str], engines: Sequence[str], loop: str, effort: Effort) -> Figures:
    """Every figure for these libraries and engines.

    Raises:
        Failed: dynawire, or what all the others need, did not do its work.
    """
    with server(effort.scan_items) as url:
        calls = measure("rivals", names, url, loop, effort)
        embedded = measure("embedded", engines, url, loop, effort)
        decode = memory = None
        if "dynawire" in names:
            progress("decoding a page, and a long scan")
            decode = tuple(map(float, run("decode.py", str(effort.rounds * 3))))
            memory = tuple(map(int, run("memory.py", url, str(effort.scan_items))))
    return Figures(calls, imports(list(calls), effort), embedded, decode, memory)


if __name__ == "__main__":
    sys.exit(main())
