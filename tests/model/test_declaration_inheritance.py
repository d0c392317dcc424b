"""Inheritance: abstract mixins, overriding, table options and indexes, and what a class may hold besides attributes."""

from __future__ import annotations

import gc
import pydoc
import typing as t
import weakref
from typing import Annotated, Any, ClassVar

import msgspec
import pytest

import dynawire as dw
from dynawire import Attr, GlobalIndex, LocalIndex, Model, SchemaError, attr, partition_key, sort_key
from dynawire.operations.mapped import mapped


class Created(Model, abstract=True):
    created: Attr[int] = attr(default=1)
    tags: Attr[list[str]] = attr(default_factory=list)

    by_created = GlobalIndex("created")

    def age(self, now: int) -> int:
        return now - self.created


class Owned(Model, abstract=True, billing="PROVISIONED", read_units=5, write_units=6):
    owner: Attr[str] = attr(default="nobody")


class Renamed(Created, abstract=True):
    created: Attr[int] = attr(default=2, name="c")


class Plain(Created, abstract=True):
    """Between the same two, without anything of its own."""


class Note(Renamed, Owned, table="notes", stream="NEW_IMAGE"):
    id: Attr[str] = partition_key()
    at: Attr[int] = sort_key(default=0)
    local: Attr[str | None] = attr(default=None)
    kind: ClassVar[str] = "note"

    by_local = LocalIndex("local")

    @property
    def title(self) -> str:
        return f"{self.id}!"

    @staticmethod
    def twice(value: int) -> int:
        return 2 * value

    @classmethod
    def blank(cls) -> Note:
        return cls(id="blank")

    def age(self, now: int) -> int:
        return super().age(now) + 100


def test_mixins_bring_attributes_methods_options_and_indexes() -> None:
    assert list(mapped(Note).paths) == ["owner", "created", "tags", "id", "at", "local"]
    note = Note(id="x", owner="me")
    assert (note.created, note.tags, note.owner, note.age(5)) == (2, [], "me", 103)
    assert (note.title, Note.twice(2), Note.blank().id, Note.kind) == ("x!", 4, "blank", "note")
    options = Note.__mapping__.options
    assert (options.billing, options.read_units, options.write_units) == ("PROVISIONED", 5, 6)
    assert options.stream == "NEW_IMAGE"
    assert set(Note.__mapping__.indexes) == {"by_created", "by_local"}
    assert Note.__mapping__.attributes["created"].stored_name == "c"
    assert isinstance(note, Created)


def test_single_inheritance_from_a_class_with_a_table() -> None:
    class Longer(Note, table="longer", stream="KEYS_ONLY"):
        text: Attr[str] = attr(default="")
        local: Attr[str | None] = attr(default=None, name="l")

    assert Longer.__mapping__.table == "longer"
    assert Longer.__mapping__.options.stream == "KEYS_ONLY"
    assert Longer.__mapping__.attributes["local"].stored_name == "l"
    assert Note.__mapping__.attributes["local"].stored_name == "local"
    assert Longer.id is not Note.id
    assert Longer.id._owner is Longer
    longer = Longer(id="x", text="y", tags=["z"])
    assert Longer.from_item(longer.to_item()) == longer
    assert longer.age(5) == 103


def test_of_a_diamond_the_nearest_declaration_wins() -> None:
    class Left(Renamed, Plain, table="left"):
        id: Attr[str] = partition_key()

    class Right(Plain, Renamed, table="right"):
        id: Attr[str] = partition_key()

    for cls in (Left, Right):
        assert cls(id="x").created == 2
        assert cls.__mapping__.attributes["created"].stored_name == "c"


def test_overriding_changes_type_and_role() -> None:
    class Number(Note, table="numbers"):
        id: Attr[int] = partition_key()

    assert Number(id=3).to_item()["id"] == {"N": "3"}
    with pytest.raises(SchemaError, match="no partition key"):

        class Keyless(Note, table="keyless"):
            id: Attr[str]


def test_own_billing_drops_inherited_units() -> None:
    class OnDemand(Owned, table="on-demand", billing="PAY_PER_REQUEST"):
        id: Attr[str] = partition_key()

    assert OnDemand.__mapping__.options.read_units is None


def test_an_inherited_index_can_be_dropped() -> None:
    class Few(Note, table="few"):
        by_created = None

    assert set(Few.__mapping__.indexes) == {"by_local"}


def test_local_indexes_of_one_mixin_belong_to_each_class() -> None:
    class Mixin(Model, abstract=True):
        rank: Attr[int]
        by_rank = LocalIndex("rank")

    class One(Mixin, table="one"):
        a: Attr[str] = partition_key()
        b: Attr[str] = sort_key()

    class Two(Mixin, table="two"):
        c: Attr[str] = partition_key()
        d: Attr[str] = sort_key()

    assert One.__mapping__.indexes["by_rank"].partition_key == ("a",)
    assert Two.__mapping__.indexes["by_rank"].partition_key == ("c",)
    assert One.by_rank.definition is One.__mapping__.indexes["by_rank"]


def test_abstract_classes_have_no_instances_and_no_paths() -> None:
    for cls in (Created, Owned, Renamed):
        with pytest.raises(SchemaError, match=f"{cls.__name__} is abstract"):
            cls()
        assert not hasattr(cls, "created" if cls is not Owned else "owner")
    with pytest.raises(SchemaError, match="is abstract"):
        Created(created=3)
    with pytest.raises(SchemaError):
        mapped(Created)
    assert type(Note) is type(Model)


def test_attributes_of_a_class_cannot_be_replaced() -> None:
    for change in (lambda: setattr(Note, "id", 3), lambda: delattr(Note, "id"), lambda: setattr(Created, "created", 3)):
        with pytest.raises(AttributeError, match="attribute of the mapped class"):
            change()
    Note.kind = "other"
    Note.kind = "note"


def test_defaults_are_never_shared() -> None:
    one, two = Note(id="x"), Note(id="y")
    assert one.tags is not two.tags
    read = [Note.from_item({"id": {"S": "x"}, "at": {"N": "1"}}) for _ in range(2)]
    assert read[0].tags is not read[1].tags
    read[0].tags.append("a")
    assert Note(id="z").tags == [] == read[1].tags


def test_class_variables_as_text() -> None:
    class Counted(Model, table="counted"):
        id: Attr[str] = partition_key()
        one: t.ClassVar[int] = 1
        two: ClassVar = 2
        three: dw.Attr[int] = dw.attr(default=3)

    assert list(mapped(Counted).paths) == ["id", "three"]
    assert (Counted.one, Counted.two, Counted(id="x").three) == (1, 2, 3)


def test_post_init_runs_on_making_and_on_reading() -> None:
    class Trimmed(Model, table="trimmed"):
        id: Attr[str] = partition_key()

        def __post_init__(self) -> None:
            self.id = self.id.strip()

    assert Trimmed(id=" x ").id == "x"
    assert Trimmed.from_item({"id": {"S": " y "}}).id == "y"


def test_a_failing_post_init_is_said_without_values() -> None:
    class Strict(Model, table="strict"):
        id: Attr[str] = partition_key()

        def __post_init__(self) -> None:
            raise ValueError(f"secret {self.id}")

    with pytest.raises(dw.DecodeError, match=r"Strict: .*its constructor raised ValueError at .*\.py:\d+") as caught:
        Strict.from_item({"id": {"S": "value"}})
    assert "value" not in str(caught.value).lower().replace("valueerror", "")


def test_struct_features_work() -> None:
    note = Note(id="x", tags=["a"])
    assert weakref.ref(note)() is note
    assert msgspec.json.decode(msgspec.json.encode(note), type=Note) == note
    assert msgspec.structs.replace(note, id="y").id == "y"
    assert note == Note(id="x", tags=["a"])
    assert note != Note(id="y")
    assert note != Owned
    with pytest.raises(TypeError):
        hash(note)
    with pytest.raises(AttributeError):
        note.unknown = 1
    with pytest.raises(TypeError):
        Note("x")
    assert t.get_type_hints(Note)["tags"] == list[str]


def test_key_types_must_agree() -> None:
    class Keyed(Model[str, int], table="keyed"):
        a: Attr[str] = partition_key()
        b: Attr[int] = sort_key()

    class Short(Model["str", None], table="short"):
        a: Attr[Annotated[str, "a note"]] = partition_key()

    class Loose(Model[Any, Any], table="loose"):
        a: Attr[str] = partition_key()

    assert Keyed.__bases__ == Short.__bases__ == Loose.__bases__ == (Model,)

    with pytest.raises(
        SchemaError, match=r"Wrong: Model\[int, int\] says that its partition_key is int, .* a is Attr\[str\]"
    ):

        class Wrong(Model[int, int], table="wrong"):
            a: Attr[str] = partition_key()
            b: Attr[int] = sort_key()

    with pytest.raises(SchemaError, match=r"it has no sort_key; write Model\[str, None\]"):

        class Missing(Model[str, str], table="missing"):
            a: Attr[str] = partition_key()

    with pytest.raises(SchemaError, match=r"Note\[\.\.\.\]: only Model takes"):
        Note[str]
    with pytest.raises(SchemaError, match="takes the type of the partition key"):
        Model[str, str, str]


def test_key_types_of_an_abstract_class_count_below_it() -> None:
    class Base(Model[str, int], abstract=True):
        a: Attr[str] = partition_key()

    with pytest.raises(SchemaError, match="sort_key is int"):

        class Below(Base, table="below"):
            b: Attr[str] = sort_key()


def test_init_subclass_of_the_users_own() -> None:
    seen: list[str] = []

    class Registered(Model, abstract=True):
        def __init_subclass__(cls) -> None:
            super().__init_subclass__()
            seen.append(cls.__name__)

    class One(Registered, table="one"):
        id: Attr[str] = partition_key()

    assert seen == ["One"]


def test_a_struct_with_fields_cannot_be_mixed_in() -> None:
    class Fields(msgspec.Struct):
        x: int

    with pytest.raises(SchemaError, match="Model and Fields each hold attributes"):

        class Mixed(Model, Fields, table="mixed"):
            id: Attr[str] = partition_key()


def test_a_class_of_any_name_and_size() -> None:
    names = [f"a{number}" for number in range(300)]
    body = {"__module__": __name__, "__annotations__": {"id": Attr[str], **dict.fromkeys(names, Attr[int])}}
    cls = type(Model)("Any name-1", (Model,), {**body, "id": partition_key()}, table="anything")
    instance = cls(id="x", **dict.fromkeys(names, 1))
    assert cls.from_item(instance.to_item()) == instance


def test_help_needs_no_database() -> None:
    assert "by_created" in pydoc.render_doc(Note)


def test_classes_are_freed() -> None:
    def make() -> weakref.ref[type[Any]]:
        class Inner(msgspec.Struct):
            a: int
            more: list[Inner]

        class Temporary(Model, table="temporary"):
            id: Attr[str] = partition_key()
            inner: Attr[Inner]
            maybe: Attr[Inner | None] = attr(default=None)

        assert Temporary(id="x", inner=Inner(1, [])).to_item()
        return weakref.ref(Temporary)

    reference = make()
    gc.collect()
    assert reference() is None
