"""Single values: what is taken, what is refused and why, and how it stands on the wire."""

from __future__ import annotations

import enum
import math
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Context, Decimal, localcontext
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
import pytest

from dynawire import DecodeError, EpochSeconds, Json, LimitExceeded, NaiveDatetime, Stored, ValidationError
from dynawire.codec.base import Codec
from dynawire.codec.resolve import Resolver

NAIVE = datetime(2020, 1, 1, tzinfo=UTC).replace(tzinfo=None)


def codec(annotation: Any) -> Codec:
    return Resolver().codec(annotation)


class Colour(enum.Enum):
    RED = "red"


class Lenient(enum.Enum):
    KNOWN = "known"
    OTHER = "other"

    @classmethod
    def _missing_(cls, value: object) -> Lenient:
        return cls.OTHER


class Mode(enum.Flag):
    A = 1
    B = 2


class Text(str):
    """A str with a text of its own."""

    def __str__(self) -> str:
        return "something else"


class Moment(datetime):
    """A datetime of its own, as pandas and others have."""

    def isoformat(self, sep: str = "T", timespec: str = "auto") -> str:
        return "something else"


class Day(date):
    def isoformat(self) -> str:
        return "something else"


class Clock(time):
    def isoformat(self, timespec: str = "auto") -> str:
        return "something else"


class Money(Decimal):
    def __str__(self) -> str:
        return f"{self:.2f}"


class Identifier(UUID):
    def __str__(self) -> str:
        return "something else"


ON_THE_WIRE: list[tuple[Any, Any, dict[str, Any]]] = [
    (str, "", {"S": ""}),
    (str, "é\x00", {"S": "é\x00"}),
    (str, Text("x"), {"S": "x"}),
    (int, 10**38 - 1, {"N": "9" * 38}),
    (int, 10**125, {"N": "1" + "0" * 125}),
    (int, enum.IntEnum("N", {"ONE": 1})(1), {"N": "1"}),
    (float, 0.1, {"N": "0.1"}),
    (float, -0.0, {"N": "-0.0"}),
    (float, 1e22, {"N": "1e+22"}),
    (float, 1e-130, {"N": "1e-130"}),
    (float, 3, {"N": "3"}),
    (Decimal, Decimal("1.50"), {"N": "1.50"}),
    (Decimal, Decimal("9." + "9" * 37 + "E+125"), {"N": "9." + "9" * 37 + "E+125"}),
    (Decimal, Decimal("0E-300"), {"N": "0"}),
    (Decimal, 3, {"N": "3"}),
    (bool, True, {"BOOL": True}),
    (bytes, bytearray(b"x"), {"B": b"x"}),
    (bytes, memoryview(b"x"), {"B": b"x"}),
    (datetime, datetime(2020, 1, 1, tzinfo=timezone(timedelta(hours=2))), {"S": "2019-12-31T22:00:00+00:00"}),
    (date, Day(2020, 1, 1), {"S": "2020-01-01"}),
    (time, Clock(1, 2), {"S": "01:02:00"}),
    (Annotated[datetime, NaiveDatetime], Moment(2020, 1, 1), {"S": "2020-01-01T00:00:00"}),
    (Decimal, Money("1.005"), {"N": "1.005"}),
    (UUID, Identifier(int=5), {"S": "00000000-0000-0000-0000-000000000005"}),
    (datetime, Moment(2020, 1, 1, 0, 0, 0, 5, tzinfo=UTC), {"S": "2020-01-01T00:00:00.000005+00:00"}),
    (Annotated[datetime, NaiveDatetime], NAIVE, {"S": "2020-01-01T00:00:00"}),
    (Annotated[datetime, msgspec.Meta(tz=False)], NAIVE, {"S": "2020-01-01T00:00:00"}),
    (Annotated[datetime, EpochSeconds], datetime(1969, 12, 31, 23, 59, 58, 500_000, tzinfo=UTC), {"N": "-2"}),
    (date, date(1, 2, 3), {"S": "0001-02-03"}),
    (time, time(1, 2, 3, 4), {"S": "01:02:03.000004"}),
    (timedelta, timedelta(days=-1, microseconds=1), {"N": "-86399.999999"}),
    (timedelta, timedelta(0), {"N": "0"}),
    (UUID, UUID(int=1), {"S": "00000000-0000-0000-0000-000000000001"}),
    (Colour, Colour.RED, {"S": "red"}),
    (Mode, Mode.A | Mode.B, {"N": "3"}),
    (Literal[1, 2], 2, {"N": "2"}),
    (Annotated[dict[str, Any], Json], {"a": [1, None]}, {"S": '{"a":[1,null]}'}),
    (Annotated[complex, Stored(str, complex)], 1j, {"S": "1j"}),
    (int | str, "1", {"S": "1"}),
    (int | str, 1, {"N": "1"}),
    (Any, {"a": (1, 2.5, None, b"x", {"y"})}, None),
]


@pytest.mark.parametrize(("annotation", "value", "wire"), ON_THE_WIRE)
def test_on_the_wire(annotation: Any, value: Any, wire: dict[str, Any] | None) -> None:
    found = codec(annotation).encode(value)
    if wire is None:
        wire = {"M": {"a": {"L": [{"N": "1"}, {"N": "2.5"}, {"NULL": True}, {"B": b"x"}, {"SS": ["y"]}]}}}
    assert found == wire
    assert [type(one) for one in found.values()] == [type(one) for one in wire.values()]


REFUSED: list[tuple[Any, Any, str]] = [
    (str, 1, "must be str, not int"),
    (str, "\ud800", "lone surrogate"),
    (str, b"x", "must be str, not bytes"),
    (int, True, "must be int, not bool"),
    (int, 1.0, "must be int, not float"),
    (int, "1", "must be int, not str"),
    (int, 10**38 + 1, "38 significant digits"),
    (int, 10**126, "beyond DynamoDB's range"),
    (int, -(10**4000), "beyond DynamoDB's range"),
    (float, math.nan, "not a finite number"),
    (float, -math.inf, "not a finite number"),
    (float, 5e-324, "beyond DynamoDB's range"),
    (float, 1e126, "beyond DynamoDB's range"),
    (float, True, "must be float, not bool"),
    (float, 2**53 + 1, "would come back as another number"),
    (float, Decimal(1), "must be float, not Decimal"),
    (Decimal, 0.1, "Decimal(str(x))"),
    (Decimal, Decimal("1." + "1" * 38), "38 significant digits"),
    (Decimal, Decimal("1E+126"), "beyond DynamoDB's range"),
    (Decimal, Decimal("1E-131"), "beyond DynamoDB's range"),
    (Decimal, Decimal("NaN"), "not a finite number"),
    (Decimal, Decimal("sNaN"), "not a finite number"),
    (Decimal, Decimal("Infinity"), "not a finite number"),
    (bool, 1, "must be bool, not int"),
    (bytes, "x", "must be bytes, not str"),
    (datetime, NAIVE, "without time zone"),
    (datetime, date(2020, 1, 1), "must be datetime, not date"),
    (datetime, datetime.min.replace(tzinfo=timezone(timedelta(hours=1))), "beyond the years"),
    (Annotated[datetime, NaiveDatetime], NAIVE.replace(tzinfo=UTC), "with time zone"),
    (Annotated[datetime, EpochSeconds], NAIVE, "without time zone"),
    (Annotated[datetime, EpochSeconds], 1, "must be datetime, not int"),
    (date, NAIVE, "must be date, not datetime"),
    (time, "10:00", "must be time, not str"),
    (timedelta, 1, "must be timedelta, not int"),
    (UUID, "x", "must be UUID, not str"),
    (Colour, "red", "must be Colour, not str"),
    (Literal["a"], "b", "must be one of Literal['a']"),
    (Literal[1], True, "not bool"),
    (Mode, 1, "must be Mode, not int"),
    (Annotated[dict[str, int], Json], {"a": "x"}, "as JSON can hold it"),
    (Annotated[float, Json], math.nan, "JSON"),
    (Annotated[dict[str, Any], Json], {"a": math.nan}, "not come back equal"),
    (Annotated[dict[str, Any], Json], {"a": b"x"}, "not come back equal"),
    (Annotated[dict[str, Any], Json], {"a": (1,)}, "not come back equal"),
    (Annotated[complex, Stored(str, complex)], "x", "must be complex, not str"),
    (Annotated[complex, Stored(lambda value: 1 / 0, complex)], 1j, "its encode function raised ZeroDivisionError at "),
    (Annotated[complex, Stored(lambda value: 1, complex)], 1j, "must be str, not int"),
    (int | float, True, "must be int | float, not bool"),
    (int | float, 1e23, "declare it float, or give an int"),
    (int | float, math.nan, "not a finite number"),
    (int | Decimal, 1.0, "must be int | Decimal, not float"),
    (int | str, 1.0, "must be int | str, not float"),
    (int | str, "\ud800", "lone surrogate"),
    (Any, object(), "of type object has no DynamoDB type"),
    (Any, set(), "empty set"),
    (Any, {1, "a"}, "not all text"),
    (Any, {0.1, Decimal("0.1")}, "stored as the same number"),
    (Any, {1: 2}, "map key of type int"),
    (Any, {"": 2}, "empty map key"),
    (Any, ["\ud800"], "lone surrogate"),
    (Any, {"\ud800": 1}, "lone surrogate"),
    (Any, math.inf, "not a finite number"),
    (Any, Colour.RED, "has no DynamoDB type"),
]


@pytest.mark.parametrize(("annotation", "value", "reason"), REFUSED)
def test_refused(annotation: Any, value: Any, reason: str) -> None:
    with pytest.raises(ValidationError) as caught:
        codec(annotation).encode(value)
    assert reason in str(caught.value)
    assert caught.value.errors == ((caught.value.attribute or "", str(caught.value)),)


MISREAD: list[tuple[Any, dict[str, Any], str]] = [
    (str, {"N": "1"}, "expected str, found DynamoDB type N"),
    (int, {"S": "1"}, "expected int, found DynamoDB type S"),
    (int, {"N": "1.5"}, "expected int"),
    (int, {"NULL": True}, "found DynamoDB type NULL"),
    (bool, {"S": "true"}, "expected bool"),
    (bytes, {"B": "!!"}, "expected bytes"),
    (Any, {"B": "!"}, "not base64"),
    (datetime, {"S": "2020-01-01T00:00:00"}, "without time zone"),
    (datetime, {"S": "yesterday"}, "expected datetime"),
    (Annotated[datetime, NaiveDatetime], {"S": "2020-01-01T00:00:00Z"}, "with time zone"),
    (Annotated[datetime, EpochSeconds], {"N": "1" + "0" * 20}, "beyond the years"),
    (time, {"S": "25:00"}, "not an ISO 8601 time"),
    (timedelta, {"N": "0.0000001"}, "more than six decimals"),
    (timedelta, {"N": "1" + "0" * 30}, "too long"),
    (Colour, {"S": "blue"}, "none of the members of Colour"),
    (Colour, {"N": "1"}, "expected Colour"),
    (Literal[1, 2], {"N": "3"}, "none of Literal[1, 2]"),
    (Mode, {"N": "9"}, "no combination"),
    (Annotated[dict[str, int], Json], {"S": "{"}, "not JSON"),
    (Annotated[dict[str, int], Json], {"S": '{"a":"secret"}'}, "JSON text that is not dict[str, int]"),
    (Annotated[complex, Stored(str, complex)], {"S": "secret"}, "its decode function raised ValueError"),
    (str | None, {"N": "1"}, "a value of another type"),
    (str | None, {"NULL": False}, "a value of another type"),
    (int | str, {"BOOL": True}, "a value of another type"),
    (int | str | None, {"L": []}, "a value of another type"),
]


@pytest.mark.parametrize(("annotation", "wire", "reason"), MISREAD)
def test_misread(annotation: Any, wire: dict[str, Any], reason: str) -> None:
    with pytest.raises(DecodeError) as caught:
        codec(annotation).decode(wire)
    assert reason in str(caught.value)
    assert "secret" not in str(caught.value)
    assert caught.value.expected == codec(annotation).describe()


def test_an_enum_may_know_unknown_values() -> None:
    assert codec(Lenient).decode({"S": "new"}) is Lenient.OTHER


def test_other_writers_forms_are_read() -> None:
    assert codec(datetime).decode({"S": "2020-01-01T02:00:00+02:00"}) == datetime(2020, 1, 1, tzinfo=UTC)
    assert codec(datetime).decode({"S": "2020-01-01T00:00:00Z"}) == datetime(2020, 1, 1, tzinfo=UTC)
    assert codec(int).decode({"N": "1E+3"}) == 1000
    assert codec(float).decode({"N": "0.10"}) == 0.1
    assert codec(UUID).decode({"S": "00000000000000000000000000000001"}) == UUID(int=1)


def test_the_callers_decimal_context_changes_nothing() -> None:
    exact = Decimal("1." + "2" * 37)
    with localcontext(Context(prec=3)):
        assert codec(Decimal).encode(exact) == {"N": str(exact)}
        assert codec(Decimal).decode({"N": str(exact)}) == exact
        assert codec(Any).decode({"N": str(exact)}) == exact
        assert codec(timedelta).decode({"N": "123456.789012"}) == timedelta(seconds=123456, microseconds=789012)
        with pytest.raises(DecodeError):
            codec(timedelta).decode({"N": "1." + "0" * 30 + "1"})


def test_text_order_is_the_order_in_time() -> None:
    moments = [
        datetime(2020, 1, 1, 0, 0, 0, fraction, tzinfo=zone)
        for fraction in (0, 1, 500_000)
        for zone in (UTC, timezone(timedelta(hours=-5)), timezone(timedelta(hours=13, minutes=45)))
    ]
    encoded = [codec(datetime).encode(moment)["S"] for moment in moments]
    assert [text for _, text in sorted(zip(moments, encoded, strict=True))] == sorted(encoded)


@pytest.mark.parametrize("levels", [7, 8, 9, 20, 31])
def test_types_of_any_depth(levels: int) -> None:
    annotation: Any = int
    value: Any = 1
    for level in range(levels):
        annotation, value = (dict[str, annotation], {"a": value}) if level % 3 == 2 else (list[annotation], [value])
    deep = codec(annotation)
    assert deep.depth == levels
    assert deep.decode(deep.encode(value)) == value
    assert deep.unconstrained.encode(value) == deep.encode(value)


@pytest.mark.parametrize("container", ["list", "dict", "mixed"])
def test_nesting_ends_at_31_levels(container: str) -> None:
    def nested(levels: int) -> Any:
        value: Any = "x"
        for level in range(levels):
            value = [value] if container == "list" or (container == "mixed" and level % 2) else {"m": value}
        return value

    anything = codec(Any)
    assert anything.decode(anything.encode(nested(31))) == nested(31)
    with pytest.raises(LimitExceeded, match="31 levels"):
        anything.encode(nested(32))
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(LimitExceeded, match="31 levels"):
        anything.encode(endless)


def test_decimals_are_what_they_are_in_any_context() -> None:
    with localcontext(Context(prec=3, capitals=0)):
        assert codec(Decimal).encode(Decimal("1.2345e-20")) == {"N": "1.2345e-20"}
        with pytest.raises(ValidationError, match="beyond DynamoDB's range"):
            codec(Decimal).encode(Decimal("1e-131"))
