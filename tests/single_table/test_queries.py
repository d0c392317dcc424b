"""Queries by readable attributes: what they ask of the keys, and that they find what a filter would."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from enum import Enum
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import Field

import dynawire as dw
from dynawire import Attr, IndexMap, Model, attr
from dynawire.errors import ExpressionError, ScanNotAllowed
from dynawire.pydantic import PydanticModel
from tests.single_table.shop import Line, Order, Setting, User, day, order
from tests.support.databases import Twins, case, connected, raw


@pytest.fixture
def stocked(db: dw.Database) -> dw.Database:
    db.create_tables(User)
    User(user_id="1", email="a@x").put()
    User(user_id="2").put()
    for number in range(1, 6):
        order(number, total=number * 10, note="n" if number > 3 else None).put()
        Line(user_id="1", created_at=day(number), order_id=f"o{number}", number=1).put()
    order(3, user_id="2", status="paid").put()
    Setting(name="theme").put()
    return db


def numbers(found: Any) -> list[int]:
    return [one.created_at.day for one in found]


FINDS: dict[str, tuple[Callable[[], Any], list[int]]] = {
    "all": (lambda: Order.query(user_id="1"), [1, 2, 3, 4, 5]),
    "positional": (lambda: Order.query("1"), [1, 2, 3, 4, 5]),
    "reversed": (lambda: Order.query("1").reverse().limit(2), [5, 4]),
    "from": (lambda: Order.query(user_id="1", created_at__gte=day(3)), [3, 4, 5]),
    "after": (lambda: Order.query(user_id="1", created_at__gt=day(3)), [4, 5]),
    "to": (lambda: Order.query(user_id="1", created_at__lte=day(3)), [1, 2, 3]),
    "before": (lambda: Order.query(user_id="1", created_at__lt=day(3)), [1, 2]),
    "between": (lambda: Order.query(user_id="1", created_at__between=(day(2), day(3))), [2, 3]),
    "two bounds": (lambda: Order.query(user_id="1", created_at__gte=day(2), created_at__lt=day(4)), [2, 3]),
    "nothing between": (lambda: Order.query(user_id="1", created_at__gte=day(4), created_at__lt=day(2)), []),
    "exactly": (lambda: Order.query("1", day(2)), [2]),
    "whole key": (lambda: Order.query("1", day(2), "o2"), [2]),
    "begins": (lambda: Order.query("1", day(2), Order.order_id.begins_with("o")), [2]),
    "not first": (lambda: Order.query(user_id="1", order_id="o4"), [4]),
    "filter": (lambda: Order.query(user_id="1", total__gt=20, created_at__lt=day(5)), [3, 4]),
    "where": (lambda: Order.query(user_id="1").where(Order.user_id == "1", Order.total > 40), [5]),
    "contradiction": (lambda: Order.query(Order.user_id == "1", Order.user_id == "2"), []),
    "index": (lambda: Order.by_status.query(status="open", created_at__gte=day(4)), [4, 5]),
    "index before": (lambda: Order.by_status.query("open", Order.created_at < day(3)), [1, 2]),
    "index to": (lambda: Order.by_status.query("open", Order.created_at <= day(3)), [1, 2, 3]),
    "index after": (lambda: Order.by_status.query("open", Order.created_at > day(3)), [4, 5]),
    "constant key": (lambda: Order.open_by_total.query(total__between=(20, 30)), [2, 3]),
    "whole constant": (lambda: Order.open_by_total.query().reverse(), [5, 4, 3, 2, 1]),
    "two in key": (lambda: Order.by_note.query(note="n", status="open", total__gt=40), [5]),
    "two in key in order": (lambda: Order.by_note.query("n", "open", 50), [5]),
    "local": (lambda: Order.by_total.query(user_id="1", total__lt=30).reverse(), [2, 1]),
    "local last": (lambda: Order.by_total.query("1", Order.total <= 30), [1, 2, 3]),
}


def test_queries(stocked: dw.Database, twin: Twins) -> None:
    for name, (make, expected) in FINDS.items():
        assert numbers(twin.items(make())) == expected, name
        assert twin(make()).count() == len(expected), name
        pages: list[int] = []
        cursor = None
        for _ in range(10):
            page = twin(make().limit(None)).page(2, cursor)
            pages += numbers(page)
            cursor = page.cursor
            if cursor is None:
                break
        assert pages[: len(expected)] == expected, name


def test_a_query_asks_for_no_more_than_its_range(db: dw.Database) -> None:
    request = Order.query(user_id="1", created_at__gte=day(3), total__gt=5).params()
    assert request["KeyConditionExpression"] == "#n0 = :v0 AND #n1 BETWEEN :v1 AND :v2"
    values = request["ExpressionAttributeValues"]
    assert [values[name]["S"] for name in (":v0", ":v1", ":v2")] == [
        "USER#1",
        "ORDER#2026-01-03T00:00:00+00:00",
        "ORDER$",
    ]
    assert request["FilterExpression"] == "#n2 > :v3 AND #n3 = :v4"
    exact = Order.query("1", day(1), "o1").params()
    assert exact["KeyConditionExpression"] == "#n0 = :v0 AND #n1 = :v1"
    begins = Order.query("1", day(1)).params()
    assert begins["KeyConditionExpression"] == "#n0 = :v0 AND begins_with(#n1, :v1)"
    assert begins["ExpressionAttributeValues"][":v1"] == {"S": "ORDER#2026-01-01T00:00:00+00:00#"}


def test_only_items_of_the_class_are_found(stocked: dw.Database, twin: Twins) -> None:
    assert {type(one) for one in twin.items(Order.scan())} == {Order}
    assert len(twin.items(Line.scan())) == 5
    assert [one.user_id for one in twin.items(User.query(user_id="1"))] == ["1"]
    assert [one.name for one in twin.items(Setting.query())] == ["theme"]
    assert [one.user_id for one in twin.items(User.by_email.query("a@x"))] == ["1"]
    assert len(twin.items(User.by_email.scan())) == 1
    assert len(twin.items(Order.find())) == 6
    assert len(twin.items(Line.find(Line.number == 1))) == 5


def test_find_chooses_among_the_keys(stocked: dw.Database, twin: Twins) -> None:
    def plan(condition: dw.Condition) -> str:
        return str(Order.find(condition).explain(describe=False)).splitlines()[1]

    assert "GetItem" in plan((Order.user_id == "1") & (Order.created_at == day(1)) & (Order.order_id == "o1"))
    assert "Query on the table" in plan((Order.user_id == "1") & (Order.created_at > day(2)))
    assert "gsi0, 2 queries" in plan(Order.status.in_(["open", "paid"]) & (Order.created_at > day(2)))
    assert "global index gsi1" in plan((Order.status == "open") & (Order.total == 10))
    assert "global index gsi" in plan((Order.status == "open") & (Order.note == "n") & (Order.total > 40))
    assert "Scan" in plan(Order.total > 10)
    some = Order.find((Order.status == "open") & (Order.created_at > day(2)))
    assert sorted(numbers(twin.items(some))) == [3, 4, 5]
    either = Order.find((Order.user_id == "2") | (Order.note == "n") & (Order.status == "open"))
    assert sorted(numbers(twin.items(either))) == [3, 4, 5]
    assert twin(Order.find(user_id="1", created_at=day(2), order_id="o2")).one().total == 20
    ordered = Order.find(Order.user_id == "1").limit(2)
    assert twin(ordered).count() == 2
    with pytest.raises(ScanNotAllowed, match=r'IndexMap\(\.\.\., pk="TOTAL#\{total\}"\)'):
        Order.find(Order.total == 10).allow_scan(False).all()
    hydrated = Order.by_status.query("open", Order.created_at > day(3)).hydrate()
    assert sorted(numbers(twin.items(hydrated))) == [4, 5]


def test_projections(stocked: dw.Database, twin: Twins) -> None:
    query = Order.query("1", Order.created_at > day(3)).project(Order.order_id, Order.label)
    assert twin.items(query) == [("o4", "o4#p0240"), ("o5", "o5#p0250")]


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (Order.query, "Order.user_id, which the partition key is composed of, is not given"),
        (lambda: Order.query(created_at=day(1)), "Order.user_id, which the partition key"),
        (lambda: Order.query(user_id__gt="1"), "Order.user_id is part of the partition key, which a query needs as =="),
        (lambda: Order.by_note.query(note="n"), "Order.status, which the partition key"),
        (lambda: Order.query("1", day(1), "o1", "x"), "too many key values for Order"),
        (lambda: Order.query(None), "never None"),
        (lambda: Order.query(user="1"), "has no attribute 'user'"),
        (lambda: Order.query(user_id="1").where(User.name == "x").params(), "is an attribute of User"),
        (lambda: Order.query(User.user_id == "1").params(), "is an attribute of User"),
    ],
)
def test_what_can_not_be_queried(db: dw.Database, make: Callable[[], Any], reason: str) -> None:
    with pytest.raises(ExpressionError, match=reason):
        make()


# ---------------------------------------------------------------------- every range, of every kind of value


words = dw.SingleTable("words", global_indexes=2)


class Word(Model, table=words, pk="W", sk="{text}#{number}#{last}"):
    text: Attr[str]
    number: Attr[int]
    last: Attr[str]
    after: Attr[timedelta]
    by_last = IndexMap("gsi0", pk="W", sk="X#{number}#{last}")
    by_after = IndexMap("gsi1", pk="W", sk="{after}")


class Wordy(Model, table=words, pk="W", sk="{text}"):
    """Items in the same partition, among those of the other class."""

    text: Attr[str]


texts = st.text(st.sampled_from("%#$! ab~\U0010ffff"), max_size=3)
few = st.integers(-12, 12)
spans = st.decimals(-3, 3, places=2).map(lambda seconds: timedelta(seconds=float(seconds)))
rows = st.tuples(texts, few, texts, spans)
OPERATORS = ["eq", "lt", "lte", "gt", "gte", "begins_with", "between"]
ways = st.sampled_from(
    [
        (Word, None, [("text", texts)], {}),
        (Word, None, [("number", few)], {"text": texts}),
        (Word, None, [("last", texts)], {"text": texts, "number": few}),
        (Word, "by_last", [("number", few)], {}),
        (Word, "by_last", [("last", texts)], {"number": few}),
        (Word, "by_after", [("after", spans)], {}),
    ]
)


def holds(value: Any, operator: str, operand: Any) -> bool:
    return {
        "eq": lambda: value == operand,
        "lt": lambda: value < operand,
        "lte": lambda: value <= operand,
        "gt": lambda: value > operand,
        "gte": lambda: value >= operand,
        "begins_with": lambda: value.startswith(operand),
        "between": lambda: operand[0] <= value <= operand[1],
    }[operator]()


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(rows, max_size=12), st.data())
@example([("a", 1, "b", timedelta(0)), ("a ", 1, "b", timedelta(0)), ("a#", 2, "", timedelta(1))], None)
def test_a_range_finds_what_a_filter_would(every: list[tuple[str, int, str, timedelta]], data: Any) -> None:
    with connected("memory:") as db, db.use():
        db.create_tables(words)
        stored: dict[Any, Word] = {}
        for text, number, last, after in every:
            word = Word(text=text, number=number, last=last, after=after)
            word.put()
            stored[text, number, last] = word
            if text and "#" not in text:
                Wordy(text=text).put()
        if data is None:
            assert [one.text for one in Word.query()] == ["a", "a ", "a#"]
            return
        _, index, [(name, values)], equal = data.draw(ways)
        given_equal = {key: data.draw(strategy) for key, strategy in equal.items()}
        operators = [one for one in OPERATORS if one != "begins_with" or values is texts]
        conditions: dict[str, Any] = {}
        for operator in data.draw(st.lists(st.sampled_from(operators), max_size=2, unique=True)):
            operand = data.draw(values)
            conditions[operator] = tuple(sorted([operand, data.draw(values)])) if operator == "between" else operand
        lookups = {f"{name}__{operator}": operand for operator, operand in conditions.items()}
        source = Word if index is None else getattr(Word, index)
        found = source.query(**given_equal, **lookups).all()
        expected = [
            word
            for word in stored.values()
            if all(getattr(word, key) == value for key, value in given_equal.items())
            and all(holds(getattr(word, name), operator, operand) for operator, operand in conditions.items())
        ]
        assert sorted((one.text, one.number, one.last) for one in found) == sorted(
            (one.text, one.number, one.last) for one in expected
        )
        # And they come in the order of the values.
        assert [getattr(one, name) for one in found] == sorted(getattr(one, name) for one in found)
        by_find = Word.find(**given_equal, **lookups).all()
        assert sorted(map(id_of, by_find)) == sorted(map(id_of, expected))


def id_of(word: Word) -> tuple[str, int, str]:
    return word.text, word.number, word.last


def test_dates_are_what_keys_are_sorted_by() -> None:
    assert isinstance(day(1), datetime)


sparse = dw.SingleTable("sparse", global_indexes=7)


class Job(Model, table=sparse, pk="JOB#{number}", sk="JOB"):
    number: Attr[int]
    total: Attr[int] = attr(default=0)
    state: Attr[str] = attr(default="open")
    note: Attr[str | None] = attr(default=None)
    late: Attr[bool] = attr(default=False)

    big = IndexMap("gsi0", pk="BIG", sk="{total}", when={"total__gte": 2})
    noted = IndexMap("gsi1", pk="NOTED#{state}", sk="{total}", when={"note__exists": True, "state__begins_with": "o"})
    chosen = IndexMap("gsi2", pk="CHOSEN#{note}", sk="{total}", when={"total__in": [1, 2]})
    undone = IndexMap("gsi3", pk="UNDONE#{total}", sk="{note}", when={"state__ne": "done"})
    begun = IndexMap("gsi4", pk="BEGUN", sk="{total}", when={"state__ne": "open"})
    in_time = IndexMap("gsi5", pk="IN-TIME#{total}", sk="{number}", when={"late": False})
    other = IndexMap("gsi6", pk="OTHER", sk="{total}", when={"note__ne": "a"})


ordered = dw.SingleTable("ordered", local_indexes=2)


class Entry(Model, table=ordered, pk="SHELF#{shelf}", sk="ENTRY#{word}#{number}"):
    shelf: Attr[str]
    word: Attr[str]
    number: Attr[int]
    rank: Attr[int] = attr(default=0)
    plain: Attr[int] = attr(default=0)

    by_rank = IndexMap("lsi0", sk="RANK#{rank}#{word}")
    by_plain = IndexMap("lsi1", sk="PLAIN#{plain:d}")


jobs = st.tuples(
    st.sampled_from([None, 0, 1, 2, 3]),
    st.sampled_from([None, "open", "over", "done", ""]),
    st.sampled_from([None, "a", "b"]),
    st.sampled_from([None, False, True]),
)
job_conditions = st.lists(
    st.sampled_from(
        [
            Job.total >= 2,
            Job.total > 2,
            ~(Job.total < 2),
            Job.total.between(2, 3),
            Job.total.in_([1, 2]),
            Job.total.in_([2, 3]),
            Job.total == 2,
            Job.total < 2,
            Job.state == "open",
            Job.state.in_(["open", "done"]),
            Job.state.begins_with("op"),
            Job.state > "o",
            Job.state != "done",
            ~(Job.state == "done"),
            Job.state != "open",
            Job.state.exists(),
            Job.late == False,  # noqa: E712
            Job.late != True,  # noqa: E712
            Job.note > "a",
            Job.note != None,  # noqa: E711
            Job.note.exists(),
            Job.note == "a",
            Job.note.in_(["a", "b"]),
            Job.note != "a",
            Job.note.not_exists(),
        ]
    ),
    min_size=1,
    max_size=3,
)


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(jobs, max_size=6), job_conditions, st.booleans())
def test_a_find_by_sparse_indexes_is_a_scan(every: list[Any], parts: list[dw.Condition], either: bool) -> None:
    """Items of earlier programs, without attributes that have a default, among them."""
    with connected("memory:") as db, db.use():
        db.create_tables(sparse)
        for number, (total, state, note, late) in enumerate(every):
            given_values = {"total": total, "state": state, "note": note, "late": late}
            item = Job(number=number, **{name: one for name, one in given_values.items() if one is not None}).to_item()
            for name in ("total", "state", "late"):
                if given_values[name] is None:
                    item.pop(name, None)
            raw(db, Job, "PutItem", Item=item)
        condition = dw.any_of(parts) if either else dw.all_of(parts)
        expected = sorted(one.number for one in Job.scan(condition))
        assert sorted(one.number for one in Job.find(condition)) == expected


def test_a_sparse_index_is_taken_where_the_condition_says_that_its_own_holds() -> None:
    def index(condition: dw.Condition) -> str | None:
        return Job.find(condition).explain(describe=False).steps[0].index

    with connected("memory:") as db, db.use():
        taken = [
            (Job.total >= 2, "gsi0"),
            (Job.total > 5, "gsi0"),
            (Job.total.between(3, 9), "gsi0"),
            ((Job.total > 5) & (Job.total < 9), "gsi0"),
            (Job.total.in_([2, 3]), "gsi0"),
            ((Job.note > "a") & (Job.state == "open"), "gsi1"),
            ((Job.note == "a") & Job.total.in_([1, 2]), "gsi2"),
            ((Job.total == 0) & (Job.state != "done") & (Job.note > "a"), "gsi3"),
            ((Job.total == 0) & ~(Job.state == "done") & (Job.note != None), "gsi3"),  # noqa: E711
            ((Job.total == 0) & Job.state.in_(["open", "new"]) & (Job.note < "b"), "gsi3"),
            ((Job.state != "open") & Job.state.exists(), "gsi4"),
            (Job.state == "over", "gsi4"),
            ((Job.total == 0) & (Job.late == False), "gsi5"),  # noqa: E712
            (Job.note != "a", "gsi6"),
            (Job.note == "b", "gsi6"),
        ]
        for condition, name in taken:
            with case(repr(condition)):
                assert index(condition) == name
        nothing_has = [
            (Job.total == 0) & (Job.note > "a"),
            (Job.total == 0) & (Job.state != "done"),
            (Job.total == 0) & Job.state.in_(["open", "done"]) & (Job.note > "a"),
            Job.state != "open",  # items without state are read as open, and are not in the index
            Job.late == True,  # noqa: E712
        ]
        below = [Job.total > 1, Job.total >= 1, Job.total < 5, ~(Job.total < 2), Job.total.in_([1, 2])]
        for condition in (*below, *nothing_has):
            with case(repr(condition)):
                assert index(condition) is None
        assert index((Job.note == "a") & Job.total.in_([1, 2, 3])) is None
        text = str(Job.find((Job.note == "a") & (Job.total > 0)).explain(describe=False))
        assert "key gsi2_pk (CHOSEN#{note} when Job.total IN (:0, :1)) is not given by == or in_" in text
        assert index((Job.state == "open") & Job.note.not_exists()) is None


def test_an_index_sorted_by_what_may_be_absent() -> None:
    """It serves ranges of it, and what says that it is there; else it is told what to add."""
    table = dw.SingleTable("todos", global_indexes=1)

    class Todo(Model, table=table, pk="TODO#{number}", sk="TODO"):
        number: Attr[int]
        who: Attr[str | None] = attr(default=None)
        due: Attr[date | None] = attr(default=None)

        by_due = IndexMap("gsi0", pk="WHO#{who}", sk="{due}")

    with connected("memory:") as db, db.use():
        db.create_tables(table)
        for number in range(4):
            Todo(number=number, who="a" if number else None, due=date(2026, 1, number) if number > 1 else None).put()
        hers = Todo.who == "a"
        for condition, expected in [
            (hers & (Todo.due < date(2026, 1, 3)), [2]),
            (hers & (Todo.due != None), [2, 3]),  # noqa: E711
            (hers & Todo.due.begins_with("2026-01-03"), [3]),  # type: ignore[misc]
        ]:
            with case(repr(condition)):
                find = Todo.find(condition).allow_scan(False)
                assert [one.number for one in find] == expected
                assert [one.index for one in find.explain(describe=False).steps] == ["gsi0"]
        assert Todo.find(hers).count() == 3
        with pytest.raises(ScanNotAllowed, match=r"add & \(Todo.due != None\) to the condition"):
            Todo.find(hers).allow_scan(False).all()


class Stage(Enum):
    OPEN = "open"
    DONE = "done"


def test_a_sparse_index_of_what_is_an_enum_by_default() -> None:
    table = dw.SingleTable("stages", global_indexes=1)

    class Step(PydanticModel, table=table, pk="STEP#{number}", sk="STEP"):
        number: int
        labels: set[str] = Field(default_factory=set)
        stage: Stage = Stage.OPEN

        left = IndexMap("gsi0", pk="LEFT", sk="{number}", when={"stage__ne": Stage.DONE, "labels__ne": {"x"}})

    with connected("memory:") as db, db.use():
        db.create_tables(table)
        Step(number=1).put()
        Step(number=2, stage=Stage.DONE).put()
        left = (Step.paths.stage != Stage.DONE) & (Step.paths.labels != {"x"})
        assert [one.number for one in Step.find(left)] == [1]
        # Sets are not compared, so nothing is known of these.
        assert Step.find(left).explain(describe=False).steps[0].index is None

        class Simple(PydanticModel, table=table, pk="SIMPLE#{number}", sk="SIMPLE"):
            number: int
            labels: set[str] = Field(default_factory=set)
            stage: Stage = Stage.OPEN

            left = IndexMap("gsi0", pk="SIMPLE", sk="{number}", when={"stage__ne": Stage.DONE})

        Simple(number=3).put()
        find = Simple.find(Simple.paths.stage != Stage.DONE).allow_scan(False)
        assert [one.number for one in find] == [3]


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.tuples(st.sampled_from(["a", "a#", "b", "%"]), st.integers(-20, 20)), max_size=8, unique=True),
    st.booleans(),
    st.integers(-5, 5),
)
def test_items_in_the_order_of_what_a_key_is_composed_of(rows: list[Any], reverse: bool, least: int) -> None:
    with connected("memory:") as db, db.use():
        db.create_tables(ordered)
        for word, number in rows:
            Entry(shelf="s", word=word, number=number, rank=number * 3).put()
        finds: list[tuple[Any, Any, Any]] = [
            (Entry.find(shelf="s"), Entry.word, lambda row: row[0]),
            (Entry.find(shelf="s", word="a"), Entry.number, lambda row: row[1]),
            (Entry.find(shelf="s", rank__gte=least), Entry.rank, lambda row: row[1] * 3),
        ]
        for find, path, key in finds:
            expected = [key(row) for row in rows]
            if path is Entry.number:
                expected = [row[1] for row in rows if row[0] == "a"]
            if path is Entry.rank:
                expected = [one for one in expected if one >= least]
            found = [getattr(one, path._label) for one in find.order_by(path, reverse=reverse)]
            assert found == sorted(expected, reverse=reverse)


def test_orders_that_no_key_gives() -> None:
    with connected("memory:") as db, db.use():
        db.create_tables(ordered)
        for find in (
            Entry.find(shelf="s").order_by(Entry.number),  # the word comes first
            Entry.find(Entry.word.in_(["a", "b"]), shelf="s").order_by(Entry.number),
            Entry.find(shelf="s").order_by(Entry.plain),  # numbers as they are do not sort
            Entry.find().order_by(Entry.word),
        ):
            with pytest.raises(ExpressionError, match="in the order of"):
                find.all()
