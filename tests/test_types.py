"""What mypy and pyright, without a plugin, accept and reject of programs that use dynawire.

``tests/typing/accept_*.py`` must pass both; in ``reject_*.py`` the lines marked ``# error`` must fail in both, and no
others.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.type_checkers import Complaints, check, disagreements, expected_errors

FOLDER = Path(__file__).resolve().parent / "typing"
FILES = sorted(FOLDER.glob("accept_*.py")) + sorted(FOLDER.glob("reject_*.py"))

WRONG = FOLDER.parent / "support" / "wrong_comments.py"

pytestmark = [pytest.mark.type_checker, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def complaints() -> tuple[Complaints, Complaints]:
    return check([*FILES, WRONG])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_file(path: Path, complaints: tuple[Complaints, Complaints]) -> None:
    problems = [problem for checker in complaints for problem in disagreements(path, checker)]
    assert not problems, "\n" + "\n".join(problems)


def test_names_say_what_files_hold() -> None:
    assert FILES
    assert sorted(FOLDER.glob("*.py")) == FILES
    for path in FILES:
        assert bool(expected_errors(path)) == path.name.startswith("reject_"), path.name


def test_wrong_comments_are_noticed(complaints: tuple[Complaints, Complaints]) -> None:
    mypy, pyright = (disagreements(WRONG, checker) for checker in complaints)
    assert [problem.split(": ", 1)[1][:28] for problem in mypy] == [
        "mypy rejects it: Incompatibl",
        "mypy accepts what must be re",
        "mypy rejects it with assignm",
    ]
    assert [problem.split(": ", 1)[1][:25] for problem in pyright] == [
        "pyright rejects it: Type ",
        "pyright accepts what must",
    ]
