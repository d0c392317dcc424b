from __future__ import annotations

import copy
from typing import Any

import pytest

from dynawire.engines.embedded.expressions import Placeholders, parse_projection
from dynawire.errors import ServiceError

ITEM: dict[str, Any] = {
    "s": {"S": "x"},
    "n": {"N": "5"},
    "l": {"L": [{"S": "a"}, {"N": "1"}, {"L": [{"N": "7"}, {"N": "8"}]}, {"M": {"k": {"N": "1"}, "j": {"N": "2"}}}]},
    "m": {"M": {"k": {"S": "v"}, "d": {"M": {"e": {"N": "1"}, "f": {"N": "2"}}}}},
}


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("s", {"s": {"S": "x"}}),
        ("s, n, q", {"s": {"S": "x"}, "n": {"N": "5"}}),
        ("q", {}),
        ("m.k", {"m": {"M": {"k": {"S": "v"}}}}),
        ("m.d.e, m.k", {"m": {"M": {"d": {"M": {"e": {"N": "1"}}}, "k": {"S": "v"}}}}),
        ("m.d.e, m.d.f", {"m": {"M": {"d": {"M": {"e": {"N": "1"}, "f": {"N": "2"}}}}}}),
        ("m.z, n", {"n": {"N": "5"}}),
        ("m.d.z", {}),
        ("l[1]", {"l": {"L": [{"N": "1"}]}}),
        ("l[2], l[0]", {"l": {"L": [{"S": "a"}, {"L": [{"N": "7"}, {"N": "8"}]}]}}),
        ("l[2][1], l[3].k", {"l": {"L": [{"L": [{"N": "8"}]}, {"M": {"k": {"N": "1"}}}]}}),
        ("l[9]", {}),
        ("l[9], l[1]", {"l": {"L": [{"N": "1"}]}}),
        ("l.k", {}),
        ("m[0]", {}),
        ("s.x", {}),
    ],
)
def test_projection(text: str, result: dict[str, Any]) -> None:
    before = copy.deepcopy(ITEM)
    assert parse_projection(text, Placeholders(None, None)).project(ITEM) == result
    assert before == ITEM


def test_names_and_paths() -> None:
    projection = parse_projection("#a.#b[2], c", Placeholders({"#a": "status", "#b": "x.y"}, None))
    assert projection.paths == (("status", "x.y", 2), ("c",))
    assert projection.top_level_names == {"status", "c"}
    assert projection.project({"status": {"M": {"x.y": {"L": [{"N": "0"}] * 3}}}}) == {
        "status": {"M": {"x.y": {"L": [{"N": "0"}]}}}
    }


@pytest.mark.parametrize(
    ("text", "problem", "one", "two"),
    [
        ("a, a", "overlap", "[a]", "[a]"),
        ("a, #a", "overlap", "[a]", "[a]"),
        ("a.b, c, a", "overlap", "[a, b]", "[a]"),
        ("a[1], b, a[1].c", "overlap", "[a, [1]]", "[a, [1], c]"),
        ("a.b, a[0]", "conflict", "[a, b]", "[a, [0]]"),
        ("a.b, a[0], a.b.c", "overlap", "[a, b]", "[a, b, c]"),
    ],
)
def test_paths_must_not_meet(text: str, problem: str, one: str, two: str) -> None:
    with pytest.raises(ServiceError) as caught:
        parse_projection(text, Placeholders({"#a": "a"}, None))
    assert caught.value.message == (
        f"ValidationException: Invalid ProjectionExpression: Two document paths {problem} with each other; "
        f"must remove or rewrite one of these paths; path one: {one}, path two: {two}"
    )


def test_paths_into_key_attributes() -> None:
    projection = parse_projection("pk, g.a", Placeholders(None, None))
    projection.check_key_paths(["pk"])
    with pytest.raises(ServiceError, match=r"are not allowed: IndexKey: g"):
        projection.check_key_paths(["pk"], ["g"])
