"""Any value of any supported type comes back equal from DynamoDB Local and from the embedded engine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from dynawire import Attr, Database, Model, partition_key
from dynawire.operations.mapped import mapped
from tests.codec.strategies import classes
from tests.support.databases import apart


class Things(Model, table="things"):
    """The table of every generated class."""

    id: Attr[str] = partition_key()


@pytest.fixture(scope="module")
def on_dynamodb_local(dynamodb_local: str) -> Iterator[Database]:
    with apart(dynamodb_local, region="eu-west-1", access_key_id="codecs", secret_access_key="secret") as db:
        db.create_tables(Things)
        yield db


@pytest.fixture(scope="module")
def embedded() -> Iterator[Database]:
    with apart("memory:") as db:
        db.create_tables(Things)
        yield db


unhurried = settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@given(made=classes())
@unhurried
def test_dynamodb_local(on_dynamodb_local: Database, made: tuple[Any, Any]) -> None:
    check(on_dynamodb_local, *made)


@given(made=classes())
@unhurried
def test_embedded(embedded: Database, made: tuple[Any, Any]) -> None:
    check(embedded, *made)


def check(db: Database, cls: Any, instance: Any) -> None:
    table = db.table(cls)
    table.put(instance)
    found = table.get(instance.id, consistent=True)
    assert found == instance
    assert [one for one in table.scan() if one.id == instance.id] == [instance]
    assert table.save(found) is False
    paths = mapped(cls).paths
    ((found_id, *values),) = table.query(instance.id).project(paths["id"], *list(paths.values())[1:4])
    assert found_id == instance.id
    assert values == [getattr(instance, name) for name in list(paths)[1:4]]
    table.delete(instance)
