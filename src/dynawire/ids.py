"""Identifiers: random ones, and those that sort by the time they were made, ULID and UUID version 7.

The latter are 48 bits of milliseconds since 1970, then random bits. Within one process each is greater than the one
before: in the same millisecond, or when the clock was set back, the random part of the last one is raised by a random
amount (RFC 9562, section 6.2, method 2; the ULID specification's monotonicity, with a wider step so that none can be
guessed from another).
"""

from __future__ import annotations

import os
from _thread import allocate_lock
from time import time_ns
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uuid import UUID

__all__ = ["ulid", "uuid", "uuid7"]

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_ULID_RANDOM_BITS = 80
_UUID7_RANDOM_BITS = 74
_STEP_BITS = 32


class _Increasing:
    """Numbers of milliseconds and random bits, each greater than the last. Thread-safe."""

    def __init__(self, random_bits: int) -> None:
        self._bits = random_bits
        self._lock = allocate_lock()
        self._process = 0
        self._last = 0

    def __call__(self) -> int:
        process = os.getpid()
        fresh = (time_ns() // 1_000_000 << self._bits) | _random(self._bits)
        with self._lock:
            # A forked process does not go on from where its parent was: both would give the same numbers.
            if process == self._process and fresh >> self._bits <= self._last >> self._bits:
                # Past the last random number it goes on in the next millisecond.
                fresh = self._last + 1 + _random(_STEP_BITS)
            self._process, self._last = process, fresh
            return fresh


def _random(bits: int) -> int:
    return int.from_bytes(os.urandom((bits + 7) // 8), "big") & ((1 << bits) - 1)


_next_ulid = _Increasing(_ULID_RANDOM_BITS)
_next_uuid7 = _Increasing(_UUID7_RANDOM_BITS)


def uuid() -> UUID:
    """A new random UUID (version 4): ``uuid.uuid4``.

    For ``default_factory=``, of a key as well: ``id: Attr[UUID] = partition_key(default_factory=uuid)``.
    """
    from uuid import uuid4

    return uuid4()


def ulid() -> str:
    """A new ULID: 26 characters of Crockford's base 32, such as ``"01ARZ3NDEKTSV4RRFFQ69G5FAV"``.

    For ``default_factory=``, of a key as well: ``id: Attr[str] = partition_key(default_factory=ulid)``. Its text sorts
    by the time it was made, to the millisecond; within a process by order. Format: https://github.com/ulid/spec.
    """
    number = _next_ulid()
    return "".join([_CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5)])


def uuid7() -> UUID:
    """A new UUID of version 7 (RFC 9562).

    For ``default_factory=``, of a key as well: ``id: Attr[UUID] = sort_key(default_factory=uuid7)``. It sorts by the
    time it was made, to the millisecond; within a process by order.
    """
    from uuid import UUID

    number = _next_uuid7()
    time, high, low = number >> 74, number >> 62 & 0xFFF, number & (1 << 62) - 1
    return UUID(int=time << 80 | 7 << 76 | high << 64 | 2 << 62 | low)
