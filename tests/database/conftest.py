import pytest

from dynawire import database
from tests.support.databases import db, no_waiting, twin, url

__all__ = ["db", "no_waiting", "twin", "url"]


@pytest.fixture(autouse=True)
def none_is_connected(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests are about the database connected last, and another test may have left one."""
    monkeypatch.setattr(database, "_connected", [])
