"""Updates as they are written, their text, and what is refused before anything is sent."""

from __future__ import annotations

import pickle
from decimal import Decimal
from typing import Any

import pytest

from dynawire.errors import ExpressionError, ValidationError
from dynawire.expressions.compiler import compile_update
from dynawire.expressions.placeholders import Placeholders
from tests.expressions.support import Airport, Hotel


def compiled(*updates: Any, key_names: Any = ()) -> tuple[str, dict[str, Any]]:
    placeholders = Placeholders()
    text = compile_update(updates, placeholders, Airport, key_names=key_names)
    for placeholder, name in reversed(list(placeholders.names.items())):
        text = text.replace(placeholder, name)
    return text, placeholders.values


@pytest.mark.parametrize(
    ("update", "text", "values"),
    [
        (lambda: Airport.visits.set(5), "SET v = :v0", [{"N": "5"}]),
        (lambda: Airport.visits.set(Airport.rank), "SET v = rank", []),
        (lambda: Airport.city.set("x"), "SET city = :v0", [{"S": "x"}]),
        (lambda: Airport.city.set(None), "REMOVE city", []),
        (lambda: Airport.rank.set(None), "SET rank = :v0", [{"NULL": True}]),
        (lambda: Airport.notes[0].set(None), "SET notes[0] = :v0", [{"NULL": True}]),
        (lambda: Airport.extra.a.set(None), "SET extra.a = :v0", [{"NULL": True}]),
        (lambda: Airport.address.zip_code.set("1"), "SET address.zip = :v0", [{"S": "1"}]),
        (lambda: Airport.visits.set(Airport.visits + 1), "SET v = v + :v0", [{"N": "1"}]),
        (lambda: Airport.visits.set(Airport.visits - 1), "SET v = v - :v0", [{"N": "1"}]),
        (lambda: Airport.visits.set(1 + Airport.visits), "SET v = :v0 + v", [{"N": "1"}]),
        (lambda: Airport.visits.set(1 - Airport.visits), "SET v = :v0 - v", [{"N": "1"}]),
        (lambda: Airport.visits.set(Airport.visits + Airport.rank), "SET v = v + rank", []),
        (
            lambda: Airport.visits.set(Airport.visits.if_not_exists(0) + 1),
            "SET v = if_not_exists(v, :v0) + :v1",
            [{"N": "0"}, {"N": "1"}],
        ),
        (
            lambda: Airport.visits.set(10 - Airport.rank.if_not_exists(Airport.visits)),
            "SET v = :v0 - if_not_exists(rank, v)",
            [{"N": "10"}],
        ),
        (lambda: Airport.visits.set(Airport.rank.if_not_exists(3)), "SET v = if_not_exists(rank, :v0)", [{"N": "3"}]),
        (lambda: Airport.visits.set_if_not_exists(3), "SET v = if_not_exists(v, :v0)", [{"N": "3"}]),
        (
            lambda: Airport.visits.set(Airport.rank.if_not_exists(Airport.visits.if_not_exists(3))),
            "SET v = if_not_exists(rank, if_not_exists(v, :v0))",
            [{"N": "3"}],
        ),
        (Airport.visits.remove, "REMOVE v", []),
        (Airport.scores[1].remove, "REMOVE scores[1]", []),
        (lambda: Airport.visits.add(-2), "ADD v :v0", [{"N": "-2"}]),
        (lambda: Airport.latitude.add(1.5), "ADD latitude :v0", [{"N": "1.5"}]),
        (lambda: Airport.latitude.add(Decimal("0.10")), "ADD latitude :v0", [{"N": "0.10"}]),
        (lambda: Airport.visits.add(2.0), "ADD v :v0", [{"N": "2.0"}]),
        (lambda: Airport.visits.add(10**60), "ADD v :v0", [{"N": "1" + "0" * 60}]),
        (lambda: Airport.tags.add({"b", "a"}), "ADD tags :v0", [{"SS": ["a", "b"]}]),
        (lambda: Airport.tags.add(frozenset({"a"})), "ADD tags :v0", [{"SS": ["a"]}]),
        (lambda: Airport.years.add({1}), "ADD years :v0", [{"NS": ["1"]}]),
        (lambda: Airport.extra.a.add({b"x"}), "ADD extra.a :v0", [{"BS": [b"x"]}]),
        (lambda: Airport.extra.add(3), "ADD extra :v0", [{"N": "3"}]),
        (lambda: Airport.tags.delete({"a"}), "DELETE tags :v0", [{"SS": ["a"]}]),
        (
            lambda: Airport.scores.append(1),
            "SET scores = list_append(if_not_exists(scores, :v0), :v1)",
            [{"L": []}, {"L": [{"N": "1"}]}],
        ),
        (
            lambda: Airport.scores.append(1, create=False),
            "SET scores = list_append(scores, :v0)",
            [{"L": [{"N": "1"}]}],
        ),
        (
            lambda: Airport.scores.prepend(1),
            "SET scores = list_append(:v0, if_not_exists(scores, :v1))",
            [{"L": [{"N": "1"}]}, {"L": []}],
        ),
        (
            lambda: Airport.scores.prepend(1, create=False),
            "SET scores = list_append(:v0, scores)",
            [{"L": [{"N": "1"}]}],
        ),
        (
            lambda: Airport.scores.extend(iter([1, 2]), create=False),
            "SET scores = list_append(scores, :v0)",
            [{"L": [{"N": "1"}, {"N": "2"}]}],
        ),
        (
            lambda: Airport.scores.extend(Airport.extra.more, create=False),
            "SET scores = list_append(scores, extra.more)",
            [],
        ),
        (
            lambda: Airport.notes.append(None, create=False),
            "SET notes = list_append(notes, :v0)",
            [{"L": [{"NULL": True}]}],
        ),
    ],
)
def test_how_an_update_is_written_and_sent(update: Any, text: str, values: list[Any]) -> None:
    found, found_values = compiled(update())
    assert found == text
    assert list(found_values.values()) == values


def test_actions_are_gathered_by_clause() -> None:
    updates = (
        Airport.tags.delete({"a"}),
        Airport.visits.add(1),
        Airport.name.set("x"),
        Airport.city.remove(),
        Airport.scores[0].set(1),
        Airport.scores[1].set(1),
        Airport.latitude.add(1),
        Airport.address.city.set("x"),
    )
    text, values = compiled(*updates)
    assert text == (
        "SET n = :v2, scores[0] = :v1, scores[1] = :v1, address.c = :v2 "
        "REMOVE city ADD v :v1, latitude :v1 DELETE tags :v0"
    )
    assert values == {":v0": {"SS": ["a"]}, ":v1": {"N": "1"}, ":v2": {"S": "x"}}


@pytest.mark.parametrize(
    ("misuse", "message"),
    [
        (compiled, "there is nothing to update"),
        (lambda: compiled(Airport.name == "x"), "is a condition, not an update; to assign, write path.set"),
        (lambda: compiled(Airport.visits + 1), r"Airport.visits \+ :0 is not an update; write path.set"),
        (lambda: compiled(Airport.name), "<Airport.name> is a path, not an update"),
        (lambda: compiled({"name": "x"}), "an update is needed, found dict"),
        (lambda: compiled(Hotel.name.set("x")), "Hotel.name is an attribute of Hotel"),
        (lambda: compiled(Airport.visits.set(Hotel.name.if_not_exists("x"))), "Hotel.name is str: .* another type"),
        (lambda: compiled(Airport.name.set(Hotel.name)), "Hotel.name is an attribute of Hotel"),
        (lambda: compiled(Airport.state.set("x"), key_names=("state",)), "Airport.state is part of the primary key"),
        (lambda: compiled(Airport.name.set("x"), Airport.name.remove()), "two updates are of Airport.name; keep one"),
        (
            lambda: compiled(Airport.address.set({}), Airport.address.city.set("x")),
            "two updates overlap: Airport.address.city lies inside Airport.address",
        ),
        (lambda: compiled(Airport.extra.a.remove(), Airport.extra[0].remove()), "two updates conflict"),
        (lambda: compiled(*[Airport.extra[f"m{i}"].set(i) for i in range(400)]), "the update is .* bytes long"),
        (
            lambda: Airport.name.set(None),
            "Airport.name is str, which cannot be None; declare it optional, .* write .remove.. to remove",
        ),
        (lambda: Airport.tags.set(set()), "holds no empty set; .*write .remove()"),
        (lambda: Airport.visits.set(Airport.name), "Airport.name is str: DynamoDB would store a value of another type"),
        (lambda: Airport.name.set(Airport.visits + 1), "a sum is a number: DynamoDB would store"),
        (lambda: Airport.visits.set(Airport.name.size()), "size.. belongs in a condition"),
        (lambda: Airport.open.set(Airport.visits > 1), "a condition is not a value"),
        (lambda: Airport.city.if_not_exists(None), "would store nothing"),
        (lambda: Airport.visits.if_not_exists(Airport.visits + 1), "computes no sum inside if_not_exists"),
        (lambda: Airport.visits + 1 + 2, r"Airport.visits \+ :0: DynamoDB takes one \+ or -"),
        (lambda: 1 - (Airport.visits + 1), r"DynamoDB takes one \+ or -"),
        (lambda: Airport.name + "x", "Airport.name is str: DynamoDB's . computes with numbers only|takes an int"),
        (lambda: Airport.scores + Airport.scores, r"computes with numbers only; write .extend\(values\)"),
        (lambda: Airport.visits + Airport.name, "Airport.name is str: DynamoDB's . computes with numbers only"),
        (lambda: Airport.visits + Airport.name.size(), "size.. belongs in a condition"),
        (lambda: Airport.name.add(1), r"Airport.name is str: add works on numbers and sets only; write .set\(value\)"),
        (lambda: Airport.scores.add(1), r"add works on numbers and sets only; write .extend\(values\)"),
        (lambda: Airport.visits.add(Airport.rank), "add takes a number, not another path"),
        (lambda: Airport.tags.add(set()), "add has no member, so nothing would change"),
        (lambda: Airport.tags.delete(set()), "delete has no member"),
        (lambda: Airport.visits.delete({1}), r"delete takes members out of sets only; write .remove\(\)"),
        (lambda: Airport.scores.delete({1}), "delete takes members out of sets only"),
        (lambda: Airport.tags.append("a"), r"append works on lists only; write .add\(\{...\}\)"),
        (lambda: Airport.name.prepend("a"), "Airport.name is str: prepend works on lists only"),
        (lambda: Airport.scores.extend([]), "extend has no element"),
        (lambda: Airport.scores.extend(Airport.name), "would store a value of another type"),
        (lambda: Airport.pair.append(1), "of a fixed number of elements"),
    ],
)
def test_what_dynamodb_could_not_run_is_refused_with_the_remedy(misuse: Any, message: str) -> None:
    with pytest.raises(ExpressionError, match=message):
        misuse()


@pytest.mark.parametrize(
    ("misuse", "attribute", "message"),
    [
        (lambda: Airport.visits.set("x"), "visits", "Airport.visits: must be int, not str"),
        (lambda: Airport.visits.set(-1), "visits", "Airport.visits: is beyond its limits"),
        (lambda: Airport.visits.set_if_not_exists(-1), "visits", "is beyond its limits"),
        (lambda: Airport.scores.append("x"), "scores", "Airport.scores: an element must be int, not str"),
        (lambda: Airport.scores.extend("12"), "scores", r"extend takes a list of elements, not str"),
        (lambda: Airport.tags.add({1}), "tags", "Airport.tags: a member must be str, not int"),
        (lambda: Airport.tags.add(["a"]), "tags", "add takes a set, not list"),
        (lambda: Airport.tags.add("a"), "tags", "add takes a set, not str"),
        (lambda: Airport.tags.delete("a"), "tags", "delete takes a set, not str"),
        (lambda: Airport.visits.add({1}), "visits", "add takes a number, not set"),
        (lambda: Airport.visits.add(True), "visits", "add takes a number, not bool"),
        (lambda: Airport.extra.add("x"), "extra", "add takes a number or a set, not str"),
        (lambda: Airport.extra.delete(5), "extra", "delete takes a set, not int"),
        (lambda: Airport.extra.add({1, "a"}), "extra", "all text, all numbers or all binary"),
        (lambda: Airport.visits.add(1.5), "visits", "the number has a fraction"),
        (lambda: Airport.visits.set(Airport.visits + 0.5), "visits", "the number has a fraction"),
        (lambda: Airport.rank.add(Decimal("0.5")), "rank", "the number has a fraction"),
        (lambda: Airport.latitude.add(float("nan")), "latitude", "is not finite; DynamoDB stores neither NaN"),
        (lambda: Airport.latitude.add(Decimal("inf")), "latitude", "is not finite; DynamoDB stores neither NaN"),
        (lambda: Airport.latitude.add(10**38 + 1), "latitude", "more than the 38 significant digits"),
        (lambda: Airport.latitude.add(Decimal("1." + "3" * 38)), "latitude", "more than the 38 significant digits"),
        (lambda: Airport.latitude.add(10**5000), "latitude", "beyond DynamoDB's range"),
        (lambda: Airport.latitude.add(1e-200), "latitude", "beyond DynamoDB's range"),
        (lambda: Airport.latitude.add(Decimal("1e126")), "latitude", "beyond DynamoDB's range"),
        (lambda: Airport.visits + "x", "visits", r"\+ takes an int, float or Decimal, not str"),
        (lambda: Airport.visits - True, "visits", "- takes an int, float or Decimal, not bool"),
        (lambda: None - Airport.visits, "visits", "- takes an int, float or Decimal, not NoneType"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_with_class_and_path(misuse: Any, attribute: str, message: str) -> None:
    with pytest.raises(ValidationError, match=message) as caught:
        misuse()
    assert caught.value.model == "Airport"
    assert caught.value.attribute == attribute
    assert caught.value.errors


def test_limits_apply_to_whole_values_not_to_differences() -> None:
    assert compiled(Airport.visits.add(-5))[0] == "ADD v :v0"
    assert compiled(Airport.visits.set(Airport.visits - 5))[0] == "SET v = v - :v0"


def test_an_update_shows_what_it_touches_and_never_its_values() -> None:
    update = Airport.address.city.set("secret")
    assert update.path._steps[0] == "address"
    assert (update.action, update.operand.value) == ("SET", "secret")
    assert repr(update) == "SET Airport.address.city = :0"
    assert repr(Airport.tags.add({"secret"})) == "ADD Airport.tags :0"
    assert repr(Airport.city.remove()) == "REMOVE Airport.city"
    assert repr(Airport.visits.if_not_exists(5) + 77) == "if_not_exists(Airport.visits, :0) + :1"
    appended = Airport.notes.append("secret")
    assert repr(appended) == "SET Airport.notes = list_append(if_not_exists(Airport.notes, :0), :1)"
    assert "secret" not in repr([list(appended.__rich_repr__()), list(appended.operand.__rich_repr__())])


def test_an_update_tells_every_path_it_reads() -> None:
    update = Airport.visits.set(Airport.rank.if_not_exists(0) - Airport.extra.n)
    assert [path._label for path in update.paths()] == ["visits", "rank", "extra.n"]
    assert [path._label for path in Airport.scores.extend(Airport.extra.more).paths()] == [
        "scores",
        "scores",
        "extra.more",
    ]
    assert [path._label for path in Airport.visits.remove().paths()] == ["visits"]
    assert [path._label for path in Airport.visits.set(1).paths()] == ["visits"]


def test_an_update_never_changes() -> None:
    value = ["a"]
    update = Airport.notes.set(value)
    value.append("b")
    assert list(compiled(update)[1].values()) == [{"L": [{"S": "a"}]}]
    with pytest.raises(AttributeError):
        update.action = "ADD"
    assert repr(pickle.loads(pickle.dumps(update))) == repr(update)
    assert len({update, Airport.notes.set(["a"])}) == 2
