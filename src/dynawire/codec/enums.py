"""Codecs of values from a fixed set: Enum and Literal."""

from __future__ import annotations

import enum
from typing import Any

from .misfit import Misfit
from .scalars import ORDER, ScalarCodec, wrong_type

__all__ = ["enum_codec", "literal_codec"]


class _ChoiceCodec(ScalarCodec):
    """One of a fixed set of values, each with its own payload."""

    def __init__(self, name: str, kind: type[Any], payloads: dict[Any, Any], what: str, missing: Any = None) -> None:
        is_number = all(isinstance(payload, int) for payload in payloads.values())
        values = {payload: value for value, payload in payloads.items()}
        texts = {value: str(payload) for value, payload in payloads.items()}

        def to_payload(value: Any) -> str:
            # The class is compared as well, since True == 1 and a str Enum equals its text.
            if isinstance(value, kind) and not isinstance(value, bool):
                try:
                    return texts[value]
                except (KeyError, TypeError):
                    raise Misfit(f"must be one of {what}") from None
            raise wrong_type(name, value)

        def from_payload(payload: Any) -> Any:
            try:
                return values[payload]
            except KeyError:
                return unknown(payload)

        def unknown(payload: Any) -> Any:
            if missing is not None:
                try:
                    return missing(payload)
                except ValueError:
                    pass
            raise Misfit(f"none of {what}")

        tag, payload_type = ("N", int) if is_number else ("S", str)
        super().__init__(name, tag, kind, payload_type, to_payload, from_payload=from_payload, limitable=ORDER)


def enum_codec(kind: Any) -> ScalarCodec | str:
    """The codec of an Enum, stored by value; a text says why it can't be stored."""
    if issubclass(kind, enum.Flag):
        return _flag_codec(kind)
    payloads = {member: _plain(member.value) for member in kind}
    if {type(payload) for payload in payloads.values()} not in ({str}, {int}):
        return "its members must all have str values or all have int values"
    # The Enum may have a _missing_ of its own for values it does not know.
    return _ChoiceCodec(kind.__name__, kind, payloads, f"the members of {kind.__name__}", kind)


def _flag_codec(kind: Any) -> ScalarCodec:
    def to_payload(value: Any) -> str:
        if isinstance(value, kind):
            return str(value.value)
        raise wrong_type(kind.__name__, value)

    def from_payload(bits: int) -> Any:
        try:
            return kind(bits)
        except ValueError:
            raise Misfit(f"no combination of the members of {kind.__name__}") from None

    return ScalarCodec(kind.__name__, "N", kind, int, to_payload, from_payload=from_payload, limitable=frozenset())


def _plain(value: Any) -> Any:
    """The text of a str of whatever class; everything else as it is."""
    return str.__str__(value) if isinstance(value, str) else value


def literal_codec(values: tuple[Any, ...]) -> ScalarCodec | str:
    """The codec of a Literal of str, of int or of members of one Enum; a text says why it can't be stored."""
    kinds = {type(value) for value in values}
    payloads = {value: _plain(value.value) if isinstance(value, enum.Enum) else value for value in values}
    if len(kinds) != 1 or {type(payload) for payload in payloads.values()} not in ({str}, {int}):
        return "a Literal must hold only str, only int, or only members of one Enum (and None)"
    name = f"Literal[{', '.join(str(value) if isinstance(value, enum.Enum) else repr(value) for value in values)}]"
    return _ChoiceCodec(name, kinds.pop(), payloads, name)
