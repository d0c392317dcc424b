"""How many items a plan finds."""

from __future__ import annotations

import msgspec

from ..effects import Operation
from ..pages import count_items
from ..reads import compile_read, segments
from ..streaming import collected
from .plans import KeysRead
from .reading import Reading

__all__ = ["count_found"]


def count_found(reading: Reading) -> Operation[int]:
    """How many items there are, up to the limit: by the service where it can count, else by reading their keys."""
    plan, wanted = reading.plan, reading.wanted
    total = 0
    if not plan.disjoint or any(
        isinstance(read, KeysRead) or read.test is not None or read.fetch == "batch" for read in plan.reads
    ):
        found = yield from collected(reading.stream(), wanted.limit)
        return len(found)
    for read in plan.reads:
        assert not isinstance(read, KeysRead)
        left = None if wanted.limit is None else wanted.limit - total
        if left == 0:
            break
        paged = msgspec.structs.replace(reading.paged(read), segments=wanted.segments if read is plan.scan else 1)
        total += yield from count_items(compile_read(paged, "count"), segments(paged), left)
    return total
