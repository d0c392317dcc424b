from __future__ import annotations

import pytest

import dynawire as dw
from tests.relations.library import CLASSES
from tests.support.databases import db, no_waiting, recorded, twin, url
from tests.support.recording import RecordingEngine

__all__ = ["db", "no_waiting", "twin", "url"]


@pytest.fixture
def sent(db: dw.Database) -> RecordingEngine:
    """The tables of the library, and what is sent from here on."""
    db.create_tables(*CLASSES)
    recorded(db).clear()
    return recorded(db)
