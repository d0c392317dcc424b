"""Conditions, updates and projections as typed Python, and their compilation to DynamoDB's expressions."""

from __future__ import annotations

from .compiler import compile_condition, compile_projection, compile_update
from .conditions import Comparison, Condition, Junction, Negation, all_of, any_of
from .key_conditions import KeySplit, split_key_condition
from .lookups import parse_lookups, parse_update_lookups
from .named_paths import Paths
from .operands import Value, called, member_hint
from .paths import Path, UnknownMember
from .placeholders import Placeholders
from .updates import Update

__all__ = [
    "Comparison",
    "Condition",
    "Junction",
    "KeySplit",
    "Negation",
    "Path",
    "Paths",
    "Placeholders",
    "UnknownMember",
    "Update",
    "Value",
    "all_of",
    "any_of",
    "called",
    "compile_condition",
    "compile_projection",
    "compile_update",
    "member_hint",
    "parse_lookups",
    "parse_update_lookups",
    "split_key_condition",
]
