"""What an expression's text alone tells: syntax, functions, reserved words, limits; in the service's wording."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from dynawire.engines.embedded.expressions import Placeholders, parse_condition, parse_projection, parse_update
from dynawire.engines.embedded.reserved import RESERVED_WORDS, is_reserved
from dynawire.errors import ServiceError

CONDITION = "ConditionExpression"
UPDATE = "UpdateExpression"
PROJECTION = "ProjectionExpression"
PARSERS: dict[str, Callable[[str, Placeholders], object]] = {
    CONDITION: parse_condition,
    UPDATE: parse_update,
    PROJECTION: parse_projection,
}


def refusal(kind: str, text: str) -> str:
    """The message an expression is refused with, without its common beginning."""
    placeholders = Placeholders(None, {":a": {"S": "x"}})
    with pytest.raises(ServiceError) as caught:
        PARSERS[kind](text, placeholders)
    assert caught.value.code == "ValidationException"
    start = f"ValidationException: Invalid {kind}: "
    assert caught.value.message.startswith(start)
    return caught.value.message.removeprefix(start)


@pytest.mark.parametrize(
    ("text", "token", "near"),
    [
        (" ", "<EOF>", " "),
        ("a", "<EOF>", "a"),
        ("a =", "<EOF>", "="),
        ("a  =  ", "<EOF>", "=  "),
        ("= :a", "=", "= :a"),
        (" = :a", "=", " = :a"),
        ("a = :a b", "b", ":a b"),
        ("a == :a", "=", "== :a"),
        ("a != :a", "!", "a !="),
        ("a = :a  ;  b", ";", ":a  ;  b"),
        ('a = "x"', '"', '= "x'),
        ("a = 5", "5", "= 5"),
        ("a.5 = :a", "5", ".5 ="),
        ("a.b.5c = :a", "5", ".5c"),
        ("a[b] = :a", "b", "[b]"),
        ("a[-1] = :a", "-", "[-1"),
        ("a[1.5] = :a", ".", "1.5"),
        ("a[01] = :a", "1", "01]"),
        ("a[:b] = :a", ":b", "[:b]"),
        ("a-b = :a", "-", "a-b"),
        ("_a = :a", "_", "_a"),
        ("1a = :a", "1", "1a"),
        (": = a", ":", ": ="),
        ("# = a", "#", "# ="),
        ("é = :a", "é", "é ="),
        ("(a = :a", "<EOF>", ":a"),
        ("a = :a)", ")", ":a)"),
        ("(a)", "<EOF>", ")"),
        ("(a, b)", ",", "a, b"),
        ("(a AND b)", "AND", "a AND b"),
        ("NOT a", "<EOF>", "a"),
        ("a = NOT b", "NOT", "= NOT b"),
        ("and = :a", "and", "and ="),
        ("SET a = :a", "SET", "SET a"),
        ("a IN :a", ":a", "IN :a"),
        ("a IN ()", ")", "()"),
        ("a IN (:a,)", ")", ",)"),
        ("a IN (b = :a)", "=", "b = :a"),
        ("a NOT IN (:a)", "NOT", "a NOT IN"),
        ("a BETWEEN :a", "<EOF>", ":a"),
        ("a BETWEEN :a OR :a", "OR", ":a OR :a"),
        ("a BETWEEN :a AND :a AND :a", "<EOF>", ":a"),
        ("a = :a = :a", "=", ":a = :a"),
        ("(a = :a) = :a", "=", ") = :a"),
        ("a = (b = :a)", "=", "b = :a"),
        ("a..b = :a", ".", "..b"),
        ("a[0]b = :a", "b", "]b ="),
        ("a[0", "<EOF>", "0"),
        ("attribute_exists a", "a", "attribute_exists a"),
        ("attribute_exists()", ")", "()"),
        ("attribute_exists(a", "<EOF>", "a"),
        ("(size(a)).b > :a", ".", ").b"),
        ("a + b = :a", "+", "a + b"),
    ],
)
def test_syntax_errors_point_at_the_token(text: str, token: str, near: str) -> None:
    assert refusal(CONDITION, text) == f'Syntax error; token: "{token}", near: "{near}"'


@pytest.mark.parametrize(
    ("text", "token", "near"),
    [
        ("SET", "<EOF>", "SET"),
        ("SET a", "<EOF>", "a"),
        ("SET a = :a,", "<EOF>", ","),
        ("SET a = :a b = :a", "b", ":a b ="),
        ("SET a = :a; ", ";", ":a; "),
        ("SET a = :a + :a + :a", "+", ":a + :a"),
        ("SET a = (b + :a) + :a", "+", ") + :a"),
        ("SET a = -:a", "-", "= -:a"),
        ("SET (a) = :a", "(", "SET (a"),
        ("SET :a = a", ":a", "SET :a ="),
        ("SET a = if_not_exists(a, :a + :a)", "+", ":a + :a"),
        ("SET a = :a AND b = :a", "AND", ":a AND b"),
        ("SET a = :a, REMOVE b", "REMOVE", ", REMOVE b"),
        ("SET a = b < c", "<", "b < c"),
        ("SET a = NOT b", "NOT", "= NOT b"),
        ("FOO a", "FOO", "FOO a"),
        ("REMOVE", "<EOF>", "REMOVE"),
        ("REMOVE a b", "b", "a b"),
        ("ADD a", "<EOF>", "a"),
        ("ADD a b", "b", "a b"),
        ("ADD a (:a)", "(", "a (:a"),
        ("ADD a :a b :a", "b", ":a b :a"),
        ("DELETE a = :a", "=", "a = :a"),
    ],
)
def test_syntax_errors_in_updates(text: str, token: str, near: str) -> None:
    assert refusal(UPDATE, text) == f'Syntax error; token: "{token}", near: "{near}"'


@pytest.mark.parametrize(
    ("text", "token", "near"),
    [
        ("a,", "<EOF>", ","),
        (",a", ",", ",a"),
        ("a b", "b", "a b"),
        (":a", ":a", ":a"),
        ("(a)", "(", "(a"),
        ("a.*", "*", ".*"),
        ("size(a)", "(", "size(a"),
    ],
)
def test_syntax_errors_in_projections(text: str, token: str, near: str) -> None:
    assert refusal(PROJECTION, text) == f'Syntax error; token: "{token}", near: "{near}"'


@pytest.mark.parametrize("kind", [CONDITION, UPDATE, PROJECTION])
def test_empty_and_too_long(kind: str) -> None:
    assert refusal(kind, "") == "The expression can not be empty;"
    assert refusal(kind, "a" * 4097) == "Expression size has exceeded the maximum allowed size; expression size: 4097"
    assert refusal(kind, "é" * 2049).endswith("expression size: 4098")


def test_the_longest_expression_is_read() -> None:
    text = "a = :a".ljust(4096)
    assert parse_condition(text, Placeholders(None, {":a": {"S": "x"}})).matches({"a": {"S": "x"}})


@pytest.mark.parametrize(
    "text",
    [
        "((a = :a))",
        "((a)) = :a",
        "NOT ((a = :a))",
        "(((a)) = :a)",
        "a = :a AND ((b = :a OR b = :a))",
        "attribute_exists(((a)))",
        "a IN (((:a)))",
        "NOT (((a = :a))) b,",
        "(" * 2000 + "a = :a" + ")" * 2000,
    ],
)
def test_redundant_parentheses(text: str) -> None:
    assert refusal(CONDITION, text) == "The expression has redundant parentheses;"


def test_redundant_parentheses_in_updates() -> None:
    assert refusal(UPDATE, "SET a = ((:a))") == "The expression has redundant parentheses;"


@pytest.mark.parametrize(
    "text",
    [
        "(a = :a)",
        "(a) = (:a)",
        "((a) = :a)",
        "((a = :a) AND b = :a)",
        "a IN ((:a), :a)",
        "attribute_exists((a))",
        "(NOT (a = :a))",
        "a BETWEEN (:a) AND (:a)",
        "(size(a)) = :a",
    ],
)
def test_parentheses_that_are_not_redundant(text: str) -> None:
    parse_condition(text, Placeholders(None, {":a": {"S": "x"}}))


@pytest.mark.parametrize(
    ("kind", "text", "function"),
    [
        (CONDITION, "foo(a)", "foo"),
        (CONDITION, "a = :a AND foo(a, b)", "foo"),
        (CONDITION, "Attribute_Exists(a)", "Attribute_Exists"),
        (CONDITION, "foo(status)", "foo"),
        (UPDATE, "SET a = foo(a)", "foo"),
    ],
)
def test_unknown_functions(kind: str, text: str, function: str) -> None:
    assert refusal(kind, text) == f"Invalid function name; function: {function}"


def test_functions_of_the_other_language() -> None:
    message = refusal(CONDITION, "if_not_exists(a, :a) = :a")
    assert message == "The function is not allowed in a condition expression; function: if_not_exists"
    message = refusal(UPDATE, "SET a = size(a)")
    assert message == "The function is not allowed in an update expression; function: size"


@pytest.mark.parametrize(
    ("kind", "text", "function"),
    [
        (CONDITION, "size(a)", "size"),
        (CONDITION, "size(a) AND a = :a", "size"),
        (CONDITION, "NOT (size(a))", "size"),
        (CONDITION, "attribute_exists(a) = :a", "attribute_exists"),
        (CONDITION, "(attribute_exists(a)) = :a", "attribute_exists"),
        (CONDITION, "a IN (attribute_exists(a))", "attribute_exists"),
        (CONDITION, "size(contains(a, b)) = :a", "contains"),
        (CONDITION, "a BETWEEN contains(a, b) AND :a", "contains"),
        (UPDATE, "SET a = list_append(a, :a) + :a", "list_append"),
        (UPDATE, "SET a = list_append(list_append(a, :a), :a)", "list_append"),
        (UPDATE, "SET a = if_not_exists(a, list_append(a, :a))", "list_append"),
    ],
)
def test_functions_in_the_wrong_place(kind: str, text: str, function: str) -> None:
    message = refusal(kind, text)
    assert message == f"The function is not allowed to be used this way in an expression; function: {function}"


@pytest.mark.parametrize(
    ("text", "clause"),
    [("SET a = :a SET b = :a", "SET"), ("REMOVE a ADD b :a remove c", "REMOVE"), ("SET a = #c set c = :d", "SET")],
)
def test_each_clause_once(text: str, clause: str) -> None:
    assert refusal(UPDATE, text) == f'The "{clause}" section can only be used once in an update expression;'


@pytest.mark.parametrize(
    ("kind", "text", "word"),
    [
        (CONDITION, "Status = :a", "Status"),
        (CONDITION, "a.status = :a", "status"),
        (CONDITION, "size(status) = :a", "status"),
        (CONDITION, "size = :a", "size"),
        (CONDITION, "a = TRUE", "TRUE"),
        (PROJECTION, "a, status", "status"),
        (UPDATE, "SET status = foo(:a)", "status"),
        (UPDATE, "SET #c = :c SET abOrt = true", "abOrt"),
    ],
)
def test_reserved_words_are_refused(kind: str, text: str, word: str) -> None:
    assert refusal(kind, text) == f"Attribute name is a reserved keyword; reserved keyword: {word}"


def test_limits_of_paths() -> None:
    message = "The document path has too many nesting levels; nesting levels: 33"
    assert refusal(CONDITION, "a" + "[0]" * 32 + " = :a") == message
    assert refusal(PROJECTION, "a" + ".a" * 32) == message
    parse_projection("a" + ".a" * 31, Placeholders(None, None))
    message = "List index is not within the allowable range; index: [99999999999]"
    assert refusal(CONDITION, "a[99999999999] = :a") == message


@pytest.mark.parametrize(
    ("allowed", "refused"),
    [
        (" AND ".join(["a=:a"] * 150), " AND ".join(["a=:a"] * 151)),
        ("NOT " * 299 + "a=:a", "NOT " * 300 + "a=:a"),
        (" AND ".join(["attribute_exists(a)"] * 150), " AND ".join(["attribute_exists(a)"] * 151)),
        (" AND ".join(["size(a)=:a"] * 100), " AND ".join(["size(a)=:a"] * 101)),
        (" OR ".join(["a BETWEEN :a AND :a"] * 150), " OR ".join(["a BETWEEN :a AND :a"] * 151)),
    ],
)
def test_at_most_300_operators(allowed: str, refused: str) -> None:
    parse_condition(allowed, Placeholders(None, {":a": {"S": "x"}}))
    message = refusal(CONDITION, refused)
    assert message == "The expression contains too many operators; operator count: 301"


def test_at_most_100_choices() -> None:
    parse_condition(f"a IN ({','.join([':a'] * 100)})", Placeholders(None, {":a": {"S": "x"}}))
    message = refusal(CONDITION, f"a IN ({','.join([':a'] * 101)})")
    assert message == "The IN operator is provided with too many operands; number of operands: 101"


@pytest.mark.parametrize(
    "text",
    [
        "(" * 10_000 + "a = :a" + ")" * 10_000,
        "(" * 4_000,
        "NOT " * 1_000,
        "size(" * 800,
        "size(" * 290 + "a" + ")" * 290 + " = :a",
        "contains(a, " * 299 + ":a" + ")" * 299,
        "a IN (" * 600,
        "a[" * 2_000,
        "a." * 2_000,
    ],
)
def test_absurd_texts_are_refused_and_do_not_exhaust_the_stack(text: str) -> None:
    assert refusal(CONDITION, text)


@pytest.mark.parametrize(
    "text",
    [
        "NOT (" * 140 + "a = :a" + ")" * 140,
        "(a=:a AND " * 140 + "a = :a" + ")" * 140,
        "(a=:a OR (a=:a AND " * 70 + "a = :a" + "))" * 70,
        "NOT (a=:a AND " * 90 + "a = :a" + ")" * 90,
    ],
)
def test_the_deepest_conditions_need_little_of_the_stack(text: str) -> None:
    limit = sys.getrecursionlimit()
    depth = 0
    frame = sys._getframe()
    while frame.f_back is not None:
        frame, depth = frame.f_back, depth + 1
    sys.setrecursionlimit(depth + 320)
    try:
        parse_condition(text, Placeholders(None, {":a": {"S": "x"}})).matches({"a": {"S": "x"}})
    finally:
        sys.setrecursionlimit(limit)


def test_deep_updates_need_little_of_the_stack() -> None:
    text = "SET n = " + "if_not_exists(b, " * 200 + ":a" + ")" * 200
    update = parse_update(text, Placeholders(None, {":a": {"S": "x"}}))
    assert update.apply({}) == {"n": {"S": "x"}}


def test_the_reserved_words() -> None:
    assert len(RESERVED_WORDS) == 573
    assert all(word.isalpha() and word.isupper() for word in RESERVED_WORDS)
    assert {"ABORT", "NAME", "SIZE", "STATUS", "TTL", "ZONE"} <= RESERVED_WORDS
    assert is_reserved("nAmE")
    assert not is_reserved("title")


def test_a_name_behind_a_placeholder_is_never_reserved() -> None:
    placeholders = Placeholders({"#s": "status"}, {":a": {"S": "x"}})
    assert parse_condition("#s = :a", placeholders).matches({"status": {"S": "x"}})


def test_keywords_and_spaces_in_any_form() -> None:
    values = {":a": {"N": "1"}, ":b": {"N": "2"}}
    text = " a\tbetween\n:a\r\nAnd :b   or not(a=:a)and a In(:b) "
    assert parse_condition(text, Placeholders(None, values)).matches({"a": {"N": "2"}})


def test_a_parsed_text_serves_other_names_and_values() -> None:
    text = "#n = :v"
    first = parse_condition(text, Placeholders({"#n": "a"}, {":v": {"S": "x"}}))
    second = parse_condition(text, Placeholders({"#n": "b"}, {":v": {"S": "y"}}))
    assert [first.matches(item) for item in ({"a": {"S": "x"}}, {"b": {"S": "y"}})] == [True, False]
    assert [second.matches(item) for item in ({"a": {"S": "x"}}, {"b": {"S": "y"}})] == [False, True]
