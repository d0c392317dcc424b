"""What can be wrong with the declaration of a relation, and what is said of it, when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest

import dynawire as dw
from dynawire import (
    Attr,
    GlobalIndex,
    ManyToMany,
    Model,
    SchemaError,
    ToMany,
    ToOne,
    attr,
    many_to_many,
    many_to_one,
    one_to_many,
    one_to_one,
    partition_key,
    sort_key,
)
from dynawire.mapping.relations import RelationDeclaration
from tests.relations.library import Author


class City(Model, table="d-cities"):
    country: Attr[str] = partition_key()
    name: Attr[str] = sort_key()
    size: Attr[int] = attr(default=0)

    streets: ToMany[Street] = one_to_many("country", "name", index="by_city", back="city")
    by_size = GlobalIndex("size", "name")


class Street(Model, table="d-streets"):
    id: Attr[str] = partition_key()
    country: Attr[str]
    city_name: Attr[str]

    city: ToOne[City] = many_to_one("country", "city_name", back="streets")
    by_city = GlobalIndex(["country", "city_name"])


class Nested(Model):
    x: Attr[int]


@dataclass
class Plain:
    id: str


def test_names_may_come_later() -> None:
    """In annotations, as text, and in functions; of classes of this module and of a function."""

    class First(Model, table="firsts"):
        id: Attr[str] = partition_key()
        annotated: ToOne[Second] = many_to_one("id")
        text: ToOne[Any] = many_to_one("id", to="Second")
        function: ToOne[Second] = many_to_one("id", to=lambda: Second)
        dotted: ToOne[Author] = many_to_one("id", to="tests.relations.library.Author")
        constant: ClassVar[ToOne[Second]] = many_to_one("id")
        itself: ToOne[First] = many_to_one("id")
        bare = many_to_one("id", to=City.__class__ and Author)

    class Second(Model, table="seconds"):
        id: Attr[str] = partition_key()

    for name in ("annotated", "text", "function", "constant"):
        assert getattr(First, name).resolved.target is Second
    assert First.dotted.resolved.target is Author
    assert First.bare.resolved.target is Author
    assert First.itself.resolved.target is First
    assert list(First(id="1").to_item()) == ["id"]


def test_pairs() -> None:
    assert City.streets.resolved.pairs == (("country", "country"), ("name", "city_name"))
    assert Street.city.resolved.pairs == (("country", "country"), ("city_name", "name"))
    assert Street.city.resolved.back is City.streets.resolved
    assert Street(id="1", country="UK", city_name="York").city.is_loaded is False


def test_derived_classes_have_them() -> None:
    class Located(Model, abstract=True):
        country: Attr[str]
        city_name: Attr[str]
        city: ToOne[City] = many_to_one("country", "city_name")

    class Square(Located, table="squares"):
        id: Attr[str] = partition_key()

    class Lane(Street, table="lanes"):
        width: Attr[int] = attr(default=1)

    class Alley(Street, table="alleys"):
        city: ToOne[City] = many_to_one(by={"country": "city_name", "name": "country"})

    assert Square.city.resolved.owner is Square
    with dw.connect("memory:") as db, db.use():
        db.create_tables(City, Square, Lane, Street)
        City(country="UK", name="York").put()
        Square(id="1", country="UK", city_name="York").put()
        Lane(id="1", country="UK", city_name="York").put()
        assert Square.get_one("1").city.get_one().name == "York"
        (lane,) = Lane.scan().with_(Lane.city).all()
        assert lane.city.value.country == "UK"
        assert Lane.scan().with_(Street.city).all()[0].city.value.country == "UK"
    assert Alley.city.resolved.pairs == (("city_name", "country"), ("country", "name"))


# ---------------------------------------------------------------------- told when the class is made


def wrong(**body: Any) -> Any:
    annotations = body.pop("annotations", {})
    keywords = body.pop("keywords", {"table": "wrong"})
    namespace = {"__module__": __name__, "__annotations__": {"id": "Attr[str]", **annotations}, "id": partition_key()}
    return type(Model)("Wrong", (Model,), namespace | body, **keywords)


def no_table() -> Any:
    class Wrong(Model):
        x: Attr[int]
        city: ToOne[City] = many_to_one("x")

    return Wrong


def as_attribute() -> Any:
    class Wrong(Model, table="wrong"):
        id: Attr[str] = partition_key()
        city: Attr[City] = many_to_one("id")

    return Wrong


def undeclared() -> Any:
    class Wrong(Model, table="wrong"):
        id: Attr[str] = partition_key()
        city: ToOne[City]

    return Wrong


def to_one_as_many() -> Any:
    class Wrong(Model, table="wrong"):
        id: Attr[str] = partition_key()
        cities: ToMany[City] = many_to_one("id")

    return Wrong


def to_many_as_one() -> Any:
    class Wrong(Model, table="wrong"):
        id: Attr[str] = partition_key()
        city: dw.ToOne[City] = one_to_many("id")

    return Wrong


def links_as_many() -> Any:
    class Wrong(Model, table="wrong"):
        id: Attr[str] = partition_key()
        cities: ClassVar[ToMany[City]] = many_to_many(lambda: Link, own="one", other="two")

    return Wrong


def many_as_links() -> Any:
    class Wrong(Model, table="wrong"):
        id: Attr[str] = partition_key()
        cities: ManyToMany[City] = one_to_many("id")

    return Wrong


def for_checkers_only() -> Any:
    return wrong(annotations={"cities": "typing_only.ToMany[City]"}, cities=one_to_one("id"))


def without_relation() -> Any:
    class Wrong(Model, table="wrong"):
        id: Attr[str] = partition_key()
        city: City = many_to_one("id")

    return Wrong


def in_a_union() -> Any:
    class Wrong(Model, table="wrong"):
        id: Attr[str] = partition_key()
        city: ToOne[City] | None = many_to_one("id")

    return Wrong


def in_an_object() -> Any:
    return wrong(annotations={"city": list[City]}, city=many_to_one("id"))


def not_yet_resolved() -> Any:
    class Wrong(Model, table="wrong"):
        id: Attr[str] = partition_key()
        later: Attr[Later]  # type: ignore[name-defined]  # noqa: F821
        city: ToOne[City] = many_to_one("idd")

    return Wrong


def inherited() -> Any:
    class Leading(Model, abstract=True):
        city: ToOne[City] = many_to_one("country", "name")

    class Wrong(Leading, table="wrong"):
        country: Attr[str] = partition_key()

    return Wrong


def generic_key() -> Any:
    class Wrong(Model, table=dw.SingleTable("wrong-relations"), pk="W#{id}", sk="W"):
        id: Attr[str]
        city: ToOne[City] = many_to_one("pk", "id")

    return Wrong


def over_an_attribute() -> Any:
    class Wrong(Street, table="wrong"):
        country = many_to_one("id", to=City)  # type: ignore[assignment]

    return Wrong


MADE_WRONG: list[tuple[Callable[[], Any], str]] = [
    (no_table, r"Wrong: city is a relation, but the class has no table; write table="),
    (as_attribute, r"Wrong: city is a relation, which is not stored; write city: ToOne\[\.\.\.\]"),
    (undeclared, r"Wrong: city is a relation without declaration; write city: ToOne\[City\] = many_to_one"),
    (
        to_one_as_many,
        (
            r"Wrong: the relation cities is annotated ToMany\[\.\.\.\], but many_to_one\(\) leads to one other; write "
            r"cities: ToOne\[\.\.\.\] = many_to_one\(\.\.\.\), or declare it with one_to_many\(\.\.\.\)"
        ),
    ),
    (
        to_many_as_one,
        (
            r"city is annotated ToOne.*one_to_many\(\) leads to several others; write city: ToMany\[.*declare it with "
            r"many_to_one\(\.\.\.\) or one_to_one\(\.\.\.\)"
        ),
    ),
    (links_as_many, r"cities is annotated ToMany.*many_to_many\(\) links several to several; write cities: ManyToMany"),
    (many_as_links, r"cities is annotated ManyToMany.*write cities: ToMany.*or declare it with many_to_many"),
    (for_checkers_only, r"cities is annotated ToMany.*one_to_one\(\) leads to one other; write cities: ToOne"),
    (without_relation, r"city is annotated as something else, but many_to_one\(\) leads to one.*write city: ToOne\["),
    (in_a_union, r"city is annotated as something else.*write city: ToOne\["),
    (in_an_object, r"city is annotated as something else.*write city: ToOne\["),
    (lambda: wrong(city=many_to_one("nope", to=City)), r"Wrong.city names the attribute 'nope', which Wrong does not "),
    (
        lambda: wrong(city=one_to_one("idd", to=City)),
        r"the attribute 'idd', which Wrong does not have; did you mean 'id'\?",
    ),
    (lambda: wrong(city=many_to_one(by={"name": "x"}, to=City)), r"'x', which Wrong does not have; its attributes: id"),
    (lambda: wrong(city=many_to_one(by={"name": 7}, to=City)), r"names the attribute of type int, which"),  # type: ignore[dict-item]
    (not_yet_resolved, r"Wrong.city names the attribute 'idd', which Wrong does not have; did you mean 'id'"),
    (inherited, r"Wrong.city names the attribute 'name', which Wrong does not have; its attributes: country"),
    (generic_key, r"Wrong.city names the attribute 'pk', which Wrong does not have; its attributes: id"),
    (over_an_attribute, r"Wrong: country is an attribute of a base class"),
    (lambda: wrong(query=many_to_one("id", to=City)), r"the relation query has the name of a method"),
    (lambda: wrong(_city=many_to_one("id", to=City)), r"the relation _city begins with '_'"),
    (lambda: wrong(city=many_to_one()), r"does not say which attribute holds the key of the other item"),
    (lambda: wrong(city=many_to_one(City)), r"takes names of attributes, as text, not City"),  # type: ignore[call-overload]
    (lambda: wrong(city=many_to_one("id", by={"name": "id"})), r"has by=.*leave the other names out"),
    (lambda: wrong(city=many_to_one(by={})), r"has by=.*it names none"),
    (lambda: wrong(city=many_to_one("id", cascade="all")), r'has a cascade= other than "save"'),  # type: ignore[call-overload]
    (lambda: wrong(city=many_to_one("id", cascade=1)), r'has a cascade= other than "save"'),  # type: ignore[call-overload]
    (
        lambda: wrong(cities=one_to_many("id", query=lambda one: City.query("UK"))),
        r"has query=, which says all; leave attributes, by=, index= and back= out",
    ),
    (lambda: wrong(city=one_to_one(index="by_x", auto_create=True)), r"has auto_create=, which needs the other's key"),
]


@pytest.mark.parametrize(("make", "message"), MADE_WRONG)
def test_told_when_made(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(SchemaError, match=message) as caught:
        make()
    assert caught.value.model == "Wrong"


# ---------------------------------------------------------------------- told when used


class Wrongs(Model, table="wrongs"):
    id: Attr[str] = partition_key()
    other: Attr[str] = attr(default="")

    unknown: ToOne[Nowhere] = many_to_one("id")  # type: ignore[name-defined]  # noqa: F821
    misspelt: ToOne[Any] = many_to_one("id", to="Citty")
    in_function: ToOne[Any] = many_to_one("id", to=lambda: Nowhere)  # type: ignore[name-defined]  # noqa: F821
    in_module: ToOne[Any] = many_to_one("id", to="tests.nowhere.City")
    no_class: ToOne[Any] = many_to_one("id", to="partition_key")
    gives_none: ToOne[Any] = many_to_one("id", to=lambda: 1)  # type: ignore[call-overload]
    unnamed = many_to_one("id")
    nested: ToOne[Nested] = many_to_one("id")
    plain: ToOne[Plain] = many_to_one("id")
    whole: ToOne[City] = many_to_one("id")
    too_many: ToOne[City] = many_to_one("id", "id", "id")
    by_nothing: ToOne[City] = many_to_one(by={"country": "id", "nmae": "id"})
    not_all: ToOne[City] = many_to_one(by={"country": "id"})
    no_index: ToMany[City] = one_to_many(index="by_sise")
    too_few: ToMany[Street] = one_to_many("id", index="by_city")
    no_back: ToMany[Shelved] = one_to_many("id", back="cty")
    elsewhere: ToOne[City] = many_to_one("id", "other", back="streets")
    lacking: ToOne[Street] = one_to_one(auto_create=True)
    linked: ManyToMany[Author] = many_to_many(lambda: Bad, own="one", other="two")
    linked_wrongly: ManyToMany[Author] = many_to_many(lambda: Bad, own="one", other="id")
    linked_shortly: ManyToMany[City] = many_to_many(lambda: Link, own="one", other="two")
    linked_loosely: ManyToMany[Author] = many_to_many(lambda: Link, own="two", other="one")
    linked_by_nothing: ManyToMany[Author] = many_to_many(lambda: Link, own="one", other="three")
    linked_by_index: ManyToMany[Author] = many_to_many(lambda: Link, own="one", other="two", index="by_one")
    linked_back: ManyToMany[Author] = many_to_many(lambda: Link, own="one", other="two", back="subjects")
    of_another_type: ToOne[Numbered] = many_to_one("other")
    begins_otherwise: ToMany[Shelved] = one_to_many("id", "other")
    linked_otherwise: ManyToMany[Numbered] = many_to_many(lambda: Link, own="one", other="two")


class Link(Model, table="links"):
    one: Attr[str] = partition_key()
    two: Attr[str] = sort_key()


class Numbered(Model, table="numbered"):
    id: Attr[int] = partition_key()


class Shelved(Model, table="shelved"):
    shelf: Attr[str] = partition_key()
    place: Attr[int] = sort_key()


class Bad(Model, table="bads"):
    id: Attr[str] = partition_key()
    one: Attr[str]
    two: Attr[str]


USED_WRONG = {
    "unknown": r"Wrongs\.unknown names Nowhere, which is not defined in .*; define or import it there.*to=lambda",
    "misspelt": r"names Citty, which is not defined in .*; did you mean 'City'\?",
    "in_function": r"names Nowhere, which is not defined in",
    "in_module": r"Wrongs\.in_module names tests",
    "no_class": r"leads to a class; partition_key is none",
    "gives_none": r"leads to what its function gives: a class, not int",
    "unnamed": r"does not say to which class it leads; write to=\.\.\., or annotate it",
    "nested": r"leads to Nested, which has no table",
    "plain": r"leads to Plain, which has no table.*relations are for Model and PydanticModel classes",
    "whole": r"names id; the key of d?.*City is \(country, name\)",
    "too_many": r"names id, id, id; the key of the table of City is \(country, name\)",
    "by_nothing": r"names the attribute 'nmae', which City does not have; did you mean 'name'\?",
    "not_all": r"names id; the key of City is \(country, name\), and one attribute is needed for each",
    "no_index": r"names the index 'by_sise', which City does not have; did you mean 'by_size'\?",
    "too_few": r"names id; the key of the index by_city of Street is \(country, city_name\)",
    "no_back": r"has back='cty', which is no relation of Shelved",
    "elsewhere": r"has back='streets', but City\.streets does not lead back: it leads to Street by country = country",
    "lacking": r"has auto_create=True, but Street can't be made without country, city_name; give these a default",
    "linked": r"goes through Bad, whose key is \(id\); its key must be made of one, two",
    "linked_wrongly": r"goes through Bad, whose key is \(id\); its key must be made of one, id",
    "linked_shortly": r"has other= with two; the key of City is \(country, name\), and Link needs one",
    "linked_loosely": r"do not stand together; declare an index there, such as GlobalIndex\('two'\)",
    "linked_by_nothing": r"names the attribute 'three', which Link does not have",
    "linked_by_index": r"names the index 'by_one', which Link does not have",
    "linked_back": r"has back='subjects', but Author\.subjects does not lead back",
    "of_another_type": r"leads by Wrongs\.other, str, and Numbered\.id, int, which are never equal; name",
    "begins_otherwise": r"leads by Wrongs\.other, str, and Shelved\.place, int, which are never equal",
    "linked_otherwise": r"leads by Link\.two, str, and Numbered\.id, int, which are never equal",
}


@pytest.mark.parametrize("name", USED_WRONG)
def test_told_when_used(name: str) -> None:
    relation = getattr(Wrongs, name)
    with pytest.raises(SchemaError, match=USED_WRONG[name]) as caught:
        Wrongs.scan().with_(relation)
    assert (caught.value.model, caught.value.attribute) == ("Wrongs", name)


def test_every_wrong_one_is_tried() -> None:
    assert set(USED_WRONG) == {name for name, one in vars(Wrongs).items() if isinstance(one, RelationDeclaration)}


def test_the_rest_of_the_class_works() -> None:
    with dw.connect("memory:") as db, db.use():
        db.create_tables(Wrongs)
        wrong = Wrongs(id="1")
        wrong.put()
        assert Wrongs.get("1") == wrong
        with pytest.raises(SchemaError):
            wrong.whole.get()


def test_a_query_of_ones_own_that_is_none() -> None:
    class Asking(Model, table="asking"):
        id: Attr[str] = partition_key()
        cities: ToMany[City] = one_to_many(query=lambda one: [])  # type: ignore[arg-type,return-value]
        streets: ToMany[City] = one_to_many(query=lambda one: Street.query("x"))

    with dw.connect("memory:") as db, db.use():
        for relation in (Asking(id="1").cities, Asking(id="1").streets):
            with pytest.raises(
                dw.ExpressionError, match=r"query= of Asking\.\w+ gives .*; it must give a query of City"
            ):
                relation.query()


@pytest.fixture(autouse=True)
def database() -> Any:
    with dw.connect("memory:") as db:
        yield db


@dataclass
class Parcel:
    id: str
    city: ToOne[City] = many_to_one("id")  # noqa: RUF009


class Bag:
    city = many_to_one("id", to=City)


def test_classes_that_are_not_ours_have_none(database: dw.Database) -> None:
    with pytest.raises(SchemaError, match=r"Parcel.city: has many_to_one\(\.\.\.\).*keep the other's key in an"):
        database.table(Parcel, name="parcels", partition_key="id")
    with pytest.raises(SchemaError, match=r"Bag\.city is a relation, but Bag has no table"):
        _ = Bag().city
