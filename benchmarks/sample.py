"""The item every library reads and writes: 11 attributes, with a nested map, lists and a set."""

from __future__ import annotations

import json
from typing import Any

TABLE = "bench"
REGION = "eu-west-1"
ACCESS_KEY, SECRET_KEY = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
PAGE_ITEMS = 100


def item(number: int = 1) -> dict[str, Any]:
    """The sample item as Python values."""
    return {
        "pk": "user#1",
        "sk": f"order#{number:06}",
        "name": "Ada Lovelace",
        "email": "ada.lovelace@example.com",
        "age": 36,
        "balance": 1234.5,
        "active": True,
        "tags": {"admin", "early-adopter", "mathematics"},
        "created_at": "2026-10-13T08:48:47.966937+00:00",
        "address": {"street": "12 St James's Square", "city": "London", "zip": "SW1Y 4JH", "geo": [51.5072, -0.1357]},
        "scores": [10, 20, 30, 40, 50],
    }


def plain(value: Any) -> Any:
    """A value as plain JSON holds it: sets as sorted lists."""
    if isinstance(value, dict):
        return {key: plain(member) for key, member in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    if isinstance(value, (list, tuple)):
        return [plain(member) for member in value]
    return value


def wire(value: Any) -> dict[str, Any]:
    """A value in DynamoDB's tagged form."""
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, (int, float)):
        return {"N": repr(value)}
    if isinstance(value, set):
        return {"SS": sorted(value)}
    if isinstance(value, list):
        return {"L": [wire(member) for member in value]}
    return {"M": wire_item(value)}


def wire_item(values: dict[str, Any]) -> dict[str, Any]:
    return {name: wire(value) for name, value in values.items()}


def untagged(tagged: dict[str, Any]) -> Any:
    """The plain form of a tagged value, read independently of any library."""
    [(tag, value)] = tagged.items()
    if tag == "N":
        number = float(value)
        return int(number) if number.is_integer() else number
    if tag == "L":
        return [untagged(member) for member in value]
    if tag == "M":
        return {name: untagged(member) for name, member in value.items()}
    return sorted(value) if tag == "SS" else value


def page_body() -> bytes:
    """A Query response of 100 items."""
    items = [wire_item(item(number)) for number in range(PAGE_ITEMS)]
    return _json({"Items": items, "Count": PAGE_ITEMS, "ScannedCount": PAGE_ITEMS})


def page_as_plain_json() -> bytes:
    """The data of :func:`page_body` as plain JSON: what any reader of it must at least do."""
    return _json([plain(item(number)) for number in range(PAGE_ITEMS)])


def table_definition() -> dict[str, Any]:
    """What CreateTable takes for the sample's table."""
    return {
        "TableName": TABLE,
        "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        "KeySchema": [
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        "BillingMode": "PAY_PER_REQUEST",
    }


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
