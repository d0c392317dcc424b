"""Calls of an embedded engine with dicts, and the requests that tests have in common."""

from __future__ import annotations

import json
import re
from types import TracebackType
from typing import Any, Self

import pytest

from dynawire.engines.embedded import EmbeddedEngine
from dynawire.errors import DynawireError, ServiceError

Item = dict[str, dict[str, Any]]


class Calls:
    """An engine whose requests and answers are dicts."""

    def __init__(self, path: str | None = None, **options: Any) -> None:
        self.engine = EmbeddedEngine(path, **options)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.engine.close()

    def __call__(self, operation: str, request: dict[str, Any] | None = None, **members: Any) -> dict[str, Any]:
        """Send a request: what is None is left out."""
        request = {name: value for name, value in {**(request or {}), **members}.items() if value is not None}
        answer: dict[str, Any] = json.loads(self.engine.send(operation, json.dumps(request).encode()))
        return answer

    def refused(self, phrase: str, operation: str, *arguments: Any, **members: Any) -> ServiceError:
        """Send a request that must be refused with a ValidationException of which the message has this phrase."""
        with pytest.raises(ServiceError, match=re.escape(phrase)) as caught:
            self(operation, *arguments, **members)
        assert caught.value.code == "ValidationException"
        return caught.value

    def fails(self, code: str, operation: str, *arguments: Any, **members: Any) -> DynawireError:
        """Send a request that must be refused with an error of this code."""
        with pytest.raises(DynawireError) as caught:
            self(operation, *arguments, **members)
        assert getattr(caught.value, "code", None) == code, caught.value
        return caught.value

    def create(self, name: str = "things", key: str = "p:S", **more: Any) -> None:
        """Create a table: ``"p:S s:N"`` is its key; further attributes and indexes as :func:`index` gives them."""
        self("CreateTable", table(name, key, **more))

    def items(self, operation: str = "Scan", request: dict[str, Any] | None = None, **members: Any) -> list[Item]:
        """All items of a query or scan, page by page."""
        found: list[Item] = []
        start = None
        while True:
            answer = self(operation, request, ExclusiveStartKey=start, **members)
            found += answer["Items"]
            start = answer.get("LastEvaluatedKey")
            if start is None:
                return found


def attributes(text: str) -> list[dict[str, str]]:
    return [dict(zip(("AttributeName", "AttributeType"), each.split(":"), strict=True)) for each in text.split()]


def schema(partition: str, sort: str = "") -> list[dict[str, str]]:
    return [{"AttributeName": name, "KeyType": "HASH"} for name in partition.split()] + [
        {"AttributeName": name, "KeyType": "RANGE"} for name in sort.split()
    ]


def index(name: str, partition: str, sort: str = "", kind: str = "ALL", *included: str) -> dict[str, Any]:
    projection: dict[str, Any] = {"ProjectionType": kind}
    if included:
        projection["NonKeyAttributes"] = list(included)
    return {"IndexName": name, "KeySchema": schema(partition, sort), "Projection": projection}


def table(
    name: str = "things",
    key: str = "p:S",
    *,
    more: str = "",
    local: list[dict[str, Any]] | None = None,
    indexes: list[dict[str, Any]] | None = None,
    **members: Any,
) -> dict[str, Any]:
    """A CreateTable request."""
    names = [each.partition(":")[0] for each in key.split()]
    request = {
        "TableName": name,
        "AttributeDefinitions": attributes(f"{key} {more}"),
        "KeySchema": schema(*names),
        "BillingMode": "PAY_PER_REQUEST",
        **members,
    }
    if local:
        request["LocalSecondaryIndexes"] = local
    if indexes:
        request["GlobalSecondaryIndexes"] = indexes
    return request


def key(p: str, s: object | None = None) -> Item:
    return {"p": {"S": p}} if s is None else {"p": {"S": p}, "s": {"N": str(s)}}
