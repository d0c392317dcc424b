"""What may not be written with hooks."""

from __future__ import annotations

from dynawire import Attr, Model, hooks, partition_key


class Book(Model, table="books"):
    isbn: Attr[str] = partition_key()


def see(event: hooks.Event) -> None:
    print(event.name)


hooks.before_save.connect(3)  # error: call-overload
hooks.before_save.connect(see, sender="Book")  # error: call-overload
hooks.before_save.disconnect("see")  # error: arg-type
hooks.before_put  # error: attr-defined
