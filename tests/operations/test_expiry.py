"""Time to live: how it is declared and stored, and expired items hidden on every way of reading."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, TypedDict

import pytest

import dynawire as dw
from dynawire import Attr, EpochSeconds, GlobalIndex, LocalIndex, Model, attr, partition_key, sort_key, ttl
from dynawire.operations import expiry
from tests.support.databases import Twins, raw, raw_update, recorded, stored_item

NOW = datetime.now(UTC).replace(microsecond=0)
PAST, FUTURE = NOW - timedelta(days=1), NOW + timedelta(days=1)


class Session(Model, table="sessions", hide_expired=True):
    user: Attr[str] = partition_key()
    id: Attr[int] = sort_key()
    city: Attr[str] = attr(default="x")
    data: Attr[str] = attr(default="-")
    expires: Attr[datetime | None] = ttl(default=None, name="exp")

    by_city = GlobalIndex("city", "id")
    by_expiry = GlobalIndex("city", "expires")
    by_local = LocalIndex("expires")
    by_keys = GlobalIndex("city", "data", projection=["expires"])


class Plain(Model, table="plains"):
    user: Attr[str] = partition_key()
    expires: Attr[int | None] = ttl(default=None)


class Never(Model, table="nevers"):
    user: Attr[str] = partition_key()


@pytest.fixture
def sessions(db: dw.Database) -> list[Any]:
    """Expired: 1 and 4; not: 2; without a time to live: 3."""
    db.create_tables(Session, Plain, Never)
    found = [Session(user="a", id=number, expires=at) for number, at in enumerate((PAST, FUTURE, None, PAST), 1)]
    Session.put_many(found)
    recorded(db).clear()
    return found


def numbers(found: Any) -> list[Any]:
    return sorted(getattr(one, "id", one) for one in found)


def test_it_is_stored_as_seconds_and_the_table_says_so(db: dw.Database, sessions: list[Any]) -> None:
    assert stored_item(db, sessions[0])["exp"] == {"N": str(int(PAST.timestamp()))}  # type: ignore[index]
    described = raw(db, Session, "DescribeTimeToLive")["TimeToLiveDescription"]
    assert described["AttributeName"] == "exp"
    assert described["TimeToLiveStatus"] in ("ENABLED", "ENABLING")
    assert raw(db, Never, "DescribeTimeToLive")["TimeToLiveDescription"]["TimeToLiveStatus"] == "DISABLED"
    assert Session.get_one("a", 2).expires == FUTURE


WAYS: dict[str, Callable[[Twins], Any]] = {
    "query": lambda twin: twin.items(Session.query("a")),
    "all": lambda twin: twin(Session.query("a")).all(),
    "query with range": lambda twin: twin(Session.query("a", Session.id.between(0, 9))).all(),
    "query with filter": lambda twin: twin(Session.query("a").where(Session.data == "-")).all(),
    "reversed": lambda twin: twin(Session.query("a").reverse()).all(),
    "scan": lambda twin: twin(Session.scan()).all(),
    "parallel scan": lambda twin: twin(Session.scan().parallel(3)).all(),
    "global index": lambda twin: twin(Session.by_city.query("x")).all(),
    "index by expiry": lambda twin: [
        *twin(Session.by_expiry.query("x")).all(),
        # No item without a time to live is in an index that has it as its key.
        Session(user="a", id=3),
    ],
    "local index by expiry": lambda twin: [*twin(Session.by_local.query("a")).all(), Session(user="a", id=3)],
    "scan of an index": lambda twin: [*twin(Session.by_expiry.scan()).all(), Session(user="a", id=3)],
    "find": lambda twin: twin(Session.find(Session.user == "a")).all(),
    "find by scan": lambda twin: twin(Session.find(Session.data == "-")).all(),
    "find by key": lambda twin: twin(Session.find(Session.user == "a", Session.id.in_([1, 2, 3, 4]))).all(),
    "find of all": lambda twin: twin(Session.find()).all(),
    "hydrated": lambda twin: twin(Session.by_city.query("x").hydrate()).all(),
    "get_many": lambda twin: twin(Session).get_many([("a", number) for number in (1, 2, 3, 4)]),
    "projected": lambda twin: [id_ for (id_,) in twin(Session.query("a").project(Session.id)).all()],
    "pages": lambda twin: pages(twin, Session.query("a")),
    "pages of a find": lambda twin: pages(twin, Session.find(Session.user == "a")),
    "get": lambda twin: [one for number in (1, 2, 3, 4) if (one := twin(Session).get("a", number)) is not None],
    "get by key": lambda twin: [
        one for number in (1, 2, 3, 4) if (one := twin(Session.key("a", number)).get()) is not None
    ],
}


def pages(twin: Twins, query: Any) -> list[Any]:
    found: list[Any] = []
    cursor = None
    while True:
        page = twin(query).page(size=1, after=cursor)
        found += page.items
        cursor = page.cursor
        if cursor is None:
            return found


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_expired_items_are_hidden(sessions: list[Any], twin: Twins, way: Callable[[Twins], Any]) -> None:
    assert numbers(way(twin)) == [2, 3]


def test_and_counted_as_absent(db: dw.Database, sessions: list[Any], twin: Twins) -> None:
    assert twin(Session.query("a")).count() == 2
    assert twin(Session.find(Session.user == "a")).count() == 2
    assert twin(Session.find(Session.user == "a", Session.id == 1)).exists() is False
    assert [twin(Session).exists("a", number) for number in (1, 2, 3)] == [False, True, True]
    with pytest.raises(dw.ItemNotFound):
        twin(Session).get_one("a", 1)
    with pytest.raises(dw.ItemNotFound):
        twin(sessions[0]).refresh()
    assert twin(Session).get_many([("a", 1), ("a", 2)]).missing == [("a", 1)]
    found = twin(db).transact_get(Session.key("a", 1), Session.key("a", 2))
    assert [one and one.id for one in found] == [None, 2]


def test_they_are_read_where_that_is_asked_for(sessions: list[Any], twin: Twins) -> None:
    shown = (
        Session.query("a").hide_expired(False),
        Session.scan().hide_expired(False),
        Session.by_city.query("x").hide_expired(False),
        Session.find(Session.user == "a").hide_expired(False),
        Session.by_city.query("x").hide_expired(False).hydrate(),
    )
    for query in shown:
        assert numbers(twin(query).all()) == [1, 2, 3, 4]
    wanted = Session.by_expiry.query("x", Session.expires < NOW).hide_expired(False)
    assert numbers(twin(wanted).all()) == [1, 4]


def test_hidden_by_a_query_alone(db: dw.Database, sessions: list[Any], twin: Twins) -> None:
    Plain.put_many([Plain(user="1", expires=1), Plain(user="2", expires=int(FUTURE.timestamp())), Plain(user="3")])
    assert twin(Plain.scan()).count() == 3
    assert sorted(one.user for one in twin(Plain.scan().hide_expired()).all()) == ["2", "3"]
    assert sorted(one.user for one in twin(Plain.find().hide_expired()).all()) == ["2", "3"]
    assert twin(Plain).get("1") is not None


def test_an_expired_item_is_in_no_new_ones_way(sessions: list[Any], twin: Twins) -> None:
    twin(Session(user="a", id=1, data="new", expires=FUTURE)).insert()
    assert twin(Session).get_one("a", 1).data == "new"
    for number in (1, 2, 3):
        with pytest.raises(dw.ItemExists):
            twin(Session(user="a", id=number)).insert()


def test_writes_reach_expired_items(sessions: list[Any], twin: Twins) -> None:
    twin(Session.key("a", 1)).update(expires=FUTURE)
    assert twin(Session).get_one("a", 1).expires == FUTURE
    assert twin(Session).delete_where(Session.expires < NOW).written == 1


def test_an_update_sent_as_a_transaction_gives_the_expired_item(sessions: list[Any], twin: Twins) -> None:
    """It is read back, and was updated whatever its time."""
    assert twin(Session.key("a", 1)).update(data="+", exactly_once=True).data == "+"
    assert twin(sessions[3]).update(data="+", exactly_once=True).data == "+"
    assert twin(Session).get("a", 1) is None


def test_what_is_not_a_number_never_expires(db: dw.Database, sessions: list[Any]) -> None:
    Plain(user="1", expires=1).insert()
    raw_update(db, Plain(user="1"), "SET #expires = :e", e={"NULL": True})
    assert Plain.scan().hide_expired().one().expires is None
    assert Plain.find().hide_expired().one().user == "1"


def test_a_cursor_goes_on_after_time_has_passed(
    sessions: list[Any], twin: Twins, monkeypatch: pytest.MonkeyPatch
) -> None:
    Session(user="a", id=5, expires=FUTURE + timedelta(days=1)).insert()
    for query, expected in (
        (Session.query("a"), [2, 3, 5]),
        (Session.by_expiry.query("x"), [2, 5]),
        (Session.find(Session.user == "a"), [2, 3, 5]),
    ):
        page = twin(query).page(size=1)
        monkeypatch.setattr(expiry, "time", lambda: time.time() + 3600)
        rest = twin(query).page(size=5, after=page.cursor)
        assert numbers([*page, *rest]) == expected
        monkeypatch.undo()
    with pytest.raises(dw.ExpressionError, match="another query"):
        Session.query("a").hide_expired(False).page(size=1, after=Session.query("a").page(size=1).cursor)


def test_what_is_sent(db: dw.Database, sessions: list[Any]) -> None:
    assert "FilterExpression" in Session.query("a").params()
    assert "FilterExpression" not in Session.query("a").hide_expired(False).params()
    by_expiry = Session.by_expiry.query("x").params()
    assert ">" in by_expiry["KeyConditionExpression"]
    assert "FilterExpression" not in by_expiry
    Plain.get("1")
    assert recorded(db).sent[-1].body.keys() == {"TableName", "Key"}


# ---------------------------------------------------------------------- declarations


def test_classes_of_other_libraries() -> None:
    @dataclasses.dataclass
    class Data:
        id: str
        expires: datetime | None = None

    class Row(TypedDict):
        id: str
        expires: int

    with dw.connect("memory:") as db:
        options: Any = {"partition_key": "id", "attributes": {"expires": ttl()}, "hide_expired": True}
        table = db.table(Data, name="data", **options)
        rows = db.table(Row, name="rows", **options)
        db.create_tables(table, rows)
        table.put_many([Data("1", PAST), Data("2", FUTURE), Data("3")])
        assert sorted(one.id for one in table.scan()) == ["2", "3"]
        assert (table.get("1"), table.get_one("2").expires) == (None, FUTURE)
        rows.put({"id": "1", "expires": 1})
        rows.put({"id": "2", "expires": int(FUTURE.timestamp())})
        assert (rows.get("1"), rows.scan().count()) == (None, 1)
        assert rows.exists("1") is False


def test_pydantic() -> None:
    from dynawire.pydantic import PydanticModel

    class Token(PydanticModel, table="tokens", hide_expired=True):
        id: str = partition_key()
        expires: datetime | None = ttl(default=None)

    with dw.connect("memory:") as db:
        db.create_tables(Token)
        Token(id="1", expires=PAST).insert()
        Token(id="2", expires=FUTURE).insert()
        assert [one.id for one in Token.scan()] == ["2"]
        assert Token.get("1") is None


def test_forms_of_the_attribute() -> None:
    class Forms(Model, table="forms", ttl="expires"):
        id: Attr[str] = partition_key()
        expires: Attr[Annotated[datetime, EpochSeconds]] = ttl()

    assert Forms(id="1", expires=PAST).to_item()["expires"] == {"N": str(int(PAST.timestamp()))}

    class Required(Model, table="required"):
        id: Attr[str] = partition_key()
        expires: Attr[datetime] = ttl()

    assert Required.__mapping__.options.ttl == "expires"
    assert Required(id="1", expires=PAST).to_item()["expires"] == {"N": str(int(PAST.timestamp()))}

    class Base(Model, abstract=True):
        expires: Attr[datetime | None] = ttl(default_factory=lambda: FUTURE)

    class Derived(Base, table="derived", hide_expired=True):
        id: Attr[str] = partition_key()

    assert Derived(id="1").to_item()["expires"] == {"N": str(int(FUTURE.timestamp()))}


def _declared(annotation: Any = datetime, declaration: Any = None, keywords: Any = None, **more: Any) -> Any:
    namespace = {
        "__module__": __name__,
        "__annotations__": {"id": Attr[str], "expires": Attr[annotation]},
        "id": partition_key(),
        "expires": ttl() if declaration is None else declaration,
    }
    for name, (kind, value) in more.items():
        namespace["__annotations__"][name] = kind  # type: ignore[index]
        namespace[name] = value
    return type(Model)("Made", (Model,), namespace, table="made", **(keywords or {}))


WRONG: dict[str, tuple[Callable[[], Any], str]] = {
    "text": (lambda: _declared(str), r"Made.expires: time to live .* Attr\[datetime\] = ttl\(\)"),
    "naive": (lambda: _declared(Annotated[datetime, dw.NaiveDatetime]), "time to live"),
    "two": (lambda: _declared(other=(Attr[datetime], ttl())), r"expires and other are each ttl\(\); keep one"),
    "another keyword": (
        lambda: _declared(other=(Attr[int], attr(default=1)), keywords={"ttl": "other"}),
        "names another attribute; leave the keyword out",
    ),
    "hidden without": (
        lambda: _declared(declaration=attr(), keywords={"hide_expired": True}),
        r"expires: Attr\[datetime\] = ttl\(\)",
    ),
    "not a bool": (lambda: _declared(keywords={"hide_expired": 1}), "hide_expired= is True or False"),
    "two defaults": (
        lambda: _declared(declaration=ttl(default=1, default_factory=int)),  # type: ignore[call-overload]
        "both default= and default_factory=",
    ),
}


@pytest.mark.parametrize(("make", "said"), WRONG.values(), ids=WRONG)
def test_wrong_declarations(make: Callable[[], Any], said: str) -> None:
    with pytest.raises(dw.SchemaError, match=said):
        make().__mapping__  # noqa: B018


def test_an_index_that_can_not_tell() -> None:
    with pytest.raises(dw.SchemaError, match="the index by_id does not hold expires"):

        class Blind(Model, table="blinds", hide_expired=True):
            user: Attr[str] = partition_key()
            id: Attr[str] = attr(default="")
            expires: Attr[datetime | None] = ttl(default=None)

            by_id = GlobalIndex("id", projection="KEYS_ONLY")


def test_wrong_queries(sessions: list[Any]) -> None:
    for query in (Never.scan(), Never.find()):
        with pytest.raises(dw.ExpressionError, match=r"Never has no time to live, .* = ttl\(\)"):
            query.hide_expired()
    with pytest.raises(dw.ExpressionError, match=r"says already which times .*\.hide_expired\(False\)"):
        Session.by_expiry.query("x", Session.expires < NOW).all()
