"""Relations of classes that share a table and are told apart by a discriminator."""

from __future__ import annotations

import pytest

import dynawire as dw
from dynawire import (
    Attr,
    GlobalIndex,
    Model,
    ToMany,
    ToOne,
    attr,
    discriminator,
    many_to_one,
    one_to_many,
    partition_key,
    sort_key,
)


class Shelter(Model, table="r-shelters"):
    name: Attr[str] = partition_key()

    animals: ToMany[Animal] = one_to_many(back="shelter", cascade=("save", "delete"))
    dogs: ToMany[Dog] = one_to_many()


class Animal(Model, table="r-animals"):
    shelter_name: Attr[str] = partition_key()
    name: Attr[str] = sort_key()
    kind: Attr[str] = discriminator()
    friend_name: Attr[str | None] = attr(default=None)

    shelter: ToOne[Shelter] = many_to_one("shelter_name", back="animals")
    friend: ToOne[Animal] = many_to_one("shelter_name", "friend_name")


class Dog(Animal, tag="dog"):
    cat_name: Attr[str | None] = attr(default=None)

    cat: ToOne[Cat] = many_to_one("shelter_name", "cat_name")
    admirers: ToMany[Dog] = one_to_many("name", index="by_friend")
    by_friend = GlobalIndex("friend_name", "name")


class Cat(Animal):
    lives: Attr[int] = attr(default=9)


def test_each_item_is_of_its_class() -> None:
    with dw.connect("memory:") as db, db.use():
        db.create_tables(Shelter, Animal)
        shelter = Shelter(name="A")
        rex = Dog(shelter_name="", name="Rex", cat_name="Tom", friend_name="Ace")
        shelter.animals.append(rex, Dog(shelter_name="", name="Ace", cat_name="Rex"), Cat(shelter_name="", name="Tom"))
        shelter.save()
        shelter = Shelter.get_one("A")
        assert [type(one) for one in shelter.animals] == [Dog, Dog, Cat]
        assert [one.name for one in shelter.dogs] == ["Ace", "Rex"]
        assert shelter.animals.value[2].shelter.value is shelter
        animals = Animal.query("A").with_(Animal.shelter, Animal.friend).all()
        assert [type(one.friend.value_or_none) for one in animals] == [type(None), Dog, type(None)]
        ace, rex = Dog.query("A").with_(Dog.cat, Dog.friend).all()
        assert isinstance(rex.cat.value, Cat)
        assert ace.cat.value_or_none is None  # what has the key of a cat is a dog
        assert [one.name for one in ace.admirers] == ["Rex"]
        rex.friend = rex.cat.value
        assert rex.friend_name == "Tom"
        with pytest.raises(dw.RelationError, match=r"Dog\.cat leads to Cat, not Dog"):
            rex.cat = ace  # type: ignore[assignment]
        with pytest.raises(dw.ExpressionError, match=r"is of Dog, and the items are of Animal"):
            Animal.query("A").with_(Dog.cat)
        shelter.delete()
        assert (Shelter.scan().count(), Animal.scan().count()) == (0, 0)
