"""Mutators: what is given to the constructor, assigned, or set by an update passes them; what is read does not."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

import dynawire as dw
from dynawire import Attr, Model, attr, hooks, partition_key
from tests.support.databases import Twins, raw, stored_item


@pytest.fixture
def url() -> str:
    return "memory:"


def hashed(text: str) -> str:
    """Not the same when done twice."""
    return f"#{text}"


class Address(Model):
    city: Attr[str] = attr(mutator=str.title)


class User(Model, table="users"):
    email: Attr[str] = partition_key(mutator=str.lower)
    name: Attr[str] = attr(default="  default  ", mutator=str.strip)
    nick: Attr[str | None] = attr(default=None, mutator=str.strip)
    password: Attr[str] = attr(default="", mutator=hashed)
    logins: Attr[int] = attr(default=0)
    address: Attr[Address | None] = attr(default=None)
    tags: Attr[list[str]] = attr(default_factory=list, mutator=sorted)


class Admin(User, table="admins"):
    rights: Attr[str] = attr(default="", mutator=str.upper)


class Loose(User, table="loose"):
    name: Attr[str] = attr(default="")


@pytest.fixture(autouse=True)
def tables(db: dw.Database) -> None:
    db.create_tables(User, Admin, Loose)


def test_on_construction_and_assignment() -> None:
    user = User(email="Ann@X.org", name=" Ann ", password="a", tags=["b", "a"])
    assert (user.email, user.name, user.password, user.tags) == ("ann@x.org", "Ann", "#a", ["a", "b"])
    user.name = " Bob "
    user.nick = " B "
    user.logins = 3
    assert (user.name, user.nick, user.logins) == ("Bob", "B", 3)
    user.nick = None
    assert user.nick is None
    # What is declared is taken as it is.
    assert User(email="a").name == "  default  "
    assert Address(city="paris").city == "Paris"


def test_what_is_read_is_not_mutated(db: dw.Database, twin: Twins) -> None:
    item = {
        "email": {"S": "a"},
        "name": {"S": " stored "},
        "password": {"S": "x"},
        "address": {"M": {"city": {"S": "ROME"}}},
        "tags": {"L": [{"S": "b"}, {"S": "a"}]},
    }
    raw(db, User, "PutItem", Item=item)
    reads: tuple[Callable[[], Any], ...] = (
        lambda: twin(User).get("a"),
        lambda: twin(User.scan()).one(),
        lambda: twin(User.query("a")).first(),
        lambda: twin(User).get_many(["a"]).items[0],
        lambda: twin(User.find(User.email == "a")).one(),
        lambda: User.from_item(item),
    )
    for read in reads:
        user = read()
        assert (user.name, user.password, user.address.city, user.tags) == (" stored ", "x", "ROME", ["b", "a"])
        assert twin(user).save() is False
    user = User(email="a", password="other")
    twin(user).refresh()
    assert (user.name, user.password) == (" stored ", "x")
    user.logins = 1
    twin(user).save()
    twin(user).put()
    assert stored_item(db, user) == item | {"logins": {"N": "1"}}


def test_updates_set_what_is_mutated(db: dw.Database, twin: Twins) -> None:
    user = User(email="A", password="a")
    twin(user).insert()
    assert user.password == "#a"
    twin(user).update(User.password.set("b"), name=" n ", nick=" x ")
    assert (user.password, user.name, user.nick) == ("#b", "n", "x")
    assert stored_item(db, user)["password"] == {"S": "#b"}  # type: ignore[index]
    found = twin(User.key("a")).update(name=" m ", nick=None)
    assert (found.name, found.nick) == ("m", None)
    twin(User.key("a")).update(User.nick.set_if_not_exists(" y "))
    assert twin(User).get_one("a").nick == "y"
    twin(User.key("a")).update(User.nick.set(User.name))
    assert twin(User).get_one("a").nick == "m"
    twin(user).update(password="c", exactly_once=True)
    assert user.password == "#c"
    twin.within(db.transaction(), lambda tx: tx.update(user, password="d"))
    assert user.password == "#d"
    twin(user).refresh()
    assert user.password == "#d"
    assert twin(User).update_where(User.email == "a", password="e").written == 1
    assert twin(User).get_one("a").password == "#e"


def test_what_is_looked_for_is_taken_as_it_is(twin: Twins) -> None:
    twin(User(email="A", name="n")).put()
    assert twin(User).get("A") is None
    assert twin(User).get("a") is not None
    assert twin(User.scan(User.name == " n ")).count() == 0


def test_copies_keep_their_values() -> None:
    user = User(email="A", password="a", address=Address(city="x"))
    for copied in (copy.copy(user), copy.deepcopy(user), pickle.loads(pickle.dumps(user))):
        assert copied.to_dict() | {"address": None} == user.to_dict() | {"address": None}
        copied.password = "b"
        assert copied.password == "#b"
        assert copied.address.city == "X"


def test_derived_classes(twin: Twins) -> None:
    admin = Admin(email="A", name=" a ", rights="x")
    assert (admin.email, admin.name, admin.rights) == ("a", "a", "X")
    admin.rights = "y"
    admin.name = " b "
    twin(admin).put()
    assert twin(Admin).get_one("a").to_dict() == admin.to_dict()
    loose = Loose(email="A", name=" a ")
    assert (loose.email, loose.name) == ("a", " a ")
    loose.name = " b "
    assert loose.name == " b "

    class Base(Model, abstract=True):
        name: Attr[str] = attr(mutator=str.strip)

    class Derived(Base, table="derived"):
        id: Attr[str] = partition_key()

    assert Derived(id="1", name=" x ").name == "x"


def test_before_validation_and_hooks(twin: Twins) -> None:
    class Checked(Model, table="checked"):
        id: Attr[str] = partition_key()
        text: Attr[str] = attr(mutator=str.strip, max_length=3)

        @hooks.before_save
        def grow(self) -> None:
            self.text = f" {self.text}! "

    checked = Checked(id="1", text="  ab  ")
    checked.validate()
    dw.database.table_of(Checked).create()
    twin(checked).put()
    assert twin(Checked).get_one("1").text == "ab!"


def test_classes_without_are_as_they_were() -> None:
    class Plain(Model, table="plain"):
        id: Attr[str] = partition_key()

    assert type(Plain) is type(Model)
    assert Plain.__setattr__ is Model.__setattr__
    assert type(User) is not type(Model)


# ---------------------------------------------------------------------- misuse


def test_what_a_mutator_raises() -> None:
    user = User(email="a")
    calls: tuple[Callable[[], Any], ...] = (
        lambda: User(email="a", name=3),  # type: ignore[arg-type]
        lambda: setattr(user, "name", 3),
        lambda: User.name.set(3),  # type: ignore[arg-type]
        lambda: User.key("a").params.update(name=3),
    )
    for call in calls:
        with pytest.raises(
            dw.ValidationError, match=r"User\.name: its mutator strip takes no such int \(TypeError\)"
        ) as caught:
            call()
        assert (caught.value.attribute, caught.value.__context__) == ("name", None)
    assert user.name == "  default  "

    def refuse(value: str) -> str:
        raise dw.ValidationError("not that one")

    class Strict(Model, table="strict"):
        id: Attr[str] = partition_key(mutator=refuse)

    with pytest.raises(dw.ValidationError, match=r"^not that one$"):
        Strict(id="x")


def test_wrong_declarations() -> None:
    with pytest.raises(dw.SchemaError, match=r"Wrong: name has a mutator= that can't be called; .* such as str\.strip"):

        class Wrong(Model, table="wrong"):
            id: Attr[str] = partition_key()
            name: Attr[str] = attr(mutator="strip")  # type: ignore[arg-type]

    async def stripped(text: str) -> str:
        return text.strip()

    with pytest.raises(dw.SchemaError, match=r"Waiting: name has a mutator= that is async, .*; wait in a hook"):

        class Waiting(Model, table="waiting"):
            id: Attr[str] = partition_key()
            name: Attr[str] = attr(mutator=stripped)

    with pytest.raises(dw.SchemaError, match="needs a __setattr__ of its own"):

        class Own(Model, table="own"):
            id: Attr[str] = partition_key(mutator=str.strip)

            def __setattr__(self, name: str, value: Any) -> None: ...


def test_other_libraries_have_their_own() -> None:
    from dynawire.pydantic import PydanticModel

    @dataclass
    class Data:
        id: str

    class Page(PydanticModel, table="pages"):
        id: str = partition_key(mutator=str.strip)

    with dw.connect("memory:") as db:
        with pytest.raises(
            dw.SchemaError, match=r"Data: id has a mutator=, .* not ours nothing is added; .*before_save"
        ):
            db.table(Data, name="data", partition_key="id", attributes={"id": attr(mutator=str.strip)})
        with pytest.raises(
            dw.SchemaError, match=r"Page: id has a mutator=, and pydantic has its own: .*BeforeValidator"
        ):
            db.table(Page)


def test_schemas_have_their_own() -> None:
    fields = pytest.importorskip("marshmallow.fields")
    from dynawire.marshmallow import MarshmallowModel

    with pytest.raises(dw.SchemaError, match=r"isbn has a mutator=, .* for the schema to say"):

        class Book(MarshmallowModel, table="books"):
            class Schema:
                isbn = fields.Str(required=True)

            isbn = partition_key(mutator=str.strip)
