"""Hooks, as type checkers see them."""

from __future__ import annotations

from typing import Any, assert_type

from dynawire import Attr, Model, Update, connect, hooks, partition_key


class Book(Model, table="books"):
    isbn: Attr[str] = partition_key()
    title: Attr[str]

    @hooks.before_save
    def tidy(self) -> None:
        self.title = self.title.strip()

    @hooks.before_update
    @hooks.before_delete
    def note(self, event: hooks.Event) -> None:
        assert_type(event.updates, list[Update])
        assert_type(event.key, tuple[Any, ...])
        assert_type(event.item, dict[str, Any] | None)

    @hooks.before_load
    @classmethod
    def old(cls, event: hooks.Event) -> None: ...

    @hooks.after_save
    async def later(self) -> None: ...


@hooks.after_save.connect
def every(event: hooks.Event) -> int:
    return 1


@hooks.after_save.connect(sender=Book)
async def some(event: hooks.Event) -> None: ...


assert_type(every(hooks.Event.__new__(hooks.Event)), int)
assert_type(Book(isbn="1", title="x").tidy(), None)
hooks.after_save.disconnect(every)
with connect("memory:"), hooks.before_save.connected(every, sender=Book):
    Book(isbn="1", title="y").put()
