"""Codecs of single values: text, numbers, booleans, binary, dates, identifiers, enumerations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .base import Codec
from .misfit import Misfit
from .numbers import MAX_FAST_FLOAT, MAX_FAST_INT, MIN_FAST_FLOAT, decimal_text, float_text, int_text
from .source import Scope

__all__ = ["BoolCodec", "ScalarCodec", "enum_codec", "literal_codec", "scalar_codec"]


class ScalarCodec(Codec):
    """A single value.

    Args:
        name: the type as a person writes it.
        tag: DynamoDB's type descriptor.
        kind: the exact class the fast path takes.
        payload_type: what msgspec reads inside the tag.
        to_payload: makes the payload of any acceptable value; raises Misfit.
        fast_test: source of a further test, beside the class, that the fast path needs; ``{}`` is the value.
        fast_payload: source of the payload on the fast path; None: there is no fast path.
        from_payload: makes the value of a payload, when msgspec does not give it at once.
        names: what the fast path's source refers to.
    """

    def __init__(
        self,
        name: str,
        tag: str,
        kind: type[Any],
        payload_type: Any,
        to_payload: Callable[[Any], Any],
        *,
        fast_test: str | None = None,
        fast_payload: str | None = None,
        from_payload: Callable[[Any], Any] | None = None,
        names: dict[str, Any] | None = None,
    ) -> None:
        self.name = name
        self.tag = tag
        self.kind = kind
        self.payload_type = payload_type
        self.to_payload = to_payload
        self.fast_test = fast_test
        self.fast_payload = fast_payload
        self.from_payload = from_payload
        self.names = names or {}

    def describe(self) -> str:
        return self.name

    def _slow_payload(self, value: Any) -> Any:
        payload = self.to_payload(value)
        for problem in self.constraints.problems(value):
            raise Misfit(problem)
        return payload

    def payload_source(self, scope: Scope, value: str) -> str:
        if not self.constraints:
            slow = f"{scope.bind(self.to_payload)}({value})"
        else:
            slow = f"{scope.bind(self)}._slow_payload({value})"
        tests = self._constraint_tests(scope, value)
        if self.fast_payload is None or tests is None:
            return slow
        scope.globals.update(self.names)
        tests.insert(0, f"{value}.__class__ is {scope.bind(self.kind)}")
        if self.fast_test is not None:
            tests.append(self.fast_test.replace("{}", value))
        return f"({self.fast_payload.replace('{}', value)} if {' and '.join(tests)} else {slow})"

    def _constraint_tests(self, scope: Scope, value: str) -> list[str] | None:
        limits = self.constraints
        if limits.pattern is not None or limits.multiple_of is not None:
            return None
        tests: list[str] = []
        for operator, limit in ((">=", limits.ge), (">", limits.gt), ("<=", limits.le), ("<", limits.lt)):
            if limit is not None:
                tests.append(f"{value} {operator} {scope.bind(limit)}")
        if limits.min_length is not None:
            tests.append(f"len({value}) >= {limits.min_length}")
        if limits.max_length is not None:
            tests.append(f"len({value}) <= {limits.max_length}")
        return tests

    def value_source(self, scope: Scope, payload: str) -> str:
        return payload if self.from_payload is None else f"{scope.bind(self.from_payload)}({payload})"


class BoolCodec(ScalarCodec):
    """True and False."""


def _wrong(expected: str, value: Any) -> Misfit:
    return Misfit(f"must be {expected}, not {type(value).__name__}")


def _str_payload(value: Any) -> str:
    if isinstance(value, str):
        text = str(getattr(value, "_value_", value)) if type(value) is not str else value
        try:
            text.encode()
        except UnicodeEncodeError:
            raise Misfit("holds a lone surrogate, which is not valid text") from None
        return text
    raise _wrong("str", value)


def _int_payload(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return int_text(value)
    raise _wrong("int", value)


def _float_payload(value: Any) -> str:
    if isinstance(value, float):
        return float_text(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return int_text(value)
    raise _wrong("float", value)


def _bool_payload(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise _wrong("bool", value)


def _bytes_payload(value: Any) -> bytes:
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    raise _wrong("bytes", value)


def _decimal() -> ScalarCodec:
    from decimal import Decimal

    def payload(value: Any) -> str:
        if isinstance(value, Decimal):
            return decimal_text(value)
        if isinstance(value, int) and not isinstance(value, bool):
            return int_text(value)
        if isinstance(value, float):
            raise Misfit("must be Decimal, not float; write Decimal(str(x)) to say which digits are meant")
        raise _wrong("Decimal", value)

    return ScalarCodec("Decimal", "N", Decimal, Decimal, payload)


def _datetime(naive: bool) -> ScalarCodec:
    from datetime import UTC, datetime

    def aware_payload(value: Any) -> str:
        if not isinstance(value, datetime):
            raise _wrong("datetime", value)
        if value.utcoffset() is None:
            raise Misfit(
                "is a datetime without time zone; give it one (tzinfo=timezone.utc), or declare "
                "Annotated[datetime, NaiveDatetime]"
            )
        try:
            return value.astimezone(UTC).isoformat()
        except OverflowError:
            raise Misfit("is beyond the years 1 to 9999 in UTC") from None

    def naive_payload(value: Any) -> str:
        if not isinstance(value, datetime):
            raise _wrong("datetime", value)
        if value.tzinfo is not None:
            raise Misfit("is a datetime with time zone, but is declared NaiveDatetime; drop the marker or the zone")
        return value.isoformat()

    def aware(value: datetime) -> datetime:
        if value.tzinfo is None:
            raise Misfit("a stored datetime has no time zone")
        return value

    def without_zone(value: datetime) -> datetime:
        if value.tzinfo is not None:
            raise Misfit("a stored datetime has a time zone")
        return value

    if naive:
        return ScalarCodec("naive datetime", "S", datetime, datetime, naive_payload, from_payload=without_zone)
    return ScalarCodec(
        "datetime",
        "S",
        datetime,
        datetime,
        aware_payload,
        fast_test="{}.tzinfo is utc",
        fast_payload="{}.isoformat()",
        from_payload=aware,
        names={"utc": UTC},
    )


def _date() -> ScalarCodec:
    from datetime import date, datetime

    def payload(value: Any) -> str:
        if isinstance(value, date) and not isinstance(value, datetime):
            return value.isoformat()
        raise _wrong("date", value)

    return ScalarCodec("date", "S", date, date, payload, fast_payload="{}.isoformat()")


def _time() -> ScalarCodec:
    from datetime import time

    def payload(value: Any) -> str:
        if isinstance(value, time):
            return value.isoformat()
        raise _wrong("time", value)

    return ScalarCodec("time", "S", time, time, payload, fast_payload="{}.isoformat()")


def _timedelta() -> ScalarCodec:
    from datetime import timedelta
    from decimal import Decimal

    microsecond = timedelta(microseconds=1)

    def payload(value: Any) -> str:
        if not isinstance(value, timedelta):
            raise _wrong("timedelta", value)
        seconds, fraction = divmod(abs(value) // microsecond, 1_000_000)
        sign = "-" if value < timedelta(0) else ""
        return f"{sign}{seconds}" + (f".{fraction:06}".rstrip("0") if fraction else "")

    def back(seconds: Decimal) -> timedelta:
        microseconds = seconds.scaleb(6)
        if microseconds != int(microseconds):
            raise Misfit("a stored timedelta has more than six decimals")
        try:
            return timedelta(microseconds=int(microseconds))
        except OverflowError:
            raise Misfit("a stored timedelta is too large") from None

    return ScalarCodec("timedelta", "N", timedelta, Decimal, payload, from_payload=back)


def _uuid() -> ScalarCodec:
    from uuid import UUID

    def payload(value: Any) -> str:
        if isinstance(value, UUID):
            return str(value)
        raise _wrong("UUID", value)

    return ScalarCodec("UUID", "S", UUID, UUID, payload, fast_payload="str({})")


def _simple(kind: type[Any]) -> ScalarCodec | None:
    if kind is str:
        # Text that is not ASCII may hold a lone surrogate, which only the slow path can refuse with a reason.
        return ScalarCodec("str", "S", str, str, _str_payload, fast_test="{}.isascii()", fast_payload="{}")
    if kind is int:
        test = f"-{MAX_FAST_INT} < {{}} < {MAX_FAST_INT}"
        return ScalarCodec("int", "N", int, int, _int_payload, fast_test=test, fast_payload="str({})")
    if kind is float:
        low, high = f"{MIN_FAST_FLOAT!r}", f"{MAX_FAST_FLOAT!r}"
        test = f"({low} <= {{}} < {high} or -{high} < {{}} <= -{low} or not {{}})"
        return ScalarCodec("float", "N", float, float, _float_payload, fast_test=test, fast_payload="repr({})")
    if kind is bool:
        return BoolCodec("bool", "BOOL", bool, bool, _bool_payload, fast_payload="{}")
    if kind is bytes:
        return ScalarCodec("bytes", "B", bytes, bytes, _bytes_payload, fast_payload="{}")
    return None


def scalar_codec(kind: Any, *, naive: bool = False) -> ScalarCodec | None:
    """The codec of a scalar class, or None when it is not one."""
    simple = _simple(kind)
    if simple is not None:
        return simple
    module, name = getattr(kind, "__module__", ""), getattr(kind, "__name__", "")
    if (module, name) == ("decimal", "Decimal"):
        return _decimal()
    if module == "uuid" and name == "UUID":
        return _uuid()
    if module == "datetime":
        if name == "datetime":
            return _datetime(naive)
        makers = {"date": _date, "time": _time, "timedelta": _timedelta}
        if name in makers:
            return makers[name]()
    return None


class _ChoiceCodec(ScalarCodec):
    """One of a fixed set of values, each with its own payload."""

    def __init__(self, name: str, kind: type[Any], payloads: dict[Any, Any], what: str) -> None:
        tag = "N" if all(isinstance(payload, int) for payload in payloads.values()) else "S"
        values = {str(payload): value for value, payload in payloads.items()}
        texts = {value: str(payload) for value, payload in payloads.items()}

        def to_payload(value: Any) -> str:
            # The class is compared as well, since True == 1 and a str Enum equals its text.
            if isinstance(value, kind) and not isinstance(value, bool):
                try:
                    return texts[value]
                except (KeyError, TypeError):
                    raise Misfit(f"must be one of {what}") from None
            raise Misfit(f"must be {name}, not {type(value).__name__}")

        def from_payload(payload: str) -> Any:
            try:
                return values[payload]
            except KeyError:
                raise Misfit(f"a stored value is none of {what}") from None

        super().__init__(name, tag, kind, str, to_payload, from_payload=from_payload)


def enum_codec(kind: Any) -> ScalarCodec | str:
    """The codec of an Enum, stored by value; a text says why it can't be stored."""
    payloads = {member: member.value for member in kind}
    types = {str if isinstance(payload, str) else type(payload) for payload in payloads.values()}
    if types not in ({str}, {int}):
        return "its members must all have str values or all have int values to be stored"
    return _ChoiceCodec(kind.__name__, kind, payloads, f"the members of {kind.__name__}")


def literal_codec(values: tuple[Any, ...]) -> ScalarCodec | str:
    """The codec of a Literal of str or of int; a text says why it can't be stored."""
    kinds = {type(value) for value in values}
    if kinds not in ({str}, {int}):
        return "a Literal must hold only str or only int (and None)"
    name = f"Literal[{', '.join(map(repr, values))}]"
    return _ChoiceCodec(name, kinds.pop(), {value: value for value in values}, name)
