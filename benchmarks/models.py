"""What each schema library and each capability costs over the bare model: CPU per call, in one process.

Every variant is the same item, written and read over HTTP against the server that gives canned answers. The rounds are
interleaved and the least of them is taken.
"""

from __future__ import annotations

import argparse
import dataclasses
import gc
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypedDict

import attrs
import msgspec

import dynawire as dw
import sample
from dynawire import (
    Attr,
    IndexMap,
    Model,
    SingleTable,
    created_at,
    hooks,
    partition_key,
    sort_key,
    updated_at,
    version,
)
from dynawire.pydantic import PydanticModel
from processes import server
from schemas import schema_tables

OPERATIONS = ("put", "get", "query")
BARE = "Model"
ALLOWED = 1.25
"""What version, hooks and templates together may cost of a put, times the bare model's."""


@dataclass(frozen=True)
class Effort:
    """How long to measure: rounds, and CPU seconds per round and operation."""

    rounds: int
    seconds: float


FULL = Effort(rounds=21, seconds=0.1)
QUICK = Effort(rounds=9, seconds=0.03)


# ---------------------------------------------------------------------- schema libraries


class Address(Model):
    street: Attr[str]
    city: Attr[str]
    zip: Attr[str]
    geo: Attr[list[float]]


class User(Model, table=sample.TABLE):
    pk: Attr[str] = partition_key()
    sk: Attr[str] = sort_key()
    name: Attr[str]
    email: Attr[str]
    age: Attr[int]
    balance: Attr[float]
    active: Attr[bool]
    tags: Attr[set[str]]
    created_at: Attr[str]
    address: Attr[Address]
    scores: Attr[list[int]]


class StructAddress(msgspec.Struct):
    street: str
    city: str
    zip: str
    geo: list[float]


class StructUser(msgspec.Struct, weakref=True):
    pk: str
    sk: str
    name: str
    email: str
    age: int
    balance: float
    active: bool
    tags: set[str]
    created_at: str
    address: StructAddress
    scores: list[int]


@dataclasses.dataclass
class DataUser:
    pk: str
    sk: str
    name: str
    email: str
    age: int
    balance: float
    active: bool
    tags: set[str]
    created_at: str
    address: StructAddress
    scores: list[int]


@attrs.define
class AttrsUser:
    pk: str
    sk: str
    name: str
    email: str
    age: int
    balance: float
    active: bool
    tags: set[str]
    created_at: str
    address: StructAddress
    scores: list[int]


class DictUser(TypedDict):
    pk: str
    sk: str
    name: str
    email: str
    age: int
    balance: float
    active: bool
    tags: set[str]
    created_at: str
    address: StructAddress
    scores: list[int]


class PydanticAddress(PydanticModel):
    street: str
    city: str
    zip: str
    geo: list[float]


class _PydanticUser(PydanticModel):
    pk: str = partition_key()
    sk: str = sort_key()
    name: str
    email: str
    age: int
    balance: float
    active: bool
    tags: set[str]
    created_at: str
    address: PydanticAddress
    scores: list[int]


class TrustingUser(_PydanticUser, table="trusting", load="trust"):
    pass


class ValidatingUser(_PydanticUser, table="validating", load="validate"):
    pass


# ---------------------------------------------------------------------- capabilities


class Versioned(User, table="versioned"):
    v: Attr[int] = version()


class Hooked(User, table="hooked"):
    @hooks.before_save
    def before(self) -> None:
        pass

    @hooks.after_save
    def after(self) -> None:
        pass


class VersionedHooked(Hooked, table="versioned_hooked"):
    v: Attr[int] = version()


class Timed(User, table="timed"):
    created: Attr[datetime | None] = created_at()
    updated: Attr[datetime | None] = updated_at()


class _Readable(Model, abstract=True):
    pk: Attr[str]
    sk: Attr[str]
    name: Attr[str]
    email: Attr[str]
    age: Attr[int]
    balance: Attr[float]
    active: Attr[bool]
    tags: Attr[set[str]]
    created_at: Attr[str]
    address: Attr[Address]
    scores: Attr[list[int]]

    by_email = IndexMap("gsi0", pk="EMAIL#{email}", sk="{created_at}")
    by_age = IndexMap("gsi1", pk="ACTIVE#{active}", sk="{age:03}#{name}")


single = SingleTable("single", partition_key="hash", sort_key="range", global_indexes=2, kind="kind")
other = SingleTable("other", partition_key="hash", sort_key="range", global_indexes=2, kind="kind")


class Placed(_Readable, table=single, pk="USER#{pk}", sk="ORDER#{sk}"):
    pass


class _Simple(Model, abstract=True):
    pk: Attr[str]
    sk: Attr[str]
    name: Attr[str]
    email: Attr[str]
    age: Attr[int]
    balance: Attr[float]
    active: Attr[bool]
    tags: Attr[set[str]]
    created_at: Attr[str]
    address: Attr[Address]
    scores: Attr[list[int]]


plain = SingleTable("plain", partition_key="hash", sort_key="range", kind="kind")
another = SingleTable("another", partition_key="hash", sort_key="range", kind="kind")


class VersionedKeys(_Simple, table=plain, pk="USER#{pk}", sk="ORDER#{sk}", kind="Placed"):
    v: Attr[int] = version()


class Everything(_Simple, table=another, pk="USER#{pk}", sk="ORDER#{sk}", kind="Placed"):
    v: Attr[int] = version()

    @hooks.before_save
    def before(self) -> None:
        pass

    @hooks.after_save
    def after(self) -> None:
        pass


class VersionedPlaced(_Readable, table=other, pk="USER#{pk}", sk="ORDER#{sk}", kind="Placed"):
    v: Attr[int] = version()


# ---------------------------------------------------------------------- measuring


class Variant:
    """One class, and the operations on its table.

    Attributes:
        name: what the table of figures calls it.
        compared: whether its put must stay within what is allowed.
    """

    def __init__(self, name: str, table: dw.Table[Any], address: Any, *, compared: bool = False) -> None:
        self.name = name
        self.compared = compared
        self._table = table
        values = sample.item()
        self._item = table.model(**(values | {"address": address(**values["address"])}))

    def put(self) -> None:
        self._table.put(self._item)

    def get(self) -> Any:
        return self._table.get("user#1", "order#000001")

    def query(self) -> list[Any]:
        return self._table.query("user#1").all()

    def check(self) -> None:
        """See that it does its work."""
        self.put()
        found = self.get()
        name = found["name"] if isinstance(found, dict) else found.name
        if name != sample.item()["name"] or len(self.query()) != sample.PAGE_ITEMS:
            raise SystemExit(f"{self.name} does not read what is stored")


def variants(db: dw.Database) -> list[Variant]:
    def of(cls: type[Any], name: str) -> dw.Table[Any]:
        return db.table(cls, name=name, partition_key="pk", sort_key="sk")

    return [
        Variant(BARE, db.table(User), Address),
        Variant("dataclass", of(DataUser, "data"), StructAddress),
        Variant("attrs class", of(AttrsUser, "attrs"), StructAddress),
        Variant("msgspec Struct", of(StructUser, "struct"), StructAddress),
        Variant("TypedDict", of(DictUser, "dict"), StructAddress),
        Variant("pydantic, load='trust'", db.table(TrustingUser), PydanticAddress),
        Variant("pydantic, load='validate'", db.table(ValidatingUser), PydanticAddress),
        *(Variant(*one) for one in schema_tables(db)),
        Variant("version()", db.table(Versioned), Address),
        Variant("hooks", db.table(Hooked), Address),
        Variant("version() and hooks", db.table(VersionedHooked), Address),
        Variant("created_at(), updated_at()", db.table(Timed), Address),
        Variant("templates of six keys", db.table(Placed), Address),
        Variant("version(), templates of two keys", db.table(VersionedKeys), Address),
        Variant("version(), hooks, templates of two keys", db.table(Everything), Address, compared=True),
        Variant("version(), templates of six keys", db.table(VersionedPlaced), Address),
    ]


def cost(call: Callable[[], object], calls: int) -> float:
    """CPU seconds per call."""
    call()
    start = time.process_time()
    for _ in range(calls):
        call()
    return (time.process_time() - start) / calls


def measure(found: Sequence[Variant], effort: Effort) -> dict[tuple[str, str], float]:
    calls = [(one.name, operation, getattr(one, operation)) for one in found for operation in OPERATIONS]
    counts = {}
    for name, operation, call in calls:
        each = cost(call, 5)
        counts[name, operation] = max(5, int(effort.seconds / max(cost(call, max(5, int(0.01 / each))), 1e-9)))
    figures: dict[tuple[str, str], float] = dict.fromkeys(counts, float("inf"))
    for number in range(effort.rounds):
        if sys.stderr.isatty():
            print(f"\r\033[Kround {number + 1} of {effort.rounds}", end="", file=sys.stderr, flush=True)
        gc.collect()
        for name, operation, call in calls:
            figures[name, operation] = min(figures[name, operation], cost(call, counts[name, operation]))
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)
    return figures


def rows(found: Sequence[Variant], figures: dict[tuple[str, str], float]) -> Iterator[str]:
    yield f"{'µs of CPU per call':40}" + "".join(f"{operation:>18}" for operation in ("put", "get", "query 100"))
    for one in found:
        cells = []
        for operation in OPERATIONS:
            seconds, bare = figures[one.name, operation], figures[BARE, operation]
            more = "" if one.name == BARE else f" ({seconds / bare - 1:+.0%})"
            cells.append(f"{seconds * 1e6:.1f}{more}")
        yield f"{one.name:40}" + "".join(f"{cell:>18}" for cell in cells)


@contextmanager
def connected() -> Iterator[dw.Database]:
    keys = {"region": sample.REGION, "access_key_id": sample.ACCESS_KEY, "secret_access_key": sample.SECRET_KEY}
    with server(sample.PAGE_ITEMS) as url, dw.connect(url, **keys) as db:
        yield db


def main() -> int:
    parser = argparse.ArgumentParser(prog="./dev bench models", description=__doc__, allow_abbrev=False)
    parser.add_argument("--quick", action="store_true", help="a short run, less exact")
    quick = parser.parse_args().quick
    with connected() as db:
        found = variants(db)
        for one in found:
            one.check()
        figures = measure(found, QUICK if quick else FULL)
    for row in rows(found, figures):
        print(row)
    compared = [one for one in found if one.compared]
    missed = 0
    for one in compared:
        ratio = figures[one.name, "put"] / figures[BARE, "put"]
        met = ratio <= ALLOWED
        missed += not met
        print(f"\na put with {one.name}: at most {ALLOWED - 1:.0%} more: {ratio - 1:+.0%} {'met' if met else 'MISSED'}")
    return 1 if missed and not quick else 0


if __name__ == "__main__":
    sys.exit(main())
