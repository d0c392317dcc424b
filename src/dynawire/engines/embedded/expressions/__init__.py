"""DynamoDB's expression language for the embedded engine: text to trees, trees to functions over items.

Conditions, filters, updates, projections and key conditions are parsed by one parser and evaluated by one evaluator.
All expressions of one request share its :class:`Placeholders`; what is parsed once is kept, unbound, for the next time.
"""

from __future__ import annotations

from dynawire.engines.embedded.expressions.conditions import Condition, parse_condition
from dynawire.engines.embedded.expressions.key_conditions import (
    KeyCondition,
    KeyConditions,
    parse_key_condition,
    read_key_conditions,
)
from dynawire.engines.embedded.expressions.placeholders import Placeholders
from dynawire.engines.embedded.expressions.projections import Projection, parse_projection
from dynawire.engines.embedded.expressions.updates import Update, parse_update

__all__ = [
    "Condition",
    "KeyCondition",
    "KeyConditions",
    "Placeholders",
    "Projection",
    "Update",
    "parse_condition",
    "parse_key_condition",
    "parse_projection",
    "parse_update",
    "read_key_conditions",
]
