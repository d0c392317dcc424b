"""Pages and their cursors, and pages too big for one response, on every engine, in both forms."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import dynawire as dw
from dynawire import Attr, GlobalIndex, LocalIndex, Model, attr, partition_key, sort_key
from tests.support.databases import Twins, raw, recorded

COUNT = 23


class Entry(Model, table="entries"):
    """Items whose index keys are mostly equal."""

    group: Attr[str] = partition_key()
    number: Attr[int] = sort_key()
    color: Attr[str]
    weight: Attr[int]
    text: Attr[str] = attr(default="")
    load: Attr[str] = attr(default="", name="l")

    by_color = GlobalIndex("color", "weight")
    by_color_only = GlobalIndex("color")
    by_color_keys = GlobalIndex("color", "weight", projection="KEYS_ONLY")
    by_weight = LocalIndex("weight")


@pytest.fixture(autouse=True)
def stored(db: dw.Database) -> None:
    db.create_tables(Entry)
    Entry.put_many(
        [
            Entry(group="g", number=n, color="red" if n % 3 else "blue", weight=n % 2, text=f"t{n % 5}")
            for n in range(COUNT)
        ]
    )
    recorded(db).clear()


QUERIES: dict[str, Any] = {
    "table": lambda: Entry.query("g"),
    "reverse": lambda: Entry.query("g").reverse(),
    "consistent": lambda: Entry.query("g").consistent(),
    "range": lambda: Entry.query("g", Entry.number > 4),
    "filter": lambda: Entry.query("g", text="t3"),
    "filter none": lambda: Entry.query("g", text="none"),
    "filter all": lambda: Entry.query("g").where(Entry.text.exists()),
    "global": lambda: Entry.by_color.query("red"),
    "global, one sort key": lambda: Entry.by_color.query("red", 1),
    "global, reverse": lambda: Entry.by_color.query("red").reverse(),
    "global, no sort key": lambda: Entry.by_color_only.query("red"),
    "global, filter": lambda: Entry.by_color.query("red", 1).where(text__in=["t1", "t2"]),
    "global, keys": lambda: Entry.by_color_keys.query("red").project(Entry.number, Entry.color),
    "local": lambda: Entry.by_weight.query("g"),
    "local, reverse, filter": lambda: Entry.by_weight.query("g").reverse().where(Entry.color != "red"),
    "scan": Entry.scan,
    "scan, filter": lambda: Entry.scan(weight=1),
    "index scan": Entry.by_color.scan,
    "index scan, filter": lambda: Entry.by_color.scan(Entry.number > 5),
    "projection": lambda: Entry.query("g").project(Entry.text),
    "projection, filter": lambda: Entry.by_color.query("red").where(text="t1").project(Entry.text, Entry.load),
}


def pages(twin: Twins, query: Any, sizes: Iterator[int]) -> Iterator[dw.Page[Any]]:
    cursor = None
    while True:
        page = twin(query).page(size=next(sizes), after=cursor)
        yield page
        cursor = page.cursor
        if cursor is None:
            return


def test_pages_of_every_size_cover_everything_once(twin: Twins) -> None:
    for name, make in QUERIES.items():
        everything = twin(make()).all()
        for size in (1, 2, 5, COUNT - 1, COUNT, COUNT + 1, 1000):
            found: list[Any] = []
            for page in pages(twin, make(), iter(lambda size=size: size, None)):
                assert len(page.items) == len(page) == len(list(page)) <= size, name
                if page.cursor is not None:
                    assert len(page) == size, name
                found += page.items
            assert found == everything, (name, size)


@given(name=st.sampled_from(sorted(QUERIES)), sizes=st.lists(st.integers(1, 30), min_size=1, max_size=12))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_pages_of_changing_sizes_cover_everything_once(twin: Twins, name: str, sizes: list[int]) -> None:
    query = QUERIES[name]()

    def endless() -> Iterator[int]:
        while True:
            yield from sizes

    found = [item for page in pages(twin, query, endless()) for item in page]
    assert found == twin(query).all()


def test_without_a_filter_the_last_page_is_never_empty(db: dw.Database, twin: Twins) -> None:
    for name in ("table", "reverse", "global", "local", "projection"):
        query = QUERIES[name]()
        count = twin(query).count()
        recorded(db).clear()
        page = twin(query).page(size=count)
        assert (len(page), page.cursor) == (count, None)
        assert len(recorded(db).sent) == 1
        assert "last" in repr(page)
        assert "more" in repr(twin(query).page(size=1))


def test_a_cursor_is_opaque_and_goes_into_a_url(twin: Twins) -> None:
    cursor = twin(Entry.query("g")).page(size=3).cursor
    assert isinstance(cursor, str)
    assert all(one.isascii() and (one.isalnum() or one in "-_") for one in cursor)


def test_a_cursor_goes_on_where_items_were_deleted(twin: Twins) -> None:
    page = twin(Entry.query("g")).page(size=5)
    twin(page.items[-1]).delete()
    twin(Entry.key("g", 5)).delete()
    following = twin(Entry.query("g")).page(size=5, after=page.cursor)
    assert [item.number for item in following] == [6, 7, 8, 9, 10]


def test_a_page_size_may_change_and_reads_may_be_consistent(twin: Twins) -> None:
    page = twin(Entry.query("g")).page(size=5)
    following = twin(Entry.query("g").consistent()).page(size=2, after=page.cursor)
    assert [item.number for item in following] == [5, 6]


def test_a_cursor_of_another_query(db: dw.Database, twin: Twins) -> None:
    cursors = {name: twin(make()).page(size=2).cursor for name, make in QUERIES.items() if name != "consistent"}
    recorded(db).clear()
    for name, make in QUERIES.items():
        for other, cursor in cursors.items():
            if cursor is None or other == name or (name, other) == ("consistent", "table"):
                continue
            with pytest.raises(dw.ExpressionError, match="belongs to another query"):
                twin(make()).page(size=2, after=cursor)
    changed = [Entry.query("h"), Entry.query("g", text="t1"), Entry.query("g").project(Entry.number)]
    for query in changed:
        with pytest.raises(dw.ExpressionError, match="belongs to another query"):
            twin(query).page(after=cursors["table"])
    assert recorded(db).sent == []


def test_what_is_no_cursor(db: dw.Database, twin: Twins) -> None:
    cursor: Any = twin(Entry.query("g")).page(size=2).cursor
    recorded(db).clear()
    middle = len(cursor) // 2
    changed = [cursor[:-1], cursor[:-4], cursor[1:], cursor + "A", cursor + "!", " " + cursor, cursor + "=", cursor * 2]
    changed += [
        cursor[:place] + ("A" if cursor[place] != "A" else "B") + cursor[place + 1 :] for place in (5, middle, -3)
    ]
    for text in ["", "x", "garbage", "ä€", "W10", "eyJhIjoxfQ", "bnVsbA", "\x00", *changed, 5, b"x", ["x"]]:
        with pytest.raises(dw.ExpressionError, match="not a cursor dynawire made"):
            twin(Entry.query("g")).page(size=2, after=text)
    assert recorded(db).sent == []


@given(text=st.one_of(st.text(), st.binary().map(lambda raw: raw.hex())))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_text_is_taken_for_a_cursor(db: dw.Database, text: str) -> None:
    with pytest.raises(dw.ExpressionError):
        Entry.query("g").page(after=text)
    assert recorded(db).sent == []


def test_what_is_no_page_size(db: dw.Database, twin: Twins) -> None:
    for size in (0, -1, 2.0, "5", None, True):
        with pytest.raises(dw.ExpressionError, match="whole number, 1 or more"):
            twin(Entry.query("g")).page(size=size)
    assert recorded(db).sent == []


def test_pages_and_limits_and_segments(db: dw.Database, twin: Twins) -> None:
    with pytest.raises(dw.ExpressionError, match=r"leave limit\(\) out"):
        twin(Entry.query("g").limit(3)).page()
    with pytest.raises(dw.ExpressionError, match="has no pages"):
        twin(Entry.scan().parallel(2)).page()
    assert recorded(db).sent == []


def test_pages_with_items_that_do_not_fit(db: dw.Database, twin: Twins) -> None:
    """The cursor stands after the last item kept, whatever lies between."""
    wrong = {3, 4, 9, 10, 11, 20, 22}
    for number in wrong:
        item = {"group": {"S": "g"}, "number": {"N": str(number)}, "text": {"N": "1"}}
        raw(db, Entry, "PutItem", Item={**item, "color": {"S": "red"}, "weight": {"N": "0"}})
    for query in (
        Entry.query("g"),
        Entry.query("g").where(Entry.weight.exists()),
        Entry.query("g").project(Entry.text),
    ):
        for size in (1, 2, 3, 5, 7, 30):
            misfits: list[dw.DecodeError] = []
            found = [
                item
                for page in pages(twin, query.collect_misfits(misfits), iter(lambda size=size: size, None))
                for item in page
            ]
            assert len(found) == COUNT - len(wrong)
            assert len(misfits) == len(wrong)
            assert {error.path for error in misfits} == {"text"}


# ---------------------------------------------------------------------- more than one response holds


class Bulky(Model, table="bulky"):
    """Items of 250 KB. With a local index an item may have only half of DynamoDB's 400 KB."""

    group: Attr[str] = partition_key()
    number: Attr[int] = sort_key()
    color: Attr[str]
    weight: Attr[int]
    load: Attr[str]

    by_color = GlobalIndex("color")


@pytest.fixture
def big(db: dw.Database) -> None:
    """A partition of twelve items of 250 KB, so of several responses."""
    db.create_tables(Bulky)
    Bulky.put_many([Bulky(group="big", number=n, color="c", weight=n % 4, load="x" * 250_000) for n in range(12)])
    recorded(db).clear()


@pytest.mark.usefixtures("big")
def test_reads_over_several_responses(db: dw.Database, twin: Twins) -> None:
    def numbers(query: Any) -> list[int]:
        recorded(db).clear()
        return [item.number for item in twin.items(query)]

    assert numbers(Bulky.query("big")) == list(range(12))
    assert len(recorded(db).sent) >= 3
    assert numbers(Bulky.query("big").reverse()) == list(range(11, -1, -1))
    assert numbers(Bulky.query("big").limit(7)) == list(range(7))
    assert numbers(Bulky.query("big").where(weight=3)) == [3, 7, 11]
    assert numbers(Bulky.query("big").where(weight=3).limit(2)) == [3, 7]
    assert numbers(Bulky.query("big").fetch_ahead(False)) == list(range(12))
    assert sorted(numbers(Bulky.by_color.query("c"))) == list(range(12))
    assert twin(Bulky.query("big")).count() == 12
    assert twin(Bulky.query("big").where(weight=3)).count() == 3
    assert twin(Bulky.query("big").where(weight=3)).first().number == 3
    assert [item.number for item in twin(Bulky.query("big")).all()] == list(range(12))
    assert len(twin.items(Bulky.scan())) == 12
    assert len(twin.items(Bulky.scan().parallel(3))) == 12
    for size in (1, 4, 5, 11, 12, 13):
        found = [
            item.number for page in pages(twin, Bulky.query("big"), iter(lambda size=size: size, None)) for item in page
        ]
        assert found == list(range(12))


@pytest.mark.usefixtures("big")
def test_breaking_off_early_sends_at_most_one_request_ahead(db: dw.Database, twin: Twins) -> None:
    engine = recorded(db)
    engine.remote = True
    if twin.is_async:

        async def first() -> Any:
            async for item in Bulky.query("big"):
                return item
            return None

        item = twin.run(first())
    else:
        item = next(iter(Bulky.query("big")))
    assert item.number == 0
    assert 1 <= len(engine.sent) <= 2
    engine.clear()
    assert twin(Bulky.query("big")).first().number == 0
    assert len(engine.sent) == 1
