"""Which database a model's operation goes to: of the block, the task, the thread, or the one connected last."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

import dynawire as dw
from dynawire import Attr, GlobalIndex, Model, attr, partition_key
from tests.support.databases import Twins, connected, twin

__all__ = ["twin"]


class Thing(Model, table="things"):
    id: Attr[str] = partition_key()
    value: Attr[str] = attr(default="none")

    by_value = GlobalIndex("value")


class Nested(Model):
    value: Attr[str]


def new(value: str) -> dw.Database:
    """A database in memory with the table, and an item that tells it from others."""
    db = dw.connect("memory:")
    with db.use():
        db.create_tables(Thing)
        Thing(id="x", value=value).put()
    return db


def current() -> str:
    return Thing.get_one("x").value


def test_none_is_connected() -> None:
    for call in (
        lambda: Thing.get("x"),
        lambda: Thing(id="x").put(),
        lambda: Thing.query("x"),
        lambda: Thing.by_value.query("x"),
        lambda: Thing.key("x").get(),
        lambda: Thing.params.get("x"),
    ):
        with pytest.raises(dw.DynawireError, match=r"no database is connected; write connect\(\"memory:\"\)"):
            call()


def test_the_one_connected_last_is_the_default() -> None:
    first, second = new("1"), new("2")
    assert current() == "2"
    third = new("3")
    assert current() == "3"
    third.close()
    assert current() == "2"
    first.close()
    assert current() == "2"
    second.close()
    with pytest.raises(dw.DynawireError, match="no database is connected"):
        current()


def test_blocks() -> None:
    with new("1") as first, new("2") as second:
        with first.use() as used:
            assert used is first
            assert current() == "1"
            with second.use():
                assert current() == "2"
                Thing(id="new").put()
            assert current() == "1"
            assert not Thing.exists("new")
        assert current() == "2"
        assert Thing.exists("new")
        with pytest.raises(KeyError), first.use():
            raise KeyError
        assert current() == "2"


def test_tables_are_explicit() -> None:
    with new("1") as first, new("2") as second:
        table = first.table(Thing)
        assert table is first.table(Thing)
        assert (table.model, table.name, table.database) == (Thing, "things", first)
        with second.use():
            assert table.get_one("x").value == "1"
            assert [item.value for item in table.query("x")] == ["1"]
            assert [item.value for item in table.index("by_value").query("1")] == ["1"]
            assert table.key("x").get_one().value == "1"
            assert Thing.by_value.query("1").all() == []
            table.put(Thing(id="y"))
            assert not Thing.exists("y")
            table.update(table.get_one("x"), value="changed")
            assert current() == "2"
        with pytest.raises(dw.SchemaError, match="Nested has no table"):
            first.table(Nested)
        with pytest.raises(dw.SchemaError, match="int is not mapped"):
            first.table(int)
        with pytest.raises(dw.ExpressionError, match="no index 'nothing'; its indexes: by_value"):
            table.index("nothing")


def test_a_query_stays_on_its_database() -> None:
    with new("1") as first, new("2") as second:
        with first.use():
            query = Thing.query("x")
            items = iter(Thing.scan())
        with second.use():
            assert query.one().value == "1"
            assert next(items).value == "1"


def test_each_thread_has_its_own() -> None:
    databases = [new(str(number)) for number in range(4)]
    found: dict[int, list[str]] = {}
    start = threading.Barrier(5)

    def work(number: int) -> None:
        with databases[number].use():
            start.wait()
            found[number] = [current() for _ in range(20)]

    def without() -> None:
        start.wait()
        found[-1] = [current() for _ in range(20)]

    with databases[0].use():
        # A new thread does not inherit the block; it has the default.
        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        threads.append(threading.Thread(target=without))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert current() == "0"
    for database in databases:
        database.close()
    assert found == {**{number: [str(number)] * 20 for number in range(4)}, -1: ["3"] * 20}


def test_each_task_has_its_own() -> None:
    databases = [new(str(number)) for number in range(3)]

    async def work(number: int) -> list[str]:
        with databases[number].use():
            values = []
            for _ in range(10):
                values.append((await Thing.aget_one("x")).value)
                await asyncio.sleep(0)
            return values

    async def child() -> str:
        return (await Thing.aget_one("x")).value

    async def main() -> tuple[list[list[str]], str]:
        with databases[0].use():
            # A task begun inside a block inherits it.
            task = asyncio.create_task(child())
        found = await asyncio.gather(*(work(number) for number in range(3)))
        return found, await task

    assert asyncio.run(main()) == ([[str(number)] * 10 for number in range(3)], "0")
    for database in databases:
        database.close()


def test_blocks_that_end_in_another_context(twin: Twins) -> None:
    """As fixtures that are asynchronous generators do: each step runs in a context of its own."""
    with new("1") as first, new("2"):

        async def fixture() -> Any:
            with first.use(), first.measure() as meter:
                yield meter

        async def step(generator: Any) -> Any:
            return await anext(generator, None)

        with asyncio.Runner() as runner:
            generator = fixture()
            import contextvars

            assert runner.run(step(generator), context=contextvars.Context()) is not None
            with pytest.warns(RuntimeWarning, match="ended in another context than it began in") as warned:
                assert runner.run(step(generator), context=contextvars.Context()) is None
            assert [one.filename for one in warned] == [__file__]
        assert current() == "2"


def test_use_without_a_block_is_told() -> None:
    """It would bind nothing, and what follows write to the database connected last."""
    with new("1") as first, new("2"):
        with pytest.warns(RuntimeWarning, match="by itself binds nothing: write `with db.use") as warned:
            first.use()
        assert [one.filename for one in warned] == [__file__]
        assert current() == "2"

        with contextlib.ExitStack() as stack:
            stack.enter_context(first.use())
            assert current() == "1"

        @first.use()
        def decorated(again: bool) -> list[str]:
            """Bound for each call, one inside another."""
            return [current(), *(decorated(again=False) if again else []), current()]

        assert (decorated.__name__, decorated(again=True), decorated(again=True)) == ("decorated", ["1"] * 4, ["1"] * 4)
        assert current() == "2"


def test_a_dependency_that_binds_nothing_is_told() -> None:
    """A web framework runs a plain generator in threads: the request would be served from another tenant's database."""
    fastapi = pytest.importorskip("fastapi")
    app = fastapi.FastAPI()

    def plain(tenant: str) -> Iterator[None]:
        with databases[tenant].use():
            yield

    async def awaited(tenant: str) -> AsyncIterator[None]:
        with databases[tenant].use():
            yield

    @app.get("/plain", dependencies=[fastapi.Depends(plain)])
    def with_plain() -> str:
        return current()

    @app.get("/awaited", dependencies=[fastapi.Depends(awaited)])
    def with_awaited() -> str:
        return current()

    with new("1") as first, new("2") as second:
        databases = {"1": first, "2": second}

        async def get(path: str) -> str:
            messages: list[Any] = []

            async def receive() -> Any:
                return {"type": "http.request"}

            async def send(message: Any) -> None:
                messages.append(message)

            scope = {"type": "http", "method": "GET", "path": path, "query_string": b"tenant=1", "headers": []}
            await app(scope, receive, send)
            return b"".join(one.get("body", b"") for one in messages).decode()

        assert asyncio.run(get("/awaited")) == '"1"'
        with pytest.warns(RuntimeWarning, match="async generator or as middleware"):
            assert asyncio.run(get("/plain")) == '"2"'


# ---------------------------------------------------------------------- the end


def test_after_closing(twin: Twins) -> None:
    db = connected("memory:")
    twin(db).create_tables(Thing)
    table, query = db.table(Thing), db.table(Thing).query("x")
    twin.run(db.aclose()) if twin.is_async else db.close()
    for call in (
        lambda: twin(table).get("x"),
        lambda: twin(table).put(Thing(id="x")),
        lambda: twin.items(query),
        lambda: twin(db).list_tables(),
    ):
        with pytest.raises(dw.ConnectionFailed, match="closed"):
            call()
    with db.use(), pytest.raises(dw.ConnectionFailed, match="closed"):
        twin(Thing).get("x")
    # Closing again is no error.
    twin.run(db.aclose()) if twin.is_async else db.close()


def test_a_block_of_the_database_itself(twin: Twins) -> None:
    entered: list[dw.Database] = []
    database = connected("memory:")
    twin.within(database, entered.append)
    assert entered == [database]
    with pytest.raises(dw.ConnectionFailed):
        twin(database).list_tables()
    with pytest.raises(KeyError):
        twin.within(connected("memory:"), lambda db: {}["x"])
    with pytest.raises(dw.DynawireError, match="no database is connected"):
        Thing.get("x")


@pytest.mark.dynamodb_local
def test_closing_a_connection(dynamodb_local: str, twin: Twins) -> None:
    db = connected(dynamodb_local)
    twin(db).create_tables(Thing)
    twin.run(db.aclose()) if twin.is_async else db.close()
    with pytest.raises(dw.ConnectionFailed, match="closed"):
        twin(db.table(Thing)).get("x")


def test_one_database_serves_threads_and_loops_at_once() -> None:
    with new("1") as db:

        async def main() -> list[str]:
            return [item.value for item in await asyncio.gather(*(Thing.aget_one("x") for _ in range(5)))]

        def loop() -> None:
            with db.use():
                found.append(asyncio.run(main()))

        def blocking() -> None:
            with db.use():
                found.append([current() for _ in range(5)])

        found: list[list[str]] = []
        threads = [threading.Thread(target=target) for target in (loop, blocking, loop, blocking)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == [["1"] * 5] * 4


def test_a_function_that_runs_later_is_refused_as_the_block() -> None:
    async def coroutine() -> None: ...

    def generator() -> Iterator[None]:
        yield

    async def both() -> AsyncIterator[None]:
        yield

    functions: list[Callable[[], object]] = [coroutine, generator, both]
    with new("1") as db:
        for function in functions:
            with pytest.raises(dw.UsageError, match=rf"before .*{function.__name__}\(\) runs.*with db.use"):
                db.use()(function)
