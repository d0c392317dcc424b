"""Reading many items takes the memory of a few pages."""

from __future__ import annotations

import tracemalloc
from typing import Any

import pytest

import dynawire as dw
from dynawire import Attr, Model, partition_key, sort_key
from tests.support.databases import Twins, twin
from tests.support.recording import RecordingEngine

__all__ = ["twin"]

PAGES, SIZE = 50, 1000
MEGABYTE = 1024 * 1024


class Row(Model, table="rows"):
    group: Attr[str] = partition_key()
    number: Attr[int] = sort_key()
    text: Attr[str]


class Endless(RecordingEngine):
    """Gives 50 pages of 1000 items, and keeps nothing."""

    def _prepared(self, operation: str, body: bytes, idempotent: bool) -> tuple[bytes | None, Exception | None]:
        self.requests = getattr(self, "requests", 0) + 1
        item = b'{"group":{"S":"g"},"number":{"N":"5"},"text":{"S":"a text of some length, and a little longer still"}}'
        last = b"" if self.requests % PAGES == 0 else b',"LastEvaluatedKey":{"group":{"S":"g"},"number":{"N":"5"}}'
        return b'{"Items":[' + b",".join([item] * SIZE) + b"]" + last + b"}", None


@pytest.mark.parametrize("remote", [True, False])
def test_memory_is_flat(twin: Twins, remote: bool) -> None:
    with dw.Database(Endless(remote=remote)).use():
        tracemalloc.start()
        try:
            if twin.is_async:

                async def count() -> int:
                    return len([None async for _ in Row.scan()])

                assert twin.run(count()) == PAGES * SIZE
            else:
                assert sum(1 for _ in Row.scan()) == PAGES * SIZE
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    # All of them together would take over 20 MB, one page 0.4.
    assert peak < 4 * MEGABYTE


def test_all_of_them_would_take_more(twin: Twins) -> None:
    """The measure of the other test can tell the difference."""
    with dw.Database(Endless(remote=False)).use():
        tracemalloc.start()
        try:
            found: list[Any] = twin(Row.scan()).all()
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert len(found) == PAGES * SIZE
    assert peak > 15 * MEGABYTE
