"""The airports of the United States: stored, found, changed and deleted, with what each step costs.

Run it with ``./dev demo`` (a file beside you, ``airports.db``) or on any DynamoDB:
``./dev demo --url http://localhost:8000``, ``--url memory:``, ``--url dynamodb://eu-west-1``. The second run finds what
the first one stored.

The data is ``airports.csv`` of the PyPI package vega-datasets: 3,376 airports.
"""

from __future__ import annotations

import argparse
import contextvars
import csv
import importlib.util
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dynawire as dw
from dynawire import Attr, GlobalIndex, Model, attr, partition_key, sort_key


class Airport(Model, table="airports"):
    state: Attr[str] = partition_key()
    iata: Attr[str] = sort_key()
    name: Attr[str]
    city: Attr[str]
    country: Attr[str]
    latitude: Attr[float] = attr(ge=-90, le=90)
    longitude: Attr[float] = attr(ge=-180, le=180)
    visits: Attr[int] = attr(default=0, ge=0)
    tags: Attr[set[str]] = attr(default_factory=set)

    by_city = GlobalIndex(partition_key="city", sort_key="name")


def main() -> None:
    parser = argparse.ArgumentParser(description="Store and query the airports of the United States.")
    parser.add_argument("--url", default="sqlite:///airports.db", help="where to store them (default: %(default)s)")
    arguments = parser.parse_args()
    try:
        with dw.connect(arguments.url) as db:
            print(f"dynawire {dw.__version__} on {arguments.url}")
            load(db)
            read(db)
            change(db)
            compete(db)
            delete(db)
    except dw.DynawireError as error:
        sys.exit(f"\n{type(error).__name__}: {error}")
    if arguments.url.startswith("sqlite:///"):
        print(
            f"\nRun it again: it finds what it stored. To begin anew, delete {arguments.url.removeprefix('sqlite:///')}."
        )
    elif not arguments.url.startswith("memory:"):
        print("\nRun it again: it finds what it stored. To begin anew, delete the table airports.")


# ---------------------------------------------------------------------- the steps


def load(db: dw.Database) -> None:
    with step(db, "Create the table and its index by city"):
        made = db.create_tables(Airport)
        say(f"made: {', '.join(made)}" if made else "it was there already")

    with step(db, "Load the airports with put_many()"):
        airports = list(read_csv())
        stored = Airport.scan().count()
        if stored >= len(airports):
            say(f"{stored:,} airports are here from an earlier run; nothing to load")
            return
        bar = ProgressBar(len(airports))
        result = Airport.put_many(airports, progress=bar.advance)
        bar.done()
        say(f"{result.written:,} airports written, {len(result.unprocessed)} unprocessed")


def read(db: dw.Database) -> None:
    with step(db, 'Read one by its key: Airport.get("TX", "DFW")'):
        show(Airport.get_one("TX", "DFW"))

    with step(db, 'Query a state: the airports of Texas whose code begins with "A"'):
        for airport in Airport.query("TX", Airport.iata.begins_with("A")):
            show(airport)

    with step(db, 'Query the index by city: Airport.by_city.query("Houston"), last name first'):
        for airport in Airport.by_city.query("Houston").reverse().limit(4):
            show(airport)

    with step(db, "Filter: airports of Alaska north of the Arctic Circle"):
        arctic = Airport.query("AK").where(Airport.latitude > 66.5)
        northernmost = max(arctic, key=lambda airport: airport.latitude)
        say(f"{arctic.count()} airports; the northernmost is {northernmost.name}, {northernmost.latitude:.1f}° N")

    with step(db, "Page through California, 60 at a time, with a cursor"):
        cursor, number = None, 0
        while True:
            page = Airport.query("CA").page(size=60, after=cursor)
            number += 1
            say(f"page {number}: {len(page.items)} airports, {page.items[0].iata} to {page.items[-1].iata}")
            cursor = page.cursor
            if cursor is None:
                break

    with step(db, "Only two attributes, as typed tuples"):
        for iata, name in Airport.query("HI").project(Airport.iata, Airport.name).limit(3):
            say(f"{iata}  {name}")


def change(db: dw.Database) -> None:
    with step(db, "Update atomically under a condition: one more visit, below 1,000,000, and a tag"):
        dfw = Airport.get_one("TX", "DFW")
        before = dfw.visits
        dfw.update(Airport.visits.add(1), Airport.tags.add({"hub"}), condition=Airport.visits < 1_000_000)
        say(f"visits {before} -> {dfw.visits}, tags {sorted(dfw.tags)}")

    with step(db, "Save what changed: save() compares with what was loaded"):
        dfw.tags.discard("busy") if "busy" in dfw.tags else dfw.tags.add("busy")
        say(f"the request it would send: {Airport.params.save(dfw)['UpdateExpression']}")
        say(f"first save() wrote something: {dfw.save()}; second: {dfw.save()}")


def compete(db: dw.Database) -> None:
    with step(db, "Two writers at once, each sure of what it saw: one loses"):
        seen = Airport.get_one("TX", "AUS").visits
        start = threading.Barrier(2)
        outcomes: dict[str, str] = {}

        def write(writer: str) -> None:
            start.wait()
            try:
                Airport.key("TX", "AUS").update(Airport.visits.add(1), condition=Airport.visits == seen)
                outcomes[writer] = f"wrote visits {seen} -> {seen + 1}"
            except dw.ConditionFailed as error:
                outcomes[writer] = f"lost: {type(error).__name__}: {error}"

        # A copy of the context takes the measuring of this step along into the thread.
        writers = [
            threading.Thread(target=contextvars.copy_context().run, args=(write, name)) for name in ("first", "second")
        ]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        for name, outcome in sorted(outcomes.items(), key=lambda pair: pair[1], reverse=True):
            say(f"{name} writer {outcome}")


def delete(db: dw.Database) -> None:
    new = Airport(
        state="TX", iata="ZZZ", name="Bit Bucket Field", city="Austin", country="USA", latitude=30.3, longitude=-97.7
    )
    # A run that was interrupted after the insert has left it.
    new.delete()
    with step(db, "Insert a new airport, twice: insert() never overwrites"):
        new.insert()
        try:
            new.insert()
        except dw.ItemExists as error:
            say(f"the second: {type(error).__name__}: {error}")

    with step(db, "Delete it, and be told what was deleted"):
        old = new.delete(return_old=True)
        say(f"deleted: {old.name if old else 'nothing'}; still there: {Airport.exists('TX', 'ZZZ')}")


# ---------------------------------------------------------------------- the data


def read_csv() -> Iterator[Airport]:
    spec = importlib.util.find_spec("vega_datasets")
    if spec is None or not spec.submodule_search_locations:
        sys.exit(
            "the airports come with vega-datasets: pip install --no-deps vega-datasets (./dev demo does it for you)"
        )
    path = Path(spec.submodule_search_locations[0]) / "_data" / "airports.csv"
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield Airport(
                state=row["state"],
                iata=row["iata"],
                name=row["name"],
                city=row["city"],
                country=row["country"],
                latitude=float(row["latitude"]),
                longitude=float(row["longitude"]),
            )


# ---------------------------------------------------------------------- what a person sees


@contextmanager
def step(db: dw.Database, title: str) -> Iterator[None]:
    """Print a title, then what the step cost."""
    print(f"\n\033[1m{title}\033[0m" if sys.stdout.isatty() else f"\n{title}")
    began = time.perf_counter()
    with db.measure() as cost:
        yield
    milliseconds = (time.perf_counter() - began) * 1000
    units = [f"{cost.requests} request{'s' * (cost.requests != 1)}"]
    if cost.refused:
        units[0] += f" ({cost.refused} refused)"
    if cost.read_units:
        units.append(f"{cost.read_units:g} read units")
    if cost.write_units:
        units.append(f"{cost.write_units:g} write units")
    print(f"  cost: {', '.join(units)}, {milliseconds:.1f} ms")


def say(text: str) -> None:
    print(f"  {text}")


def show(airport: Airport) -> None:
    place = f"{airport.city}, {airport.state}"
    print(f"  {airport.iata:4} {airport.name:32.32} {place:24.24} {airport.latitude:8.3f} {airport.longitude:9.3f}")


class ProgressBar:
    def __init__(self, total: int) -> None:
        self.total = total
        self.count = 0

    def advance(self, count: int) -> None:
        self.count += count
        if sys.stdout.isatty():
            self._draw("\r")

    def done(self) -> None:
        self._draw("\r" if sys.stdout.isatty() else "")
        print()

    def _draw(self, begin: str) -> None:
        filled = 40 * self.count // self.total
        print(f"{begin}  [{'#' * filled}{'.' * (40 - filled)}] {self.count:,}/{self.total:,}", end="", flush=True)


if __name__ == "__main__":
    main()
