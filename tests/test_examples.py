"""Every program of examples/ runs to its end, as a person would run it, and shows what it should."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "examples"


@dataclass(frozen=True)
class Run:
    """One start of an example: its arguments ("URL" stands for DynamoDB Local's) and patterns its output must have."""

    arguments: tuple[str, ...] = ()
    shows: tuple[str, ...] = ()


BLOG = (
    r"requests: 1 Scan, 9 GetItem\n",
    r"requests: 1 Scan, 1 BatchGetItem\n",
    r"requests: 1 Scan, 9 Query, 1 BatchGetItem\n",
    r"written: True; again: False",
    r"RelationError: Post\.author leads to Author, not Tag",
    r"Post +9 -> 7\n +Comment +13 -> 9\n +Tag +2 -> 2\n +Tagging +5 -> 2\n +requests: .* 1 TransactWriteItems\n",
)
BANK = (
    "Nobody overwrites what another wrote: bob 26.00",
    "after 1 of 3 steps: ann 29.00",
    "It was resumed, and is done: ann 28.00, fees 1.00, transit 0.00",
    "The other bank got 1 order",
    "Another failed: Bob has not enough money",
    "postings agree with her account: True",
)

# The runs of each example, one after the other in one folder.
RUNS: dict[str, tuple[Run, ...]] = {
    "airports.py": (
        Run(shows=(r"3,\d\d\d airports written, 0 unprocessed", r"cost: 2 requests \(1 refused\)")),
        Run(shows=(r"3,\d\d\d airports are here from an earlier run", r"To begin anew, delete airports\.db\.$")),
        Run(("--url", "sqlite:///other.db"), shows=(r"To begin anew, delete other\.db\.$",)),
        Run(("--url", "memory:"), shows=(r"3,\d\d\d airports written, 0 unprocessed",)),
        Run(("--url", "URL"), shows=(r"3,\d\d\d airports (written|are here)", r"delete the table airports\.$")),
    ),
    "bank.py": (
        Run(shows=BANK),
        *(2 * [Run(("--url", "sqlite:///bank.db"), shows=BANK)]),
        Run(("--url", "URL"), shows=BANK),
    ),
    "blog.py": (Run(shows=BLOG), Run(("--url", "sqlite:///blog.db"), shows=BLOG), Run(("--url", "URL"), shows=BLOG)),
    "shop.py": (
        Run(
            shows=(
                r"Ann: 3 orders, 4 lines, 0 others",
                r"order 5 is not placed: ConditionFailed",
                r"Order: 4 items, 0 wrong",
            )
        ),
        Run(("--url", "URL"), shows=(r"paid: \[1, 3\]", r"Line: 5 items, 0 wrong", r"15 items")),
    ),
}


def run_example(name: str, run: Run, folder: Path, url: str | None = None) -> None:
    arguments = [url if argument == "URL" and url else argument for argument in run.arguments]
    result = subprocess.run(
        [sys.executable, "-W", "error", str(EXAMPLES / name), *arguments],
        check=False,
        cwd=folder,
        env=os.environ | {"HOME": str(folder), "COLUMNS": "120"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    for pattern in run.shows:
        assert re.search(pattern, result.stdout), f"{pattern!r} is not in:\n{result.stdout}"


def needs_dynamodb_local(name: str) -> bool:
    return any("URL" in run.arguments for run in RUNS[name])


def test_every_example_is_run() -> None:
    assert {path.name for path in EXAMPLES.glob("*.py")} == RUNS.keys()


@pytest.mark.parametrize("name", sorted(RUNS))
def test_example(name: str, tmp_path: Path) -> None:
    for run in RUNS[name]:
        if "URL" not in run.arguments:
            run_example(name, run, tmp_path)


@pytest.mark.parametrize("name", sorted(filter(needs_dynamodb_local, RUNS)))
def test_example_on_dynamodb_local(name: str, tmp_path: Path, dynamodb_local: str) -> None:
    for run in RUNS[name]:
        if "URL" in run.arguments:
            run_example(name, run, tmp_path, dynamodb_local)


def test_the_demo_runs_after_one_that_was_cut_off(tmp_path: Path) -> None:
    run_example("airports.py", Run(), tmp_path)
    leftover = "airports.Airport(state='TX', iata='ZZZ', name='-', city='-', country='-', latitude=0, longitude=0)"
    program = f"import airports, dynawire as dw; dw.connect('sqlite:///airports.db'); {leftover}.insert()"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, [str(EXAMPLES), *sys.path]))}
    subprocess.run([sys.executable, "-c", program], check=True, cwd=tmp_path, env=environment, timeout=100)
    run_example("airports.py", Run(), tmp_path)
