"""The table that a class declares, as CreateTable writes it."""

from __future__ import annotations

from typing import Any

from ..codec.base import Codec
from ..mapping.indexes import IndexDefinition
from .mapped import mapped
from .target import Target

__all__ = ["create_table_params"]


def create_table_params(target: Target) -> dict[str, Any]:
    """The parameters of the CreateTable that makes this class's table."""
    targets = [target]
    if target.family is not None:
        targets = [Target(mapped(cls), target.table_name) for cls in target.family.classes()]
    mapping = targets[0].mapped.mapping
    options = mapping.options
    needed = [attribute.name for attribute in mapping.key]
    request: dict[str, Any] = {
        "TableName": target.table_name,
        "KeySchema": _key_schema(target, needed[:1], needed[1:]),
        "BillingMode": options.billing,
    }
    if options.billing == "PROVISIONED":
        request["ProvisionedThroughput"] = _throughput(options.read_units, options.write_units)
    definitions = _attribute_definitions(targets[0], needed)
    declared: set[str] = set()
    for one in targets:
        for index in one.mapped.mapping.indexes.values():
            if index.name not in declared:
                declared.add(index.name)
                kind = "GlobalSecondaryIndexes" if index.is_global else "LocalSecondaryIndexes"
                request.setdefault(kind, []).append(index_params(one, index))
                definitions += _attribute_definitions(one, index.key_names())
    request["AttributeDefinitions"] = list({one["AttributeName"]: one for one in definitions}.values())
    if options.stream is not None:
        request["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": options.stream}
    if options.table_class is not None:
        request["TableClass"] = options.table_class
    if options.deletion_protection:
        request["DeletionProtectionEnabled"] = True
    return request


def index_params(target: Target, index: IndexDefinition) -> dict[str, Any]:
    """One index as CreateTable and UpdateTable write it."""
    options = target.mapped.mapping.options
    params: dict[str, Any] = {
        "IndexName": index.name,
        "KeySchema": _key_schema(target, index.partition_key, index.sort_key),
        "Projection": _projection(target, index),
    }
    if index.is_global and options.billing == "PROVISIONED":
        params["ProvisionedThroughput"] = _throughput(
            index.read_units or options.read_units, index.write_units or options.write_units
        )
    return params


def _key_schema(target: Target, partition: Any, sort: Any) -> list[dict[str, str]]:
    stored = target.mapped.mapping.attributes
    return [{"AttributeName": stored[name].stored_name, "KeyType": "HASH"} for name in partition] + [
        {"AttributeName": stored[name].stored_name, "KeyType": "RANGE"} for name in sort
    ]


def _projection(target: Target, index: IndexDefinition) -> dict[str, Any]:
    if isinstance(index.projection, str):
        return {"ProjectionType": index.projection}
    stored = target.mapped.mapping.attributes
    return {
        "ProjectionType": "INCLUDE",
        "NonKeyAttributes": [stored[name].stored_name for name in index.projection],
    }


def _throughput(read_units: int | None, write_units: int | None) -> dict[str, Any]:
    return {"ReadCapacityUnits": read_units, "WriteCapacityUnits": write_units}


def _attribute_definitions(target: Target, names: Any) -> list[dict[str, str]]:
    mapping = target.mapped.mapping
    return [
        {
            "AttributeName": mapping.attributes[name].stored_name,
            "AttributeType": _key_type(target.plan.codecs[name]),
        }
        for name in dict.fromkeys(names)
    ]


def _key_type(codec: Codec) -> str:
    (tag,) = codec.tags - {"NULL"}
    return tag
