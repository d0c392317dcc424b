"""Random items, and random conditions and updates beside what they mean in plain Python."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, NamedTuple

from hypothesis import strategies as st

from dynawire.expressions.conditions import Condition
from dynawire.expressions.updates import Update
from tests.expressions.support import CODECS, STORED, Airport

Item = dict[str, Any]
MISSING: Any = object()

TEXTS = st.text(alphabet="abé\U0001f600", max_size=3)
NUMBERS = st.integers(-3, 3)
KEYS = st.sampled_from(["p", "q"])

ATTRIBUTES: dict[str, st.SearchStrategy[Any]] = {
    "visits": NUMBERS,
    "rank": st.none() | NUMBERS,
    "name": TEXTS,
    "city": st.none() | TEXTS,
    "photo": st.binary(max_size=2),
    "open": st.booleans(),
    "tags": st.sets(TEXTS, min_size=1, max_size=3),
    "scores": st.lists(NUMBERS, max_size=3),
    "notes": st.lists(st.none() | TEXTS, max_size=3),
    "names": st.dictionaries(KEYS, TEXTS, max_size=2),
}


def items() -> st.SearchStrategy[Item]:
    """Items by Python name; an attribute may be missing, and None is stored as NULL."""
    return st.fixed_dictionaries({}, optional=ATTRIBUTES)


def stored(item: Item) -> dict[str, Any]:
    """An item as it is stored; numbers are written with the sign of zero and the like removed."""
    return {
        STORED.get(name, name): CODECS[name].unconstrained.encode(value)  # type: ignore[attr-defined]
        for name, value in item.items()
    }


class Case(NamedTuple):
    """A condition, and what it says of an item."""

    condition: Condition
    holds: Callable[[Item], bool]


_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def _comparison(path: Any, read: Callable[[Item], Any], symbol: str, value: Any) -> Case:
    """A comparison with a value."""
    if symbol == "=":
        return Case(path == value, lambda item: read(item) is not MISSING and read(item) == value)
    if symbol == "<>":
        return Case(path != value, lambda item: read(item) is MISSING or read(item) != value)
    order = _ORDERS[symbol]
    return Case(order(path, value), lambda item: _is_value(read(item)) and order(read(item), value))


def _is_value(found: Any) -> bool:
    return found is not MISSING and found is not None


def _getter(name: str, *steps: Any) -> Callable[[Item], Any]:
    def read(item: Item) -> Any:
        found = item.get(name, MISSING)
        for step in steps:
            if found is MISSING or found is None:
                return MISSING
            try:
                found = found[step]
            except (KeyError, IndexError):
                return MISSING
        return found

    return read


def _size(read: Callable[[Item], Any]) -> Callable[[Item], Any]:
    def size(item: Item) -> Any:
        found = read(item)
        if not _is_value(found):
            return MISSING
        return len(found.encode("utf-16-le")) // 2 if isinstance(found, str) else len(found)

    return size


_PLACES: list[tuple[Any, Callable[[Item], Any], st.SearchStrategy[Any]]] = [
    (Airport.visits, _getter("visits"), NUMBERS),
    (Airport.rank, _getter("rank"), NUMBERS),
    (Airport.name, _getter("name"), TEXTS),
    (Airport.city, _getter("city"), TEXTS),
    (Airport.photo, _getter("photo"), st.binary(max_size=2)),
    (Airport.scores[1], _getter("scores", 1), NUMBERS),
    (Airport.notes[0], _getter("notes", 0), TEXTS),
    (Airport.names["p"], _getter("names", "p"), TEXTS),
    (Airport.name.size(), _size(_getter("name")), st.integers(0, 5)),
    (Airport.tags.size(), _size(_getter("tags")), st.integers(0, 5)),
    (Airport.notes.size(), _size(_getter("notes")), st.integers(0, 5)),
    (Airport.names.size(), _size(_getter("names")), st.integers(0, 5)),
]


@st.composite
def leaves(draw: st.DrawFn) -> Case:
    """One test of one attribute."""
    path, read, values = draw(st.sampled_from(_PLACES))
    kind = draw(st.integers(0, 5))
    if kind <= 2:
        return _comparison(path, read, draw(st.sampled_from(["=", "<>", *_ORDERS])), draw(values))
    if kind == 3:
        low, high = sorted([draw(values), draw(values)])
        return Case(path.between(low, high), lambda item: _is_value(read(item)) and low <= read(item) <= high)
    if kind == 4:
        some = draw(st.lists(values, min_size=1, max_size=4))
        return Case(path.in_(some), lambda item: read(item) in some)
    return draw(functions())


@st.composite
def functions(draw: st.DrawFn) -> Case:
    """One function of one attribute."""
    text, number = draw(TEXTS), draw(NUMBERS)
    city, tags, scores, notes = (_getter(name) for name in ("city", "tags", "scores", "notes"))
    photo, start = _getter("photo"), draw(st.binary(max_size=1))
    visits, rank = _getter("visits"), _getter("rank")
    cases = [
        Case(Airport.city.exists(), lambda item: city(item) is not MISSING),
        Case(Airport.city.not_exists(), lambda item: city(item) is MISSING),
        Case(Airport.city == None, lambda item: not _is_value(city(item))),  # noqa: E711
        Case(Airport.city != None, lambda item: _is_value(city(item))),  # noqa: E711
        Case(Airport.city.in_([None, text]), lambda item: not _is_value(city(item)) or city(item) == text),
        Case(Airport.city.is_type(str), lambda item: _is_value(city(item))),
        Case(Airport.city.is_type(None), lambda item: city(item) is None),
        Case(Airport.tags.is_type(set), lambda item: tags(item) is not MISSING),
        Case(Airport.open == True, lambda item: item.get("open") is True),  # noqa: E712
        Case(Airport.city.begins_with(text), lambda item: _is_value(city(item)) and city(item).startswith(text)),
        Case(Airport.city.contains(text), lambda item: _is_value(city(item)) and text in city(item)),
        Case(Airport.photo.begins_with(start), lambda item: _is_value(photo(item)) and photo(item).startswith(start)),
        Case(Airport.photo.contains(start), lambda item: _is_value(photo(item)) and start in photo(item)),
        Case(Airport.tags.contains(text), lambda item: _is_value(tags(item)) and text in tags(item)),
        Case(Airport.scores.contains(number), lambda item: _is_value(scores(item)) and number in scores(item)),
        Case(Airport.notes.contains(None), lambda item: _is_value(notes(item)) and None in notes(item)),
        Case(Airport.scores == [number], lambda item: scores(item) == [number]),
        Case(Airport.tags == {text}, lambda item: tags(item) == {text}),
        Case(
            Airport.visits < Airport.rank,
            lambda item: _is_value(visits(item)) and _is_value(rank(item)) and visits(item) < rank(item),
        ),
        Case(
            Airport.visits == Airport.rank,
            lambda item: _is_value(visits(item)) and _is_value(rank(item)) and visits(item) == rank(item),
        ),
        Case(
            Airport.visits.between(Airport.rank, 5),
            lambda item: _is_value(visits(item)) and _is_value(rank(item)) and rank(item) <= visits(item) <= 5,
        ),
        Case(
            Airport.tags.size() >= Airport.scores.size(),
            lambda item: _is_value(tags(item)) and _is_value(scores(item)) and len(tags(item)) >= len(scores(item)),
        ),
    ]
    return draw(st.sampled_from(cases))


def _both(parts: tuple[Case, Case]) -> Case:
    first, second = parts
    return Case(first.condition & second.condition, lambda item: first.holds(item) and second.holds(item))


def _either(parts: tuple[Case, Case]) -> Case:
    first, second = parts
    return Case(first.condition | second.condition, lambda item: first.holds(item) or second.holds(item))


def _not(part: Case) -> Case:
    return Case(~part.condition, lambda item: not part.holds(item))


def conditions() -> st.SearchStrategy[Case]:
    """Trees of tests."""
    return st.recursive(
        leaves() | functions(),
        lambda inner: st.tuples(inner, inner).map(_both) | st.tuples(inner, inner).map(_either) | inner.map(_not),
        max_leaves=12,
    )


class Change(NamedTuple):
    """An update, and what it makes of an item: it sees the item as it was, and changes a copy."""

    update: Update
    change: Callable[[Item, Item], None]


def _assign(name: str, value: Callable[[Item], Any]) -> Callable[[Item, Item], None]:
    def change(before: Item, after: Item) -> None:
        after[name] = value(before)

    return change


def _drop(name: str) -> Callable[[Item, Item], None]:
    return lambda before, after: after.pop(name, None)


def _delete(name: str, members: set[Any]) -> Callable[[Item, Item], None]:
    def change(before: Item, after: Item) -> None:
        left = before.get(name, set()) - members
        if left:
            after[name] = left
        else:
            after.pop(name, None)

    return change


@st.composite
def changes(draw: st.DrawFn) -> list[Change]:
    """Updates of different attributes, all of which an item that has the attribute ``visits`` can take."""
    text, number, members = draw(TEXTS), draw(NUMBERS), draw(st.sets(TEXTS, min_size=1, max_size=3))
    numbers = draw(st.lists(NUMBERS, min_size=1, max_size=3))
    a = Airport
    by_attribute: list[list[Change]] = [
        [
            Change(a.visits.set(a.visits + number), _assign("visits", lambda item: item["visits"] + number)),
            Change(a.visits.set(number - a.visits), _assign("visits", lambda item: number - item["visits"])),
            Change(a.visits.set(abs(number)), _assign("visits", lambda item: abs(number))),
            Change(a.visits.add(number), _assign("visits", lambda item: item["visits"] + number)),
            Change(a.visits.remove(), _drop("visits")),
            Change(a.visits.set_if_not_exists(5), _assign("visits", lambda item: item["visits"])),
        ],
        [
            Change(a.latitude.set(a.visits - 1), _assign("latitude", lambda item: item["visits"] - 1)),
            Change(
                a.latitude.set(a.latitude.if_not_exists(2) + a.visits), _assign("latitude", lambda i: 2 + i["visits"])
            ),
            Change(a.latitude.add(number), _assign("latitude", lambda item: number)),
            Change(a.latitude.set_if_not_exists(a.visits), _assign("latitude", lambda item: item["visits"])),
        ],
        [
            Change(a.city.set(text), _assign("city", lambda item: text)),
            Change(a.city.set(None), _drop("city")),
            Change(a.city.set_if_not_exists(text), _assign("city", lambda item: item.get("city", text))),
        ],
        [
            Change(a.tags.add(members), _assign("tags", lambda item: item.get("tags", set()) | members)),
            Change(a.tags.delete(members), _delete("tags", members)),
            Change(a.tags.set(members), _assign("tags", lambda item: members)),
        ],
        [
            Change(a.scores.append(number), _assign("scores", lambda item: [*item.get("scores", []), number])),
            Change(a.scores.prepend(number), _assign("scores", lambda item: [number, *item.get("scores", [])])),
            Change(a.scores.extend(numbers), _assign("scores", lambda item: [*item.get("scores", []), *numbers])),
            Change(a.scores.remove(), _drop("scores")),
        ],
        [Change(a.rank.set(None), _assign("rank", lambda item: None))],
    ]
    chosen = draw(st.lists(st.sampled_from(by_attribute), min_size=1, unique_by=id))
    return [draw(st.sampled_from(alternatives)) for alternatives in chosen]
