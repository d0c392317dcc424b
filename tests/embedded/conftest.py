"""Embedded databases for tests, in memory and in files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.embedded.calls import Calls


@pytest.fixture
def memory() -> Iterator[Calls]:
    """A database in memory."""
    with Calls() as calls:
        yield calls


@pytest.fixture
def path(tmp_path: Path) -> str:
    """Where a database file may be made."""
    return str(tmp_path / "test.db")


@pytest.fixture(params=["memory", "file"])
def calls(request: pytest.FixtureRequest, path: str) -> Iterator[Calls]:
    """A database of each kind."""
    with Calls(None if request.param == "memory" else path, durable=False) as calls:
        yield calls
