"""How one value stands inside a template's text: so that it can be read back, and where possible so that it sorts.

Text is percent-encoded as far as needed. DynamoDB orders text by its UTF-8 bytes; where a component is followed by a
separator below ``%`` (``! " # $``), every character up to ``%`` is encoded, and the order of the encoded texts is that
of the texts: the separator is less than any character that may stand in its place.

Numbers are written so that they sort: a letter for the sign, the number of digits before the point, the digits, those
of negative numbers as complements of nine (the idea is that of IEEE 754's and of every index on floating-point keys:
sign, exponent, mantissa, inverted below zero).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

__all__ = [
    "MAX_WIDTH",
    "Part",
    "bool_part",
    "exact_part",
    "padded_part",
    "plain_part",
    "significant_digits",
    "text_part",
    "whole_part",
]

MAX_WIDTH = 38
"""Digits DynamoDB keeps of a number."""
SAFE_ALPHABET = frozenset("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+-.:")
"""What dates, times and UUIDs are written with."""
LEAST_IN_DATES = "+"

_ESCAPE = re.compile("%([0-9A-F]{2})")
_WHOLE = re.compile("p([0-9]{2})([0-9]+)|n([0-9]{2})([0-9]+)")
_EXACT = re.compile("p([0-9]{3})([0-9]*)|n([0-9]{3})([0-9]+)z")
_COMPLEMENT = str.maketrans("0123456789", "9876543210")
_OTHER = "is no text of such a value"
_BIAS = 500
"""Added to exponents, which in DynamoDB are -130 to 125, so that they are positive numbers of three digits."""


class Part:
    """How the values of one source are written.

    Attributes:
        tag: DynamoDB's type descriptor of the source.
        encode: the text of a payload (what stands inside the tag); ValueError, with the reason, when it has none.
        decode: the payload of a text; ValueError when it is none.
        ordered: whether texts compare as their payloads do, whatever follows them.
        prefixes: whether the text of a beginning is the beginning of the text.
        fast: Python source of the text of the payload in the variable ``{}``. ``encode`` and ``special`` are known to
            it as ``{encode}`` and ``{special}``.
        special: finds out whether a text has what must be encoded, or None.
    """

    __slots__ = ("decode", "encode", "fast", "ordered", "prefixes", "special", "tag")

    def __init__(
        self,
        tag: str,
        encode: Callable[[Any], str],
        decode: Callable[[str], Any],
        *,
        ordered: bool,
        prefixes: bool = False,
        fast: str = "{encode}({})",
        special: Callable[[str], Any] | None = None,
    ) -> None:
        self.tag = tag
        self.encode = encode
        self.decode = decode
        self.ordered = ordered
        self.prefixes = prefixes
        self.fast = fast
        self.special = special


# ---------------------------------------------------------------------- text


def text_part(separator: str, *, last: bool, is_date: bool = False) -> Part:
    """Text, or what is stored as text: dates, times, UUIDs and enumerations.

    Args:
        separator: the template's separator.
        last: whether nothing follows.
        is_date: whether it is made of letters, digits and ``+ - . :`` alone.
    """
    if is_date and separator not in SAFE_ALPHABET:
        return Part("S", str, str, ordered=last or separator < LEAST_IN_DATES, prefixes=True, fast="{}")
    escaped = {"%", separator}
    ordered = separator < "%"
    if ordered:
        escaped = {chr(code) for code in range(ord(separator) if last else 0, ord("%") + 1)}
    table = {ord(one): f"%{ord(one):02X}" for one in escaped}
    code = table[ord(separator)]
    rare = _search(escaped - {"%", separator})

    def encode(text: str) -> str:
        # str.translate() takes five times as long, and what is encoded is the separator nearly always.
        quick = text.replace("%", "%25").replace(separator, code)
        return quick if rare is None or rare(quick) is None else text.translate(table)

    special = _search(escaped)
    # Most texts are letters and digits, or those and the separator: neither need be searched.
    only_separators = f"{{}}.replace({separator!r}, {code!r}) if {{}}.replace({separator!r}, '').isalnum()"
    searched = "{} if {special}({}) is None else {encode}({})"
    fast = f"({{}} if {{}}.isalnum() else {only_separators} else {searched})"
    return Part("S", encode, _unescaped, ordered=ordered, prefixes=True, fast=fast, special=special)


def _search(characters: set[str]) -> Callable[[str], Any] | None:
    """A function that finds one of these characters in a text; None when there are none to be found."""
    return re.compile(f"[{re.escape(''.join(sorted(characters)))}]").search if characters else None


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text) if "%" in text else text


# ---------------------------------------------------------------------- numbers


def whole_part() -> Part:
    """A whole number of any size: ``p`` or ``n``, two digits that say how many follow, and those."""
    return Part("N", _whole_text, _whole_number, ordered=True)


def _whole_text(number: str) -> str:
    value = _canonical(number)
    if value[0] != "-":
        return f"p{len(value):02}{value}"
    return f"n{99 - (len(value) - 1):02}{value[1:].translate(_COMPLEMENT)}"


def _canonical(number: str) -> str:
    return number if number.isdigit() and number[0] != "0" else str(_as_int(number))


def _as_int(number: str) -> int:
    try:
        return int(number)
    except ValueError:
        from decimal import Decimal

        value = Decimal(number)
        if value != int(value):
            raise ValueError("is no whole number") from None
        return int(value)


def _whole_number(text: str) -> str:
    found = _WHOLE.fullmatch(text)
    if found is None:
        raise ValueError(_OTHER)
    if found[1] is not None:
        number, count = found[2], int(found[1])
    else:
        number, count = "-" + found[4].translate(_COMPLEMENT), 99 - int(found[3]) + 1
    if len(number) != count or _whole_text(number) != text:
        raise ValueError(_OTHER)
    return number


def exact_part(separator: str, *, last: bool) -> Part:
    """Any number: ``p`` or ``n``, its exponent plus 500, and its significant digits; ``z`` ends a negative one."""
    return Part("N", _exact_text, _exact_number, ordered=last or separator < "0")


def significant_digits(number: str) -> tuple[int, str, int]:
    """Of a number's text: 1 when it is negative, its digits without zeros around, the exponent of the first of them."""
    from decimal import Decimal

    # Not normalize(): it rounds to the 28 digits of the default context.
    sign, digits, exponent = Decimal(number).as_tuple()
    assert isinstance(exponent, int)
    unpadded = "".join(map(str, digits)).lstrip("0")
    return sign, unpadded.rstrip("0"), exponent + len(unpadded) - 1


def _exact_text(number: str) -> str:
    sign, significant, first = significant_digits(number)
    if not significant:
        return "p000"
    power = first + _BIAS
    if not sign:
        return f"p{power:03}{significant}"
    return f"n{999 - power:03}{significant.translate(_COMPLEMENT)}z"


def _exact_number(text: str) -> str:
    from decimal import Decimal

    found = _EXACT.fullmatch(text)
    if found is None:
        raise ValueError(_OTHER)
    if text == "p000":
        return "0"
    if found[1] is not None:
        sign, power, digits = 0, int(found[1]), found[2]
    else:
        sign, power, digits = 1, 999 - int(found[3]), found[4].translate(_COMPLEMENT)
    if not digits or not 300 < power < 700:
        raise ValueError(_OTHER)
    value = Decimal((sign, tuple(map(int, digits)), power - _BIAS - len(digits) + 1))
    number = format(value, "f") if -40 < power - _BIAS < 40 else str(value)
    if _exact_text(number) != text:
        raise ValueError(_OTHER)
    return number


def padded_part(width: int) -> Part:
    """A whole number of 0 or more, with zeros before it up to a width; one with more digits is refused."""

    def encode(number: str) -> str:
        value = _canonical(number)
        if value[0] == "-" or len(value) > width:
            raise ValueError(f"is not between 0 and {'9' * width}, as :0{width} in the template says")
        return value.zfill(width)

    def decode(text: str) -> str:
        if len(text) != width or not (text.isascii() and text.isdigit()):
            raise ValueError(_OTHER)
        return text.lstrip("0") or "0"

    fast = f"({{}}.zfill({width}) if len({{}}) <= {width} and {{}}.isdigit() else {{encode}}({{}}))"
    return Part("N", encode, decode, ordered=True, fast=fast)


def plain_part() -> Part:
    """A whole number as it is written; texts are not ordered as the numbers are."""

    def encode(number: str) -> str:
        return _canonical(number)

    def decode(text: str) -> str:
        if not text.isascii() or str(int(text)) != text:
            raise ValueError(_OTHER)
        return text

    return Part("N", encode, decode, ordered=False)


def bool_part() -> Part:
    """``false`` or ``true``, in that order."""
    words = {"false": False, "true": True}

    def decode(text: str) -> bool:
        if text not in words:
            raise ValueError(_OTHER)
        return words[text]

    fast = "('true' if {} else 'false')"
    return Part("BOOL", lambda value: "true" if value else "false", decode, ordered=True, fast=fast)
