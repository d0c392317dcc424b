"""Resuming a task in the callback that brought what it waits for."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable

import pytest

from dynawire.engines.aws.resuming import resume


@pytest.fixture(params=["asyncio", "uvloop"])
def runner(request: pytest.FixtureRequest) -> asyncio.Runner:
    uvloop = request.param == "uvloop"
    return asyncio.Runner(loop_factory=pytest.importorskip("uvloop").new_event_loop if uvloop else None)


def test_the_task_goes_on_at_once_and_in_its_own_context(runner: asyncio.Runner) -> None:
    seen: list[object] = []
    variable = contextvars.ContextVar("variable", default="outside")

    async def main() -> None:
        waiter: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(wait(waiter))
        await asyncio.sleep(0)

        def arrive() -> None:
            resume(waiter, 7)
            seen.append("after")
            seen.append(variable.get())

        asyncio.get_running_loop().call_soon(arrive)
        await task

    async def wait(waiter: asyncio.Future[int]) -> None:
        variable.set("inside")
        seen.append(await waiter)
        seen.append(variable.get())
        seen.append(asyncio.current_task() is not None)

    with runner:
        runner.run(main())
    assert seen == [7, "inside", True, "after", "outside"]


def test_from_within_a_task_it_takes_a_turn(runner: asyncio.Runner) -> None:
    seen: list[object] = []

    async def main() -> None:
        waiter: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(wait(waiter))
        await asyncio.sleep(0)
        resume(waiter, 7)
        seen.append("still here")
        await task

    async def wait(waiter: asyncio.Future[int]) -> None:
        seen.append(await waiter)

    with runner:
        runner.run(main())
    assert seen == ["still here", 7]


@pytest.mark.parametrize("tasks", [0, 2])
def test_any_number_may_wait(tasks: int, runner: asyncio.Runner) -> None:
    async def main() -> list[int]:
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[int] = loop.create_future()
        waiting = [asyncio.create_task(wait(waiter)) for _ in range(tasks)]
        await asyncio.sleep(0)
        loop.call_soon(resume, waiter, 7)
        results = [await task for task in waiting]
        return [*results, await waiter]

    async def wait(waiter: asyncio.Future[int]) -> int:
        return await waiter

    with runner:
        assert runner.run(main()) == [7] * (tasks + 1)


@pytest.mark.parametrize("exit_with", [SystemExit, KeyboardInterrupt])
def test_an_exit_of_the_task_reaches_the_loop(exit_with: type[BaseException], runner: asyncio.Runner) -> None:
    """A transport would log it, and the program would go on."""
    swallowed: list[BaseException] = []

    def transport(resume_now: Callable[[], None]) -> None:
        try:
            resume_now()
        except BaseException as error:  # noqa: BLE001 - as transports do
            swallowed.append(error)

    async def main() -> None:
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[int] = loop.create_future()
        loop.call_soon(transport, lambda: resume(waiter, 7))
        await waiter
        raise exit_with

    with runner, pytest.raises(exit_with):
        runner.run(main())
    assert not swallowed


def test_what_a_task_raises_is_its_own(runner: asyncio.Runner) -> None:
    async def main() -> str:
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[int] = loop.create_future()
        loop.call_soon(resume, waiter, 7)
        task = asyncio.create_task(fail(waiter))
        with pytest.raises(ValueError, match="7"):
            await task
        return "went on"

    async def fail(waiter: asyncio.Future[int]) -> None:
        raise ValueError(await waiter)

    with runner:
        assert runner.run(main()) == "went on"
