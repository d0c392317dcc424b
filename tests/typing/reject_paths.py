"""What conditions and updates may not be written on typed paths."""
# ruff: noqa: E711

from decimal import Decimal
from typing import Any, Literal

from dynawire.expressions import Condition, Path, Update


class Airport:
    """Paths as the mapper makes them of class attributes."""

    name: Path[str]
    city: Path[str | None]
    visits: Path[int]
    rank: Path[int | None]
    height: Path[float]
    price: Path[Decimal]
    photo: Path[bytes]
    kind: Path[Literal["big", "small"]]
    tags: Path[set[str]]
    codes: Path[frozenset[int] | None]
    scores: Path[list[int]]
    notes: Path[list[str] | None]
    names: Path[dict[str, int]]
    extra: Path[Any]


a = Airport


def condition(found: Condition) -> None: ...
def update(found: Update) -> None: ...


condition(a.name == 1)  # error: arg-type
condition(a.name != 1)  # error: arg-type
condition(a.name == None)  # error: arg-type
condition(a.city == 1)  # error: arg-type
condition(a.visits == "x")  # error: arg-type
condition(a.rank == "x")  # error: arg-type
condition(a.kind == "middle")  # error: arg-type
condition(a.tags == {1})  # error: arg-type
condition(a.name == a.visits)  # error
condition(a.name < 1)  # error: operator
condition(a.city < 1)  # error: operator
condition(a.visits > "x")  # error: operator
condition(a.visits < a.name)  # error: operator
condition(a.name.between("a", 1))  # error: arg-type
condition(a.name.in_([1]))  # error
condition(a.visits.in_("12"))  # error: arg-type
condition(a.name.size() > "3")  # error: operator
condition(a.name.size() == None)  # error: arg-type
condition(a.visits + 1)  # error: arg-type
condition(a.visits)  # error: arg-type
condition((a.visits > 1) & a.name)  # error: operator
condition((a.visits > 1) & True)  # error: operator

condition(a.name.begins_with(1))  # error
condition(a.name.begins_with(b"x"))  # error
condition(a.visits.begins_with("x"))  # error
condition(a.rank.begins_with("x"))  # error
condition(a.photo.begins_with("x"))  # error
condition(a.tags.begins_with("x"))  # error
condition(a.name.contains(1))  # error
condition(a.visits.contains(1))  # error
condition(a.tags.contains(1))  # error
condition(a.codes.contains("x"))  # error
condition(a.scores.contains("x"))  # error
condition(a.notes.contains(1))  # error

update(a.name.set(1))  # error: arg-type
update(a.name.set(None))  # error: arg-type
update(a.visits.set("x"))  # error: arg-type
update(a.visits.set(a.name))  # error: arg-type
update(a.visits.set(a.rank))  # error: arg-type
update(a.visits.set(a.height + 1))  # error: arg-type
update(a.visits.set(a.visits + 1.5))  # error: arg-type
update(a.name.set(a.visits + 1))  # error: arg-type
update(a.visits.set(a.name.size()))  # error: arg-type
update(a.visits.set(a.name.if_not_exists("x")))  # error: arg-type
update(a.visits.set_if_not_exists("x"))  # error: arg-type
update(a.name == "x")  # error: arg-type
a.name + "x"  # error: operator
a.visits + "x"  # error: operator
"x" - a.visits  # error: operator

update(a.name.add(1))  # error
update(a.visits.add("x"))  # error
update(a.visits.add(1.5))  # error
update(a.rank.add(1.5))  # error
update(a.price.add(1.5))  # error
update(a.visits.add({1}))  # error
update(a.tags.add({1}))  # error
update(a.tags.add("x"))  # error
update(a.tags.add(["x"]))  # error
update(a.codes.add({"x"}))  # error
update(a.scores.add([1]))  # error
update(a.tags.delete({1}))  # error
update(a.visits.delete({1}))  # error
update(a.scores.append("x"))  # error
update(a.notes.append(1))  # error
update(a.name.append("x"))  # error
update(a.tags.append("x"))  # error
update(a.scores.extend(["x"]))  # error
update(a.scores.extend(1))  # error
update(a.names["x"].add("x"))  # error
update(a.scores[0].set("x"))  # error: arg-type
condition(a.price > 1.5)  # error
condition(a.price == "x")  # error
condition(a.price.between(1, 1.5))  # error
condition(a.price.in_(["x"]))  # error
condition(a.visits > Decimal(1))  # error

if a.visits:
    update(a.names["x"].add("x"))  # error
if a.visits > 3:
    update(a.names["x"].add("x"))  # error
