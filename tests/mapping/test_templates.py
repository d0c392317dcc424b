"""Templates: no two sources give one text, texts sort as their sources do, and they can be read back."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timezone
from decimal import Context, Decimal
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from dynawire.mapping.template_parts import (
    Part,
    bool_part,
    exact_part,
    padded_part,
    plain_part,
    text_part,
    whole_part,
)
from dynawire.mapping.templates import BoundTemplate, Template, separator_problem, successor

SEPARATORS = [chr(code) for code in range(33, 127) if separator_problem(chr(code)) is None]

separators = st.sampled_from(SEPARATORS)
texts = st.text(st.sampled_from('%#$!" ab~:|Z0é\U0010ffff') | st.characters(exclude_categories=["Cs"]), max_size=6)
wholes = st.integers(-(10**38) + 1, 10**38 - 1)
exacts = st.decimals(allow_nan=False, allow_infinity=False, places=None).map(
    lambda number: Context(prec=38).create_decimal(number)
)


def within_dynamodb(number: Decimal) -> bool:
    return not number or -130 <= number.adjusted() <= 125


exacts = exacts.filter(within_dynamodb)
times = st.datetimes(timezones=st.just(UTC)).map(lambda at: at.isoformat())


def in_bytes(text: str) -> bytes:
    """What DynamoDB orders by."""
    return text.encode()


# ---------------------------------------------------------------------- one component


@given(separators, st.booleans(), texts)
def test_text_comes_back_and_holds_no_separator(separator: str, last: bool, text: str) -> None:
    part = text_part(separator, last=last)
    written = part.encode(text)
    assert part.decode(written) == text
    assert separator not in written


@given(separators, st.booleans(), texts, texts)
def test_the_text_of_a_beginning_is_the_beginning_of_the_text(separator: str, last: bool, one: str, more: str) -> None:
    part = text_part(separator, last=last)
    assert part.encode(one + more).startswith(part.encode(one))
    # And of nothing else.
    assert part.encode(more).startswith(part.encode(one)) == more.startswith(one)


@given(separators, texts, texts, texts)
def test_the_fast_form_of_text_is_the_same(separator: str, text: str, one: str, other: str) -> None:
    part = text_part(separator, last=False)
    assert fast_form(part, text) == part.encode(text)


@given(st.integers(-5, 10**9))
def test_the_fast_form_of_numbers_is_the_same(number: int) -> None:
    for part in (whole_part(), plain_part(), padded_part(4), exact_part("#", last=False)):
        results = []
        for encode in (part.encode, lambda payload, part=part: fast_form(part, payload)):
            try:
                results.append(encode(str(number)))
            except ValueError as error:
                results.append(str(error))
        assert results[0] == results[1]
    assert fast_form(bool_part(), number > 0) == bool_part().encode(number > 0)


def fast_form(part: Part, payload: Any) -> Any:
    source = part.fast.replace("{encode}", "encode").replace("{special}", "special").replace("{}", "payload")
    return eval(source, {"encode": part.encode, "special": part.special, "payload": payload})


def ordered_with_what_follows(part: Part, separator: str, last: bool, one: Any, other: Any, more: str) -> None:
    """Texts compare as their payloads, whatever stands after the separator."""
    assume(one != other)
    end = "" if last else separator + more
    low, high = sorted([one, other])
    assert in_bytes(part.encode(low) + end) < in_bytes(part.encode(high) + ("" if last else separator))


@given(separators, st.booleans(), texts, texts, texts)
@example("#", False, "a", "a b", "zz")
@example("#", False, "a", "a#", "zz")
@example("#", True, "a#", "a$", "")
def test_text_is_ordered_where_that_is_claimed(separator: str, last: bool, one: str, other: str, more: str) -> None:
    part = text_part(separator, last=last)
    assert part.ordered == (separator < "%")
    if part.ordered:
        ordered_with_what_follows(part, separator, last, one, other, more)


@given(
    separators, st.booleans(), st.one_of([st.tuples(times, times), st.tuples(st.dates().map(str), st.dates().map(str))])
)
def test_dates_are_ordered_where_that_is_claimed(separator: str, last: bool, both: tuple[str, str]) -> None:
    part = text_part(separator, last=last, is_date=True)
    for one in both:
        assert part.decode(part.encode(one)) == one
        assert separator not in part.encode(one)
    if part.ordered:
        ordered_with_what_follows(part, separator, last, *both, "9")


@given(st.times(), st.times())
def test_times_are_ordered(one: time, other: time) -> None:
    ordered_with_what_follows(
        text_part("#", last=False, is_date=True), "#", False, one.isoformat(), other.isoformat(), "9"
    )


@given(separators, wholes, wholes, texts)
@example("#", 0, -1, "")
@example("#", 9, 10, "9")
@example("#", -9, -10, "9")
def test_whole_numbers_sort(separator: str, one: int, other: int, more: str) -> None:
    part = whole_part()
    assert part.decode(part.encode(str(one))) == str(one)
    assume(one != other)
    low, high = sorted([one, other])
    # Whatever follows: a number says itself where it ends.
    assert in_bytes(part.encode(str(low)) + more) < in_bytes(part.encode(str(high)))


@given(separators, st.booleans(), exacts, exacts, texts)
@example("#", False, Decimal(0), Decimal("-1E-130"), "")
@example("#", False, Decimal("-1.2"), Decimal("-1.25"), "9")
@example("-", False, Decimal("1.2"), Decimal("1.25"), "9")
def test_all_numbers_sort(separator: str, last: bool, one: Decimal, other: Decimal, more: str) -> None:
    part = exact_part(separator, last=last)
    assert Decimal(part.decode(part.encode(str(one)))) == one
    assert part.encode(str(one)).isalnum()
    assume(one != other)
    if part.ordered:
        end = "" if last else separator + more
        low, high = sorted([one, other])
        assert in_bytes(part.encode(str(low)) + end) < in_bytes(part.encode(str(high)) + end[:1])


@given(exacts)
def test_equal_numbers_have_one_text(number: Decimal) -> None:
    part = exact_part("#", last=True)
    assert part.encode(f"{number:E}") == part.encode(str(number)) == part.encode(f"{number:f}")


@given(st.integers(0, 10**8 - 1), st.integers(0, 10**8 - 1))
def test_padded_numbers_sort(one: int, other: int) -> None:
    part = padded_part(8)
    assert part.decode(part.encode(str(one))) == str(one)
    assert (part.encode(str(one)) < part.encode(str(other))) == (one < other)


@pytest.mark.parametrize("number", ["-1", "1000", "1.5", "1E+3"])
def test_numbers_that_do_not_fit_the_width_are_refused(number: str) -> None:
    with pytest.raises(ValueError, match=r"999|whole"):
        padded_part(3).encode(number)


@given(st.integers())
def test_plain_numbers_come_back(number: int) -> None:
    assert plain_part().decode(plain_part().encode(str(number))) == str(number)


@pytest.mark.parametrize(
    ("part", "texts"),
    [
        (whole_part(), ["", "42", "p42", "p0142", "p0205", "n98", "n9912", "x015", "p015x", "p0１"]),
        (exact_part("#", last=True), ["", "p", "p500", "p5010", "p50110", "n500", "n4989", "p00012", "x"]),
        (padded_part(3), ["", "1", "0001", "-01", "1x1", "١٢٣"]),
        (plain_part(), ["", "01", "x", "1.0", "+1", "١"]),
        (bool_part(), ["", "True", "0"]),
    ],
)
def test_other_texts_are_none(part: Part, texts: list[str]) -> None:
    for text in texts:
        with pytest.raises(ValueError, match=r"is no text of such a value|invalid literal"):
            part.decode(text)


def test_bools_sort() -> None:
    part = bool_part()
    assert [part.encode(False), part.encode(True)] == sorted([part.encode(True), part.encode(False)])
    assert [part.decode(part.encode(one)) for one in (True, False)] == [True, False]


# ---------------------------------------------------------------------- whole templates


def bound(text: str, separator: str = "#", **kinds: str) -> BoundTemplate:
    template = Template.parse(text, separator)
    parts: list[Part] = []
    for place, component in enumerate(template.components):
        last = place == len(template.components) - 1 and not template.literals[-1]
        kind = kinds.get(component.name, "S")
        parts.append(whole_part() if kind == "N" else text_part(separator, last=last))
    return BoundTemplate(template, parts, [component.name for component in template.components])


TEMPLATES = ["{a}", "X#{a}", "X#{a}#", "{a}#{b}", "X{a}#Y#{b}", "X#{a}#{b}#Z", "{a}#{a}#{b}", "X#{a}#{n}", "{n}#{a}"]


@given(st.sampled_from(TEMPLATES), separators, st.tuples(texts, texts, wholes), st.tuples(texts, texts, wholes))
def test_no_two_sources_give_one_text(
    text: str, separator: str, one: tuple[str, str, int], other: tuple[str, str, int]
) -> None:
    template = bound(text.replace("#", separator), separator, n="N")
    used = set(template.sources)

    def item(values: tuple[str, str, int]) -> dict[str, Any]:
        a, b, n = values
        every = {"a": {"S": a}, "b": {"S": b}, "n": {"N": str(n)}}
        return {name: wire for name, wire in every.items() if name in used}

    assert template.read(template.text(item(one))) == item(one)
    assert (template.text(item(one)) == template.text(item(other))) == (item(one) == item(other))


@given(
    st.lists(st.sampled_from([*TEMPLATES, "X", "X#Y", "XY#{a}", "{a}#X", "Y#{a}"]), min_size=2, max_size=2),
    texts,
    texts,
    wholes,
)
def test_templates_that_do_not_overlap_never_give_one_text(pair: list[str], a: str, b: str, n: int) -> None:
    one, other = (bound(text, n="N") for text in pair)
    text = one.text({"a": {"S": a}, "b": {"S": b}, "n": {"N": str(n)}})
    if not one.template.overlaps(other.template):
        assert other.read(text) is None
    assert one.template.overlaps(one.template)
    assert one.template.overlaps(other.template) == other.template.overlaps(one.template)


@pytest.mark.parametrize(
    ("one", "other", "overlap"),
    [
        ("USER#{a}", "ORDER#{a}", False),
        ("USER#{a}", "USER#{b}", True),
        ("USER#{a}", "USER#{a}#X", False),
        ("A{x}", "AB{x}", True),
        ("{x}", "PROFILE", True),
        ("{x}#A", "{x}#B", False),
        ("PROFILE", "PROFILE", True),
        ("PROFILE", "PROFILES", False),
    ],
)
def test_overlap(one: str, other: str, overlap: bool) -> None:
    assert Template.parse(one).overlaps(Template.parse(other)) is overlap


def test_templates_with_other_separators_may_overlap() -> None:
    assert Template.parse("A#{x}").overlaps(Template.parse("B~{x}", "~"))


@pytest.mark.parametrize("text", ["", "X", "X#", "Y#a", "X#a#b", "X#%zz", "X#a%23", "X#a$"])
def test_texts_of_other_shapes_are_not_read(text: str) -> None:
    template = bound("X#{a}")
    found = template.read(text)
    if found is not None:
        assert template.text(found) == text
    assert (found is None) == (text not in ("X#", "X#a%23"))


def test_beginnings_end_where_a_source_is_not_known() -> None:
    template = bound("X#{a}#Y#{b}")
    known = {"a": {"S": "1"}}
    assert list(template.beginnings(known)) == [(0, "X#"), (1, "X#1#Y#")]
    assert list(template.beginnings(known | {"b": {"S": "2"}}))[-1] == (2, "X#1#Y#2")


@given(texts.filter(bool), texts)
def test_the_successor_is_above_every_continuation(text: str, more: str) -> None:
    assume(text[-1] != "\U0010ffff")
    assert in_bytes(text + more) < in_bytes(successor(text))
    assert in_bytes(successor("\ud7ff")) == "\ue000".encode()


def test_braces_are_written_twice() -> None:
    template = bound("{{{a}#}}")
    assert template.text({"a": {"S": "x"}}) == "{x#}"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{a}{b}", "must be followed by the separator '#'"),
        ("{a}x", "must be followed by the separator '#'"),
        ("{a}-{b}", "declare separator="),
        ("{a!r}", "no attribute's name"),
        ("{}", "no attribute's name"),
        ("{a.b}", "no attribute's name"),
        ("{a", "write {name}"),
        ("a}", "write {name}"),
        ("{a:x}", "after the colon"),
        ("{a:39}", "after the colon"),
        ("{a:039}", "after the colon"),
        ("{a:00}", "after the colon"),
        (7, "is text such as"),
    ],
)
def test_what_is_no_template_is_refused(text: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Template.parse(text)


@pytest.mark.parametrize("separator", ["", "##", "a", "7", "%", "{", " ", "é", None, 7])
def test_what_is_no_separator_is_refused(separator: Any) -> None:
    with pytest.raises(ValueError, match="one printable ASCII character"):
        Template.parse("{a}", separator)


def test_dates_are_what_the_safe_alphabet_is_for() -> None:
    part = text_part("#", last=False, is_date=True)
    for value in (date(2026, 1, 2), datetime(2026, 1, 2, 3, tzinfo=timezone.utc)):  # noqa: UP017
        assert part.encode(value.isoformat()) == value.isoformat()
