"""Threads, event loops, forks and interruptions on one engine."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from dynawire.engines.aws import AwsEngine, connection_async
from dynawire.engines.protocol import Engine
from dynawire.errors import ConnectionFailed
from tests.aws.conftest import Client, Waits
from tests.aws.scripted import RELEASE_TIMEOUT, Gate, Peer, Request, ScriptedServer, echo, fault, hang_up, response


def test_threads_share_the_connections() -> None:
    with ScriptedServer() as server, ThreadPoolExecutor(16) as threads:
        engine = AwsEngine(server.url, max_connections=4)
        bodies = [b'{"n":%d}' % n for n in range(400)]
        assert list(threads.map(lambda body: engine.send("GetItem", body), bodies)) == bodies
        assert 1 <= server.connections <= 4
        engine.close()


def test_tasks_share_the_connections() -> None:
    async def main() -> list[bytes]:
        try:
            return await asyncio.gather(*(engine.asend("GetItem", body) for body in bodies))
        finally:
            await engine.aclose()

    with ScriptedServer() as server:
        engine = AwsEngine(server.url, max_connections=4)
        bodies = [b'{"n":%d}' % n for n in range(400)]
        assert asyncio.run(main()) == bodies
        assert server.connections == 4


def test_threads_and_loops_at_once() -> None:
    async def tasks(name: int) -> bool:
        bodies = [b'{"loop":%d,"n":%d}' % (name, n) for n in range(100)]
        return await asyncio.gather(*(engine.asend("GetItem", body) for body in bodies)) == bodies

    def loop(name: int) -> bool:
        return asyncio.run(tasks(name))

    def blocking(name: int) -> bool:
        bodies = [b'{"thread":%d,"n":%d}' % (name, n) for n in range(100)]
        return [engine.send("GetItem", body) for body in bodies] == bodies

    with ScriptedServer() as server, ThreadPoolExecutor(8) as threads:
        engine = AwsEngine(server.url, max_connections=5)
        jobs = [threads.submit(job, name) for name in range(4) for job in (loop, blocking)]
        assert all(job.result() for job in jobs)
        engine.close()


def test_failures_give_their_place_back(client: Client) -> None:
    with ScriptedServer(*[hang_up, fault("ValidationException")] * 6) as server:
        engine = client.connect(server.url, max_connections=1)
        for _ in range(12):
            with pytest.raises(Exception, match=r"ValidationException|may or may not"):
                client.send(engine, "UpdateItem", idempotent=False)
        assert client.send(engine, "GetItem", b'{"n":7}')
    with pytest.raises(ConnectionFailed):
        client.send(engine, "GetItem")
    with pytest.raises(ConnectionFailed):
        client.send(engine, "GetItem")


def test_a_cancelled_request_leaves_no_answer_behind() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        task = asyncio.ensure_future(engine.asend("UpdateItem", b'{"cancelled":1}'))
        gate.on_arrival = lambda: loop.call_soon_threadsafe(task.cancel)
        with pytest.raises(asyncio.CancelledError):
            await task
        # Only one connection is allowed, and the old one would not answer before the gate opens.
        for n in range(4):
            body = b'{"n":%d}' % n
            assert await engine.asend("UpdateItem", body, idempotent=False) == body
            if n == 1:
                gate.open.set()
        await engine.aclose()

    gate = Gate()
    with ScriptedServer(gate) as server:
        engine = AwsEngine(server.url, max_connections=1, timeout=5)
        asyncio.run(main())
        assert {request.connection for request in server.requests} == {1, 2}


def test_what_comes_unasked_while_the_loop_runs() -> None:
    def answer_and_mumble(peer: Peer, request: Request) -> None:
        peer.send(response(b'{"a":1}'))
        asked.wait(RELEASE_TIMEOUT)
        peer.send(response(b'{"stray":true}'))

    async def main() -> None:
        assert await engine.asend("GetItem", b"{}") == b'{"a":1}'
        (pool,) = engine._async_pools.values()
        (connection,) = pool._live
        asked.set()
        await asyncio.wait_for(asyncio.shield(connection.lost), RELEASE_TIMEOUT)
        assert await engine.asend("UpdateItem", b'{"n":2}', idempotent=False) == b'{"n":2}'
        await engine.aclose()

    asked = threading.Event()
    with ScriptedServer(answer_and_mumble) as server:
        engine = AwsEngine(server.url)
        asyncio.run(main())


def test_a_cancelled_wait_for_a_connection_passes_it_on() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        arrived = asyncio.Event()
        gate.on_arrival = lambda: loop.call_soon_threadsafe(arrived.set)
        first = asyncio.ensure_future(engine.asend("GetItem", b'{"n":1}'))
        await arrived.wait()
        waiting = [asyncio.ensure_future(engine.asend("GetItem", b'{"n":%d}' % n)) for n in range(2, 6)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        # Cancelled in the very step in which the connection is handed to it.
        first.add_done_callback(lambda _: waiting[1].cancel())
        gate.open.set()
        assert await first == b'{"n":1}'
        results = await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), RELEASE_TIMEOUT)
        assert [type(result) for result in results[:2]] == [asyncio.CancelledError] * 2
        assert results[2:] == [b'{"n":4}', b'{"n":5}']
        await engine.aclose()

    gate = Gate()
    with ScriptedServer(gate) as server:
        engine = AwsEngine(server.url, max_connections=1)
        asyncio.run(main())


@pytest.mark.parametrize("how", ["cancelled with a connection", "cancelled with a place", "broken on its way"])
def test_what_is_handed_to_a_waiting_task_is_never_lost(how: str) -> None:
    async def main() -> None:
        await engine.asend("GetItem", b"{}")
        (pool,) = engine._async_pools.values()
        for _ in range(3):
            connection = pool.take(False) or await pool.open()
            assert connection is not None
            waiting = [asyncio.ensure_future(engine.asend("GetItem", b'{"n":%d}' % n)) for n in range(3)]
            await asyncio.sleep(0)
            # Nothing runs between the handing over and what goes wrong with it.
            if how == "cancelled with a place":
                pool.discard(connection)
            else:
                pool.give_back(connection)
            if how == "broken on its way":
                connection.fail("broken")
            else:
                waiting[0].cancel()
            results = await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), RELEASE_TIMEOUT)
            assert results[1:] == [b'{"n":1}', b'{"n":2}']
            if how == "broken on its way":
                assert results[0] == b'{"n":0}'
            else:
                assert isinstance(results[0], asyncio.CancelledError)
            assert len(pool._live) + pool._places == 1
        await engine.aclose()
        assert (len(pool._live), pool._places) == (0, 1)

    with ScriptedServer() as server:
        engine = AwsEngine(server.url, max_connections=1)
        asyncio.run(main())


def test_an_interrupted_request_leaves_no_answer_behind() -> None:
    gate = Gate()
    gate.on_arrival = lambda: signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with ScriptedServer(gate) as server:
            engine = AwsEngine(server.url, max_connections=1, timeout=5)
            with pytest.raises(KeyboardInterrupt):
                engine.send("UpdateItem", b'{"interrupted":1}')
            for n in range(4):
                body = b'{"n":%d}' % n
                assert engine.send("UpdateItem", body, idempotent=False) == body
                if n == 1:
                    gate.open.set()
            engine.close()
    finally:
        signal.signal(signal.SIGINT, previous)


def test_a_thread_waits_for_a_connection() -> None:
    gate = Gate()
    with ScriptedServer(gate) as server, ThreadPoolExecutor(2) as threads:
        engine = AwsEngine(server.url, max_connections=1)
        first = threads.submit(engine.send, "GetItem", b'{"n":1}')
        assert gate.arrived.wait(RELEASE_TIMEOUT)
        second = threads.submit(engine.send, "GetItem", b'{"n":2}')
        gate.open.set()
        assert [first.result(), second.result()] == [b'{"n":1}', b'{"n":2}']
        assert server.connections == 1
        engine.close()


def test_closing_lets_what_is_under_way_finish(client: Client) -> None:
    gate = Gate()
    with ScriptedServer(gate) as server:
        engine = client.connect(server.url)
        gate.on_arrival = engine.close
        gate.open.set()
        assert client.send(engine, "UpdateItem", b'{"n":1}', idempotent=False) == b'{"n":1}'
        with pytest.raises(ConnectionFailed, match="closed"):
            client.send(engine, "UpdateItem")
        assert server.ended.wait(RELEASE_TIMEOUT) or client.kind != "sync"


def test_connections_idle_for_too_long_are_not_used() -> None:
    with ScriptedServer() as server, ThreadPoolExecutor(3) as threads:
        engine = AwsEngine(server.url)
        engine.send("GetItem", b"{}")
        engine._pool._idle[0].idle_since -= 30
        engine.send("GetItem", b"{}")
        assert server.connections == 2
        # Of several, those not needed for so long are closed one by one as others come back.
        barrier = threading.Barrier(3)
        server._script.extend([lambda peer, request: (barrier.wait(RELEASE_TIMEOUT), echo(peer, request))[1]] * 3)
        list(threads.map(lambda _: engine.send("GetItem", b"{}"), range(3)))
        assert len(engine._pool._idle) == 3
        for connection in engine._pool._idle:
            connection.idle_since -= 30
        for _ in range(3):
            engine.send("GetItem", b"{}")
        assert len(engine._pool._idle) == len(engine._pool._live) == 1
        engine.close()


def test_idle_connections_of_a_loop_end_by_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        await engine.asend("GetItem", b"{}")
        assert await asyncio.to_thread(server.ended.wait, RELEASE_TIMEOUT)
        assert await engine.asend("UpdateItem", b'{"n":2}', idempotent=False) == b'{"n":2}'

    monkeypatch.setattr(connection_async, "IDLE_LIMIT", 0.05)
    with ScriptedServer() as server:
        engine = AwsEngine(server.url)
        asyncio.run(main())


def test_an_engine_that_is_dropped_closes_its_connections() -> None:
    with ScriptedServer() as server:
        engine = AwsEngine(server.url)
        engine.send("GetItem", b"{}")
        del engine
        # A warning of an unclosed socket would fail the test.
        gc.collect()
        assert server.ended.wait(RELEASE_TIMEOUT)


def test_it_is_an_engine() -> None:
    engine: Engine = AwsEngine("http://localhost:8000")
    assert engine.remote
    engine.close()


def test_the_end_of_a_loop_closes_its_connections() -> None:
    async def main() -> None:
        await engine.asend("GetItem", b"{}")

    with ScriptedServer() as server:
        engine = AwsEngine(server.url)
        for connections in range(1, 4):
            server.ended.clear()
            asyncio.run(main())
            assert server.ended.wait(RELEASE_TIMEOUT)
            assert server.connections == connections
        assert len(engine._async_pools) == 1


def test_closing_from_another_thread_reaches_the_loop() -> None:
    async def main() -> None:
        await engine.asend("GetItem", b"{}")
        await asyncio.to_thread(engine.close)
        assert await asyncio.to_thread(server.ended.wait, RELEASE_TIMEOUT)

    with ScriptedServer() as server:
        engine = AwsEngine(server.url)
        asyncio.run(main())


def test_an_interrupted_wait_between_attempts() -> None:
    async def asleep(seconds: float) -> None:
        raise asyncio.CancelledError

    async def main() -> None:
        policy = Waits().policy()
        policy.asleep = asleep
        engine = AwsEngine(server.url, retry=policy, max_connections=1)
        with pytest.raises(asyncio.CancelledError):
            await engine.asend("GetItem", b"{}")
        assert await engine.asend("GetItem", b'{"n":2}') == b'{"n":2}'
        await engine.aclose()

    with ScriptedServer(fault("ThrottlingException")) as server:
        asyncio.run(main())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_has_connections_of_its_own() -> None:
    def in_child() -> bytes:
        found = engine.send("GetItem", b'{"child":1}')
        return found + asyncio.run(engine.asend("GetItem", b'{"child":2}'))

    with ScriptedServer() as server:
        engine = AwsEngine(server.url)
        engine.send("GetItem", b'{"parent":1}')
        read_end, write_end = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.write(write_end, in_child())
            finally:
                os._exit(0)
        os.close(write_end)
        with os.fdopen(read_end, "rb") as pipe:
            assert pipe.read() == b'{"child":1}{"child":2}'
        os.waitpid(child, 0)
        # The child's end has not ended the parent's connection.
        assert engine.send("UpdateItem", b'{"parent":2}', idempotent=False) == b'{"parent":2}'
        served = {request.body: request.connection for request in server.requests}
        assert served[b'{"parent":1}'] == served[b'{"parent":2}'] == 1
        assert len({served[b'{"child":1}'], served[b'{"child":2}'], 1}) == 3
        engine.close()
