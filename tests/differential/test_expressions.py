"""The embedded engine's expressions and AWS's DynamoDB Local, given the same item and the same text.

Expressions are made at random, right and wrong ones. Both must refuse the same, and otherwise give the same result.
Which of several faults of one expression is told may differ: DynamoDB Local itself does not order them always alike.
Of one fault alone, the message must be the same, but for values, which dynawire keeps out of messages.
"""

# ruff: noqa: E501 - cases stand many to a line

from __future__ import annotations

import copy
import http.client
import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynawire.engines.embedded.expressions import (
    Placeholders,
    parse_condition,
    parse_key_condition,
    parse_projection,
    parse_update,
)
from dynawire.engines.embedded.numbers import canonical_number
from dynawire.errors import ServiceError

Item = dict[str, dict[str, Any]]

KEY: Item = {"pk": {"S": "key"}, "sk": {"N": "1"}}
ITEM: Item = KEY | {
    "s": {"S": "héllo😀"},
    "n": {"N": "5"},
    "b": {"B": "YWJj"},
    "t": {"BOOL": True},
    "z": {"NULL": True},
    "ss": {"SS": ["a", "b"]},
    "ns": {"NS": ["1", "2"]},
    "bs": {"BS": ["YQ==", "Yg=="]},
    "l": {"L": [{"S": "a"}, {"N": "1"}, {"L": [{"N": "7"}]}, {"SS": ["x"]}, {"M": {"k": {"N": "1"}}}]},
    "m": {"M": {"k": {"S": "v"}, "d": {"M": {"e": {"N": "1"}}}, "l": {"L": [{"N": "1"}, {"N": "2"}]}}},
}
VALUES: Item = {
    ":s": {"S": "héllo😀"},
    ":s2": {"S": "b"},
    ":e": {"S": ""},
    # In canonical form: DynamoDB Local's UpdateItem stores what it is given.
    ":n": {"N": "5"},
    ":n2": {"N": "-1.5"},
    ":b": {"B": "YWI="},
    ":t": {"BOOL": True},
    ":z": {"NULL": True},
    ":ss": {"SS": ["a", "c"]},
    ":ns": {"NS": ["1", "3"]},
    ":bs": {"BS": ["YQ=="]},
    ":l": {"L": [{"N": "1"}]},
    ":m": {"M": {"k": {"S": "v"}}},
    ":S": {"S": "S"},
    ":N": {"S": "N"},
}
NAMES = {"#s": "s", "#n": "n", "#m": "m", "#k": "k", "#q": "q", "#l": "l"}


class Refused(str):
    """A ValidationException's message, with what differs on purpose made alike."""

    __slots__ = ()

    def __new__(cls, message: str) -> Refused:
        for pattern, replacement in (
            (r"^ValidationException: ", ""),
            (r"DynamoDB only supports precision up to 38 digits", "38 significant digits"),
            (r"Attempting to store more than 38 significant digits in a Number", "38 significant digits"),
            (r"; lower bound operand: .*", ""),
            (r"(type: .*, )?valid types: .*", "valid types"),
            (r"operand type: \{.*", "operand type: any"),
            # DynamoDB Local sometimes names a path that has nothing to do with it.
            (r"; path one: .*", ""),
            (r"(missed key schema element).*", r"\1"),
        ):
            message = re.sub(pattern, replacement, message)
        return super().__new__(cls, message)


class Local:
    """DynamoDB Local with one table, over a kept-alive connection."""

    def __init__(self, url: str) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc)
        self.call(
            "CreateTable",
            TableName="expressions",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "sk", "AttributeType": "N"},
            ],
            BillingMode="PAY_PER_REQUEST",
        )

    def close(self) -> None:
        self._connection.close()

    def call(self, operation: str, **members: Any) -> Any:
        headers = {
            "X-Amz-Target": f"DynamoDB_20120810.{operation}",
            "Content-Type": "application/x-amz-json-1.0",
            "Authorization": "AWS4-HMAC-SHA256 Credential=expressions/20260101/eu-west-1/dynamodb/aws4_request, "
            "SignedHeaders=host, Signature=0",
        }
        body = json.dumps({"TableName": "expressions"} | {k: v for k, v in members.items() if v is not None})
        self._connection.request("POST", "/", body, headers)
        response = self._connection.getresponse()
        answer = json.loads(response.read())
        if response.status == 200:
            return answer
        message = answer.get("message") or answer["Message"]
        kind = answer["__type"].rpartition("#")[2]
        return Refused(message) if kind == "ValidationException" else kind

    def condition(self, text: str, names: Any, values: Any) -> Any:
        answer = self.call(
            "UpdateItem",
            Key=KEY,
            ConditionExpression=text,
            UpdateExpression="REMOVE nothing",
            ExpressionAttributeNames=names,
            ExpressionAttributeValues=values,
        )
        return False if answer == "ConditionalCheckFailedException" else True if answer == {} else answer

    def update(self, text: str, names: Any, values: Any) -> Any:
        answer = self.call(
            "UpdateItem",
            Key=KEY,
            UpdateExpression=text,
            ReturnValues="ALL_NEW",
            ExpressionAttributeNames=names,
            ExpressionAttributeValues=values,
        )
        if isinstance(answer, str):
            return answer
        self.put(ITEM)
        return without_order(answer["Attributes"])

    def projection(self, text: str, names: Any, values: Any) -> Any:
        answer = self.call("GetItem", Key=KEY, ProjectionExpression=text, ExpressionAttributeNames=names)
        return answer if isinstance(answer, str) else without_order(answer["Item"])

    def key_condition(self, text: str, names: Any, values: Any) -> Any:
        answer = self.call(
            "Query",
            KeyConditionExpression=text,
            ExpressionAttributeNames=names,
            ExpressionAttributeValues=values,
        )
        return answer if isinstance(answer, str) else True

    def put(self, item: Item) -> None:
        assert self.call("PutItem", Item=item) == {}


def our_condition(text: str, placeholders: Placeholders) -> Any:
    condition = parse_condition(text, placeholders)
    placeholders.check_all_used()
    condition.check_key_paths(("pk", "sk"))
    return condition.matches(ITEM)


def our_update(text: str, placeholders: Placeholders) -> Any:
    update = parse_update(text, placeholders)
    placeholders.check_all_used()
    update.check_key_names(("pk", "sk"))
    update.check_key_paths(("pk", "sk"))
    return without_order(update.apply(ITEM, ("pk", "sk")))


def our_projection(text: str, placeholders: Placeholders) -> Any:
    projection = parse_projection(text, placeholders)
    placeholders.check_all_used()
    projection.check_key_paths(("pk", "sk"))
    return without_order(projection.project(ITEM))


def our_key_condition(text: str, placeholders: Placeholders) -> Any:
    parse_key_condition(text, placeholders, ("pk",), ("sk",), {"pk": "S", "sk": "N"})
    placeholders.check_all_used()
    return True


OURS: dict[str, Callable[[str, Placeholders], Any]] = {
    "condition": our_condition,
    "update": our_update,
    "projection": our_projection,
    "key_condition": our_key_condition,
}


def without_order(value: Any) -> Any:
    """An item with its sets sorted."""
    if isinstance(value, dict):
        return {
            name: sorted(inner) if name in ("SS", "NS", "BS") and isinstance(inner, list) else without_order(inner)
            for name, inner in value.items()
        }
    return [without_order(member) for member in value] if isinstance(value, list) else value


def answers(local: Local, kind: str, text: str) -> tuple[Any, Any]:
    """What DynamoDB Local and the embedded engine make of an expression, given the placeholders it mentions."""
    mentioned = set(re.findall(r"[#:]\w+", text))
    names = {name: target for name, target in NAMES.items() if name in mentioned} or None
    values = {name: value for name, value in VALUES.items() if name in mentioned} or None
    if kind == "projection":
        values = None
    theirs = getattr(local, kind)(text, names, values)
    before = copy.deepcopy(ITEM)
    try:
        ours = OURS[kind](text, Placeholders(names, copy.deepcopy(values)))
    except ServiceError as error:
        ours = Refused(error.message) if error.code == "ValidationException" else error.code
    assert before == ITEM
    return theirs, ours


@pytest.fixture(scope="module")
def local(dynamodb_local: str) -> Iterator[Local]:
    connection = Local(dynamodb_local)
    connection.put(ITEM)
    yield connection
    connection.close()


# Random expressions.

top_paths = st.sampled_from(
    ["s", "n", "b", "t", "z", "ss", "ns", "bs", "l", "m", "q", "#s", "#n", "#m", "#q", "#l", "pk"]
)
inner_paths = st.sampled_from(
    "m.k m.d m.d.e m.l m.l[0] m.l[9] l[0] l[1] l[2] l[2][0] l[3] l[4] l[4].k l[7] l[8] m.q "
    "q.x q[0] s.x n[0] #m.#k #l[1] m[0] l.k".split()
)
wrong_paths = st.sampled_from(["status", "#undefined", "a.status", "m.#undefined", "pk.a"])
paths = st.one_of(top_paths, top_paths, inner_paths, st.one_of(top_paths, inner_paths, wrong_paths))
value_names = st.one_of(st.sampled_from(sorted(VALUES)), st.sampled_from([*sorted(VALUES), ":undefined"]))
parentheses = st.integers(0, 15).map(lambda number: "(" * (number == 0) + "((" * (number == 1))


def grouped(texts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Now and then in parentheses."""
    return st.builds(lambda text, opening: opening + text + ")" * len(opening), texts, parentheses)


def call(names: list[str], *operands: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds(lambda name, *texts: f"{name}({', '.join(texts)})", st.sampled_from(names), *operands)


simple_operands = grouped(st.one_of(paths, paths, value_names))
operands = st.one_of(simple_operands, simple_operands, grouped(call(["size"], simple_operands)))
functions = st.one_of(
    call(["attribute_exists", "attribute_not_exists"], st.one_of(paths, operands)),
    call(["begins_with", "contains"], st.one_of(paths, operands), operands),
    call(["attribute_type"], operands, st.sampled_from([":S", ":N", ":n", "s"])),
    call(["attribute_exists", "size", "begins_with", "foo", "if_not_exists"], operands),
)
comparators = st.sampled_from(["=", "<>", "<", "<=", ">", ">="])
comparisons = st.one_of(
    st.builds(lambda a, operator, b: f"{a} {operator} {b}", operands, comparators, operands),
    st.builds(lambda a, low, high: f"{a} BETWEEN {low} AND {high}", operands, operands, operands),
    st.builds(
        lambda a, choices: f"{a} IN ({', '.join(choices)})", operands, st.lists(operands, min_size=1, max_size=3)
    ),
    functions,
)


@st.composite
def conditions(draw: st.DrawFn, depth: int = 3) -> str:
    form = draw(st.integers(0, 5)) if depth else 0
    if form < 3:
        text = draw(comparisons)
    elif form == 3:
        text = "NOT " + draw(conditions(depth - 1))
    else:
        word = draw(st.sampled_from(["AND", "OR", "and"]))
        text = f"{draw(conditions(depth - 1))} {word} {draw(conditions(depth - 1))}"
    opening = draw(parentheses)
    return opening + text + ")" * len(opening)


set_functions = st.one_of(
    call(["if_not_exists"], paths, simple_operands),
    call(["list_append"], simple_operands, simple_operands),
    call(["if_not_exists"], paths, call(["if_not_exists", "list_append"], paths, value_names)),
    call(["list_append", "if_not_exists", "size", "foo"], simple_operands),
)
set_operands = st.one_of(simple_operands, set_functions)
set_values = st.one_of(
    set_operands,
    grouped(st.builds(lambda a, sign, b: f"{a} {sign} {b}", set_operands, st.sampled_from("+-"), set_operands)),
)
clauses = {
    "SET": st.builds(lambda path, value: f"{path} = {value}", paths, set_values),
    "REMOVE": paths,
    "ADD": st.builds(lambda path, value: f"{path} {value}", paths, st.one_of(st.sampled_from([":n", ":n2", ":ss", ":ns", ":bs"]), value_names)),
    "DELETE": st.builds(lambda path, value: f"{path} {value}", paths, st.one_of(st.sampled_from([":ss", ":ns", ":bs"]), value_names)),
}  # fmt: skip


@st.composite
def updates(draw: st.DrawFn) -> str:
    chosen = draw(
        st.lists(st.sampled_from(sorted(clauses)), min_size=1, max_size=3, unique=draw(st.integers(0, 20)) > 0)
    )
    return " ".join(f"{word} {', '.join(draw(st.lists(clauses[word], min_size=1, max_size=2)))}" for word in chosen)


projections = st.lists(paths, min_size=1, max_size=4).map(", ".join)
key_conditions = st.lists(
    st.one_of(
        st.sampled_from(["pk = :s", "sk = :n", ":s2 = pk", "sk < :n2", ":n > sk", "sk BETWEEN :n2 AND :n", "#q = :n"]),
        st.sampled_from(["pk > :s", "sk = :s", "begins_with(sk, :s)", "begins_with(pk, :s)", "sk <> :n", "size(sk) = :n"]),
        st.builds(lambda a, operator, b: f"{a} {operator} {b}", st.sampled_from(["pk", "sk", "q"]), comparators, value_names),
    ),
    min_size=1,
    max_size=3,
).flatmap(lambda parts: st.sampled_from([" AND ", " AND ", " AND ", " OR "]).map(lambda word: word.join(parts)))  # fmt: skip


@st.composite
def damaged(draw: st.DrawFn, texts: st.SearchStrategy[str]) -> str:
    """A text with a word lost, repeated or put in."""
    words = draw(texts).split(" ")
    position = draw(st.integers(0, len(words) - 1))
    stray = [
        "AND",
        "=",
        ",",
        "(",
        ")",
        ".",
        "[",
        "a",
        "5",
        ":",
        "#",
        "SET",
        "IN",
        "BETWEEN",
        "NOT",
        "+",
        "<",
        "@",
        "é",
        "_",
    ]
    words[position : position + 1] = draw(st.sampled_from([[], [words[position]] * 2])) or [
        draw(st.sampled_from(stray))
    ]
    return " ".join(words)


def agree(local: Local, kind: str, text: str) -> None:
    theirs, ours = answers(local, kind, text)
    if isinstance(theirs, Refused) or isinstance(ours, Refused):
        assert type(theirs) is type(ours), (theirs, ours)
    else:
        assert theirs == ours


@settings(max_examples=250)
@given(text=st.one_of(conditions(), conditions(), damaged(conditions())))
def test_conditions(local: Local, text: str) -> None:
    agree(local, "condition", text)


@settings(max_examples=250)
@given(text=st.one_of(updates(), updates(), damaged(updates())))
def test_updates(local: Local, text: str) -> None:
    agree(local, "update", text)


@settings(max_examples=120)
@given(text=st.one_of(projections, projections, damaged(projections)))
def test_projections(local: Local, text: str) -> None:
    agree(local, "projection", text)


@settings(max_examples=120)
@given(text=key_conditions)
def test_key_conditions(local: Local, text: str) -> None:
    agree(local, "key_condition", text)


# One fault each: the message is DynamoDB Local's own.


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "n", "n =", "= :n", " = :n", "n  =  ", "n = :n s", "n == :n", "n != :n", "n @ :n", 'n = "x"', "n = 5", "n.5 = :n",
        "l[n] = :n", "l[-1] = :n", "l[1.5] = :n", "l[01] = :n", "l[99999999999] = :n", "n-b = :n", "_n = :n", "1n = :n", "# = n", "é = :n",
        "(n = :n", "n = :n)", "((n = :n))", "((n)) = :n", "attribute_exists(((n)))", "(n, s)", "(n AND s)", "NOT n", "n = NOT s",
        "n IN :n", "n IN ()", "n IN (:n,)", "n IN (n = :n)", "n NOT IN (:n)", "n BETWEEN :n", "n BETWEEN :n OR :n", "n = :n = :n", "(n = :n) = :n",
        "foo(n)", "foo()", "attribute_exists n", "attribute_exists()", "attribute_exists(n, s)", "attribute_exists(:n)", "Attribute_Exists(n)",
        "size(n)", "size(:n) = n", "size(size(n)) = :n", "size(n, s) = :n", "attribute_exists(n) = :n", "n IN (attribute_exists(n))",
        "begins_with(s, :n)", "begins_with(s)", "begins_with(size(s), :s)", "attribute_type(s, :s)", "attribute_type(s, :n)", "attribute_type(s, b)",
        "n < :t", ":m >= n", "n BETWEEN :l AND :n", "n BETWEEN :n AND :n2", "n BETWEEN :n AND :s", "b BETWEEN :bs AND :b",
        "n = n", "m.k <> m.k", "n BETWEEN n AND :n", "n IN (:n, n)", "contains(s, s)", "n = :undefined", "#undefined = :n", "m.#undefined = :n",
        "status = :n", "m.status = :n", "n = TRUE", "and = :n", "n + s = :n", "if_not_exists(n, :n) = :n", "n = :n, s = :s", "n..b = :n", "l[0]b = :n",
        "m.k." * 16 + "k = :s", "n" + "[0]" * 32 + " = :n", "pk.a = :s", " AND ".join(["n=:n"] * 151), "NOT " * 300 + "n=:n",
        f"n IN ({','.join([':n'] * 101)})", "n = :n" + " " * 4091, "(" * 2000 + "n = :n" + ")" * 2000, "s" + " = :s" * 3,
    ],
)  # fmt: skip
def test_messages_about_conditions(local: Local, text: str) -> None:
    theirs, ours = answers(local, "condition", text)
    assert isinstance(theirs, Refused)
    assert ours == theirs


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "SET", "SET n", "SET n =", "SET n = :n,", "SET n = :n s = :n", "SET n = :n SET s = :n", "SET n = :n, n = :n", "SET m = :m, m.k = :s",
        "SET m.k = :s, m[0] = :s", "REMOVE n, n", "DELETE n :n", "ADD s :s", "ADD s :t", "ADD n s", "ADD n", "ADD :n :n", "REMOVE :n", "REMOVE", "FOO n",
        "SET n = :s + :n", "SET n = n - :s", "SET n = :n + :n + :n", "SET n = ((:n))", "SET n = :n * :n", "SET n = if_not_exists(n)",
        "SET n = if_not_exists(:n, :n)", "SET n = if_not_exists(s, s)", "SET n = if_not_exists(n, :n + :n)", "SET l = list_append(l, :n)",
        "SET l = list_append(l)", "SET l = list_append(l, :l) + :n", "SET l = list_append(list_append(l, :l), :l)", "SET n = size(s)", "SET n = foo(s)",
        "SET (n) = :n", "SET n = -:n", "SET n = 5", "ADD n (:n)", "SET n = :n,, s = :n", "SET n = :n, REMOVE s", "SET n = :undefined", "SET #undefined = :n",
        "SET pk = :s", "REMOVE sk", "SET pk.a = :s", "SET q = pk.a", "SET status = :n", "SET q.a = :n", "SET s[0] = :n", "SET l.k = :n", "REMOVE q.a",
        "SET q = z2", "SET q = z2 + :n", "SET q = s + :n", "SET q = list_append(s, :l)", "SET q = if_not_exists(s, z2)", "ADD s :n", "ADD ss :ns",
        "DELETE n :ss", "DELETE ss :ns",
    ],
)  # fmt: skip
def test_messages_about_updates(local: Local, text: str) -> None:
    theirs, ours = answers(local, "update", text)
    assert isinstance(theirs, Refused)
    assert ours == theirs


@pytest.mark.parametrize(
    "text",
    ["", " ", "n,", ",n", "n s", "n, n", "m, m.k", "m.k, m[0]", ":n", "(n)", "n = s", "size(n)", "status", "#undefined", "l[", "n.", "n-b", "m.*", "pk.a"],
)  # fmt: skip
def test_messages_about_projections(local: Local, text: str) -> None:
    theirs, ours = answers(local, "projection", text)
    assert isinstance(theirs, Refused)
    assert ours == theirs


@pytest.mark.parametrize(
    "text",
    [
        "sk = :n", "pk > :s", "pk = :s OR sk = :n", "NOT pk = :s", "pk <> :s", "pk IN (:s)", "contains(pk, :s)", "attribute_exists(pk)",
        "pk = :s AND begins_with(sk, :n)", "pk = :s AND begins_with(sk, :s)", "pk = :s AND sk BETWEEN :n AND :n2", "pk = :s AND sk BETWEEN :s AND :n",
        "pk = :s AND sk > :n2 AND sk < :n", "pk = :s AND pk = :s2", "pk = :s AND q = :n", "pk = :n", "pk = sk", "pk = :s AND sk = q", "size(pk) = :n",
        "pk = :s AND size(sk) = :n", "pk = :s AND :n BETWEEN sk AND :n", "begins_with(:s, pk)", ":s = :s2", "pk = :s AND sk = :n AND q = :n",
        "pk = :e", "pk = :s AND sk = :z", "pk = :s AND sk < :z", "", "pk", "pk = :undefined", "#undefined = :s", "status = :s",
    ],
)  # fmt: skip
def test_messages_about_key_conditions(local: Local, text: str) -> None:
    theirs, ours = answers(local, "key_condition", text)
    assert isinstance(theirs, Refused)
    assert ours == theirs


@settings(max_examples=80)
@given(
    sign=st.sampled_from(["", "-", "+"]),
    digits=st.text("0123456789", max_size=41),
    point=st.integers(-1, 41),
    exponent=st.one_of(st.just(""), st.integers(-175, 175).map(lambda power: f"e{power}"), st.sampled_from(["e", "E+", "e1.5"])),
)  # fmt: skip
def test_numbers(local: Local, sign: str, digits: str, point: int, exponent: str) -> None:
    text = sign + (digits if point < 0 else f"{digits[:point]}.{digits[point:]}") + exponent
    key = KEY | {"sk": {"N": "2"}}
    theirs = local.call("PutItem", Item=key | {"v": {"N": text}})
    if not isinstance(theirs, str):
        theirs = local.call("GetItem", Key=key)["Item"]["v"]["N"]
    try:
        ours = canonical_number(text)
    except ServiceError as error:
        ours = Refused(error.message)
    assert type(theirs) is type(ours)
    if not isinstance(ours, Refused):
        assert theirs == ours
