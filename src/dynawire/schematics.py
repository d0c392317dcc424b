"""``SchematicsModel``: items that a schematics Model validates. Needs the extra ``dynawire[schematics]``."""

from __future__ import annotations

from .mapping.adapters.schematics import SetType, as_schema, schematics_driver
from .schema_model import SchemaModel

__all__ = ["SchematicsModel", "SetType"]


class SchematicsModel(SchemaModel):
    """A class whose instances are items of a DynamoDB table, validated and converted by a schematics Model.

    The schema is an inner ``class Schema`` with schematics' types, or ``schema=`` in the class statement: a schematics
    Model. What is to be said of single fields for the table stands in the class body: ``isbn = partition_key()``, or
    ``isbn: Attr[str] = partition_key()``, which tells type checkers the type of ``book.isbn`` and of the path
    ``Book.isbn``. Indexes are class attributes.

    Class keywords: ``table``; ``schema``; ``load``: ``"validate"`` (default: every item read is validated) or
    ``"trust"`` (its types convert, and validators do not run); those of a Model (``billing``, ``stream``, ``ttl`` …).

    ``Book(**values)`` validates what is given, and so does every write. It has every operation of a
    :class:`~dynawire.Model`.
    """

    __slots__ = ()
    __as_schema__ = staticmethod(as_schema)
    __drive__ = staticmethod(schematics_driver)
