"""What an operation works on."""

from __future__ import annotations

from typing import NamedTuple

from dynawire.engines.embedded.catalog import Catalog
from dynawire.engines.embedded.storage import Storage

__all__ = ["Database"]


class Database(NamedTuple):
    """A storage and the tables in it."""

    storage: Storage
    catalog: Catalog
