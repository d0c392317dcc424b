"""Codecs of single values: text, numbers, booleans, binary, identifiers. Dates and enumerations stand apart."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from .base import Codec
from .misfit import Misfit
from .numbers import MAX_FAST_FLOAT, MAX_FAST_INT, MIN_FAST_FLOAT, decimal_text, float_text, int_text
from .source import Scope

__all__ = ["ORDER", "ScalarCodec", "bounded_length", "scalar_codec", "wrong_type"]

ORDER = frozenset({"ge", "gt", "le", "lt"})
NUMBER = ORDER | {"multiple_of"}
LENGTH = frozenset({"min_length", "max_length"})


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
        limitable: names of the limits that have a meaning.
        injective: whether different values have different payloads, as sets and maps need.
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
        limitable: frozenset[str] = ORDER,
        injective: bool = True,
    ) -> None:
        self.name = name
        self.tag = tag
        self.kind = kind
        self.kinds = (kind,)
        self.payload_type = payload_type
        self.to_payload = to_payload
        self.fast_test = fast_test
        self.fast_payload = fast_payload
        self.from_payload = from_payload
        self.names = names or {}
        self.limitable = limitable
        self.injective = injective

    def describe(self) -> str:
        return self.name

    def slow_payload(self, value: Any) -> Any:
        """The payload of any value; it raises Misfit when that is not to be had, or breaks a limit."""
        payload = self.to_payload(value)
        for problem in self.constraints.problems(value):
            raise Misfit(problem)
        return payload

    def payload_source(self, scope: Scope, value: str) -> str:
        if not self.constraints:
            slow = f"{scope.bind(self.to_payload)}({value})"
        else:
            slow = f"{scope.bind(self)}.slow_payload({value})"
        if self.fast_payload is None:
            return slow
        scope.globals.update(self.names)
        tests = [f"{value}.__class__ is {scope.bind(self.kind)}"]
        if self.fast_test is not None:
            tests.append(self.fast_test.replace("{}", value))
        tests += self._limit_tests(scope, value)
        return f"({self.fast_payload.replace('{}', value)} if {' and '.join(tests)} else {slow})"

    def _limit_tests(self, scope: Scope, value: str) -> list[str]:
        limits = self.constraints
        tests = [
            f"{value} {operator} {scope.bind(limit)}"
            for operator, limit in ((">=", limits.ge), (">", limits.gt), ("<=", limits.le), ("<", limits.lt))
            if limit is not None
        ]
        if limits.multiple_of is not None:
            # Floats and Decimals need exact arithmetic, which the slow path has.
            is_int = self.kind is int and type(limits.multiple_of) is int
            tests.append(f"not {value} % {limits.multiple_of}" if is_int else "False")
        if limits.min_length is not None:
            tests.append(f"len({value}) >= {limits.min_length}")
        if limits.max_length is not None:
            tests.append(f"len({value}) <= {limits.max_length}")
        if limits.pattern is not None:
            tests.append(f"{scope.bind(re.compile(limits.pattern).search)}({value})")
        return tests

    def value_source(self, scope: Scope, payload: str) -> str:
        return payload if self.from_payload is None else f"{scope.bind(self.from_payload)}({payload})"


def wrong_type(expected: str, value: Any) -> Misfit:
    """The misfit of a value of another type."""
    kind = type(value)
    if kind.__name__ == expected:
        return Misfit(f"must be {expected}, not another class of this name ({kind.__module__}.{kind.__qualname__})")
    return Misfit(f"must be {expected}, not {kind.__name__}")


def bounded_length(codec: Codec, maximum: int | None, empty: str, long: str = "") -> Codec:
    """A codec whose payload, when it is text or binary, may be neither empty nor longer than ``maximum`` bytes.

    Args:
        codec: the codec.
        maximum: the number of bytes, or None.
        empty, long: what to say of a value that is empty or too long.
    """
    if not isinstance(codec, ScalarCodec) or codec.tag not in ("S", "B"):
        return codec
    copy = codec.copied()
    to_payload = codec.to_payload

    def checked(value: Any) -> Any:
        payload = to_payload(value)
        size = len(payload.encode() if isinstance(payload, str) else payload)
        if size == 0:
            raise Misfit(empty)
        if maximum is not None and size > maximum:
            raise Misfit(f"has {size:,} bytes {long}; DynamoDB takes at most {maximum:,}")
        return payload

    copy.to_payload = checked
    if codec.kind in (str, bytes):
        # A character has at most four bytes in UTF-8.
        test = "{}" if maximum is None else f"0 < len({{}}) <= {maximum // 4}"
        copy.fast_test = f"{codec.fast_test} and {test}" if codec.fast_test else test
    return copy


def _str_payload(value: Any) -> str:
    if not isinstance(value, str):
        raise wrong_type("str", value)
    # A str of its own: __str__ of a subclass may say anything, as that of an Enum does.
    text = str.__str__(value)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Misfit("holds a lone surrogate, which is not valid text") from None
    return text


def _int_payload(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return int_text(value)
    raise wrong_type("int", value)


def _float_payload(value: Any) -> str:
    if isinstance(value, float):
        return float_text(value)
    if isinstance(value, int) and not isinstance(value, bool):
        text = int_text(value)
        if float(value) != value:
            raise Misfit(
                "is an int that no float equals, so it would come back as another number; declare it int | float"
            )
        return text
    raise wrong_type("float", value)


def _bool_payload(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise wrong_type("bool", value)


def _bytes_payload(value: Any) -> bytes:
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    raise wrong_type("bytes", value)


def _decimal() -> ScalarCodec:
    from decimal import Decimal

    def payload(value: Any) -> str:
        if isinstance(value, Decimal):
            return decimal_text(value)
        if isinstance(value, int) and not isinstance(value, bool):
            return int_text(value)
        if isinstance(value, float):
            raise Misfit("must be Decimal, not float; write Decimal(str(x)) to say which digits are meant")
        raise wrong_type("Decimal", value)

    return ScalarCodec("Decimal", "N", Decimal, Decimal, payload, limitable=NUMBER)


def _uuid() -> ScalarCodec:
    from uuid import UUID

    def payload(value: Any) -> str:
        if isinstance(value, UUID):
            return UUID.__str__(value)
        raise wrong_type("UUID", value)

    return ScalarCodec("UUID", "S", UUID, UUID, payload, fast_payload="str({})")


def _simple(kind: type[Any]) -> ScalarCodec | None:
    if kind is str:
        # Text that is not ASCII may hold a lone surrogate, which only the slow path can refuse with a reason.
        limits = ORDER | LENGTH | {"pattern"}
        return ScalarCodec(
            "str", "S", str, str, _str_payload, fast_test="{}.isascii()", fast_payload="{}", limitable=limits
        )
    if kind is int:
        test = f"-{MAX_FAST_INT} < {{}} < {MAX_FAST_INT}"
        return ScalarCodec("int", "N", int, int, _int_payload, fast_test=test, fast_payload="str({})", limitable=NUMBER)
    if kind is float:
        low, high = f"{MIN_FAST_FLOAT!r}", f"{MAX_FAST_FLOAT!r}"
        test = f"({low} <= {{}} < {high} or -{high} < {{}} <= -{low} or not {{}})"
        return ScalarCodec(
            "float", "N", float, float, _float_payload, fast_test=test, fast_payload="repr({})", limitable=NUMBER
        )
    if kind is bool:
        return ScalarCodec("bool", "BOOL", bool, bool, _bool_payload, fast_payload="{}", limitable=frozenset())
    if kind is bytes:
        return ScalarCodec("bytes", "B", bytes, bytes, _bytes_payload, fast_payload="{}", limitable=ORDER | LENGTH)
    return None


def scalar_codec(kind: Any) -> ScalarCodec | None:
    """The codec of a scalar class, or None when it is not one. Of dates the plain forms; see ``dates``."""
    simple = _simple(kind)
    if simple is not None:
        return simple
    module, name = getattr(kind, "__module__", ""), getattr(kind, "__name__", "")
    # By name, so that nobody pays for importing what they do not use.
    if (module, name) in (("decimal", "Decimal"), ("_decimal", "Decimal"), ("_pydecimal", "Decimal")):
        return _decimal()
    if (module, name) == ("uuid", "UUID"):
        return _uuid()
    if module == "datetime":
        from .dates import date_codec

        return date_codec(name)
    return None
