"""Classes that share a table and are told apart by a discriminator."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import dynawire as dw
from dynawire import Attr, GlobalIndex, Model, attr, discriminator, partition_key, sort_key, version
from tests.support.databases import raw


class Animal(Model, table="animals"):
    shelter: Attr[str] = partition_key()
    name: Attr[str] = sort_key()
    kind: Attr[str] = discriminator(name="k")
    age: Attr[int] = attr(default=0)

    by_name = GlobalIndex("name", projection="KEYS_ONLY")
    by_age = GlobalIndex("age")


class Dog(Animal, tag="dog"):
    barks: Attr[bool] = attr(default=True)
    v: Attr[int] = version()


class Puppy(Dog, tag="puppy"):
    toys: Attr[set[str]] = attr(default_factory=set)


class Cat(Animal):
    lives: Attr[int] = attr(default=9)

    by_lives = GlobalIndex("lives")


@pytest.fixture
def zoo(db: dw.Database) -> dw.Database:
    db.create_tables(Animal, Dog)
    Dog(shelter="A", name="Rex", age=3).insert()
    Puppy(shelter="A", name="Bit", toys={"ball"}).insert()
    Cat(shelter="A", name="Tom", lives=7).insert()
    Animal(shelter="A", name="Worm").insert()
    return db


def names(items: Any) -> list[str]:
    return sorted(f"{type(item).__name__} {item.name}" for item in items)


EVERYONE = ["Animal Worm", "Cat Tom", "Dog Rex", "Puppy Bit"]


def test_reads_of_the_base_class_give_the_right_classes(zoo: dw.Database) -> None:
    assert names(Animal.query("A")) == EVERYONE
    assert names(Animal.scan()) == EVERYONE
    assert names(Animal.find(Animal.shelter == "A")) == EVERYONE
    assert names(Animal.get_many([("A", "Rex"), ("A", "Tom")]).items) == ["Cat Tom", "Dog Rex"]
    assert names(zoo.transact_get(Animal.key("A", "Rex"), Animal.key("A", "Tom"))) == ["Cat Tom", "Dog Rex"]
    tom = Animal.get_one("A", "Tom")
    assert isinstance(tom, Cat)
    assert (tom.lives, tom.kind) == (7, "Cat")
    assert names(Animal.by_age.query(3)) == ["Dog Rex"]
    assert names(Animal.by_name.query("Bit").hydrate()) == ["Puppy Bit"]


def test_a_derived_class_sees_its_own_items_alone(zoo: dw.Database) -> None:
    assert names(Dog.query("A")) == ["Dog Rex", "Puppy Bit"]
    assert names(Dog.scan()) == ["Dog Rex", "Puppy Bit"]
    assert names(Puppy.scan(Puppy.toys.contains("ball"))) == ["Puppy Bit"]
    assert names(Dog.find(Dog.age >= 0)) == ["Dog Rex", "Puppy Bit"]
    assert Dog.query("A").count() == 2
    assert Cat.find(Cat.shelter == "A").count() == 1
    assert Dog.query("A").project(Dog.name).all() == [("Bit",), ("Rex",)]
    assert names(Dog.get_many([("A", "Rex"), ("A", "Tom")]).items) == ["Dog Rex"]
    assert Dog.get_many([("A", "Tom")]).missing == [("A", "Tom")]
    assert Dog.get("A", "Tom") is None
    assert not Dog.exists("A", "Tom")
    assert Dog.exists("A", "Bit")
    with pytest.raises(dw.ItemNotFound):
        Dog.get_one("A", "Tom")
    assert zoo.transact_get(Dog.key("A", "Rex"), Dog.key("A", "Tom"))[1] is None
    page = Dog.query("A").page(size=1)
    assert names(page.items) == ["Puppy Bit"]
    assert names(Dog.query("A").page(size=5, after=page.cursor).items) == ["Dog Rex"]
    assert names(asyncio.run(_all(Dog))) == ["Dog Rex", "Puppy Bit"]


async def _all(cls: Any) -> list[Any]:
    return [item async for item in cls.query("A")]


def test_writes_by_key_touch_no_item_of_another_class(zoo: dw.Database) -> None:
    for write in (
        lambda: Dog.key("A", "Tom").update(age=5),
        lambda: Dog.key("A", "Tom").update(age=5, upsert=True),
        lambda: Dog.key("A", "Tom").delete(),
        lambda: Dog.key("A", "Tom").delete(must_exist=True),
    ):
        with pytest.raises(dw.ItemNotFound, match="another class"):
            write()
    assert Animal.get_one("A", "Tom").age == 0
    Dog.key("A", "Bit").update(age=5)
    found = Dog.get_one("A", "Bit")
    assert isinstance(found, Puppy)
    assert found.age == 5
    Dog.key("A", "Nobody").delete()


def test_an_upsert_gives_the_item_its_class(zoo: dw.Database) -> None:
    Dog.key("N", "New").update(age=1, upsert=True)
    assert names(Animal.query("N")) == ["Dog New"]
    Animal.key("N", "New").update(age=2, upsert=True)
    assert names(Animal.query("N")) == ["Dog New"]


def test_the_base_classs_table_writes_each_instance_as_its_own_class(zoo: dw.Database) -> None:
    table = zoo.table(Animal)
    rex = table.get_one("A", "Rex")
    assert isinstance(rex, Dog)
    rex.barks = False
    assert table.save(rex)
    assert (Dog.get_one("A", "Rex").barks, rex.v) == (False, 2)
    stale = table.get_one("A", "Rex")
    table.update(rex, age=9)
    with pytest.raises(dw.VersionConflict):
        table.delete(stale)
    with pytest.raises(dw.VersionConflict):
        table.put(stale)
    table.refresh(stale)
    assert stale.age == 9
    table.put(Cat(shelter="A", name="Kit", lives=1))
    table.put_many([Cat(shelter="B", name="One"), Animal(shelter="B", name="Two")])
    assert names(Animal.scan()) == sorted([*EVERYONE, "Animal Two", "Cat Kit", "Cat One"])
    with zoo.transaction() as tx:
        tx.delete(stale)
        tx.insert(Puppy(shelter="B", name="Pip"))
    assert names(Dog.scan()) == ["Puppy Bit", "Puppy Pip"]


def test_conditions_on_attributes_of_derived_and_sibling_classes(zoo: dw.Database) -> None:
    assert names(Animal.scan(Cat.lives > 3)) == ["Cat Tom"]
    assert names(Animal.find(Cat.lives > 3)) == ["Cat Tom"]
    assert names(Cat.by_lives.query(7)) == ["Cat Tom"]
    for wrong in (lambda: Dog.scan(Cat.lives > 3).all(), lambda: Dog.find(Cat.lives > 3).all()):
        with pytest.raises(dw.ExpressionError, match=r"Cat\.lives is an attribute of Cat"):
            wrong()


def test_the_discriminator_is_nobodys_to_change(zoo: dw.Database) -> None:
    tom = Cat.get_one("A", "Tom")
    tom.kind = "dog"
    with pytest.raises(dw.ValidationError, match=r"Cat\.kind says of which class"):
        tom.save()
    with pytest.raises(dw.ExpressionError, match="leave it out"):
        Cat.key("A", "Tom").update(Cat.kind.set("dog"))


def test_an_item_without_discriminator_is_of_the_base_class(zoo: dw.Database) -> None:
    raw(zoo, Animal, "PutItem", Item={"shelter": {"S": "Z"}, "name": {"S": "Old"}, "age": {"N": "1"}})
    assert names(Animal.query("Z")) == ["Animal Old"]
    assert Dog.query("Z").all() == []


def test_a_tag_that_no_class_has(zoo: dw.Database) -> None:
    raw(zoo, Animal, "PutItem", Item={"shelter": {"S": "Z"}, "name": {"S": "Old"}, "k": {"S": "secret"}})
    with pytest.raises(dw.DecodeError, match=r"Animal\.kind .* none of the classes") as caught:
        Animal.get("Z", "Old")
    assert "secret" not in str(caught.value)
    assert caught.value.key == {"shelter": {"S": "Z"}, "name": {"S": "Old"}}
    assert Cat.get("Z", "Old") is None


def test_an_item_that_does_not_fit_its_class(zoo: dw.Database) -> None:
    raw(
        zoo,
        Animal,
        "PutItem",
        Item={"shelter": {"S": "Z"}, "name": {"S": "Old"}, "k": {"S": "dog"}, "barks": {"S": "x"}},
    )
    with pytest.raises(dw.DecodeError, match=r"Dog\.barks: expected"):
        Animal.query("Z").all()


def test_an_index_that_does_not_hold_the_discriminator(zoo: dw.Database) -> None:
    with pytest.raises(dw.ExpressionError, match="does not hold kind"):
        Dog.by_name.query("Rex").count()
    assert Animal.by_name.query("Rex").count() == 1


def test_update_where_and_delete_where(zoo: dw.Database) -> None:
    Animal.update_where(Animal.shelter == "A", Animal.age.add(1))
    assert {item.age for item in Animal.scan()} == {1, 4}
    Cat.delete_where(Cat.shelter == "A")
    assert names(Animal.scan()) == ["Animal Worm", "Dog Rex", "Puppy Bit"]


def test_from_item(zoo: dw.Database) -> None:
    item = Cat(shelter="A", name="Tom").to_item()
    assert type(Animal.from_item(item)) is Cat
    with pytest.raises(dw.DecodeError, match="another class"):
        Dog.from_item(item)


def test_two_classes_with_one_tag() -> None:
    with pytest.raises(dw.SchemaError, match="'dog' is that of Dog already"):

        class Hound(Animal, tag="dog"):
            pass


def test_a_tag_without_discriminator() -> None:
    with pytest.raises(dw.SchemaError, match="tag="):

        class Plain(Model, table="plain", tag="x"):
            id: Attr[str] = partition_key()


def test_two_discriminators() -> None:
    with pytest.raises(dw.SchemaError, match="kind is the discriminator already"):

        class Double(Model, table="plain"):
            id: Attr[str] = partition_key()
            kind: Attr[str] = discriminator()
            other: Attr[str] = discriminator()


def test_a_discriminator_that_is_no_text() -> None:
    with pytest.raises(dw.SchemaError, match=r"Number\.kind"):

        class Number(Model, table="plain"):
            id: Attr[str] = partition_key()
            kind: Attr[int] = discriminator()


def test_a_discriminator_without_table() -> None:
    with pytest.raises(dw.SchemaError, match="table"):

        class Nested(Model):
            kind: Attr[str] = discriminator()


def test_a_derived_class_with_a_table_of_its_own_is_a_family_of_its_own(zoo: dw.Database) -> None:
    class Wild(Animal, table="wild"):
        pass

    class Wolf(Wild):
        pass

    zoo.create_tables(Wild)
    Wolf(shelter="A", name="Grey").insert()
    assert names(Wild.scan()) == ["Wolf Grey"]
    assert Animal.scan().count() == 4
