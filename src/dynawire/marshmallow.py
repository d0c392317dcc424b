"""``MarshmallowModel``: items that a marshmallow Schema validates. Needs the extra ``dynawire[marshmallow]``."""

from __future__ import annotations

from .mapping.adapters.marshmallow import marshmallow_driver
from .mapping.adapters.marshmallow_fields import Set
from .mapping.adapters.marshmallow_schemas import as_schema
from .schema_model import SchemaModel

__all__ = ["MarshmallowModel", "Set"]


class MarshmallowModel(SchemaModel):
    """A class whose instances are items of a DynamoDB table, validated, loaded and dumped by a marshmallow Schema.

    The schema is an inner ``class Schema`` with marshmallow's fields, or ``schema=`` in the class statement: a Schema
    or an instance of one. What is to be said of single fields for the table stands in the class body: ``isbn =
    partition_key()``, or ``isbn: Attr[str] = partition_key()``, which tells type checkers the type of ``book.isbn`` and
    of the path ``Book.isbn``. Indexes are class attributes.

    Class keywords: ``table``; ``schema``; ``load``: ``"validate"`` (default: every item read is loaded by the schema,
    its hooks included) or ``"trust"`` (its fields alone, without validators and hooks); those of a Model (``billing``,
    ``stream``, ``ttl`` …).

    ``Book(**values)`` loads what is given; every write dumps the instance and refuses what the schema would not load
    again. It has every operation of a :class:`~dynawire.Model`.
    """

    __slots__ = ()
    __as_schema__ = staticmethod(as_schema)
    __drive__ = staticmethod(marshmallow_driver)
