"""A book in every way a class can be written."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import dynawire as dw
from tests.adapters.libraries import LIBRARIES, Library


@pytest.fixture
def db() -> Iterator[dw.Database]:
    with dw.connect("memory:") as database:
        yield database


@pytest.fixture(params=LIBRARIES, ids=lambda library: library.__name__)
def library(request: pytest.FixtureRequest, db: dw.Database) -> Library:
    made: Library = request.param(db)
    made.table.create()
    return made
