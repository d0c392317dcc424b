"""When to send a request again, after how long, and when not to: one state machine for sync and async.

Full jitter: Marc Brooker, "Exponential Backoff And Jitter" (AWS Architecture Blog). The budget is the retry quota of
AWS's SDKs' standard mode: a client whose requests mostly fail stops adding to the load.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Awaitable, Callable

from dynawire.engines.aws.http1 import Response
from dynawire.engines.aws.responses import read_error
from dynawire.errors import ConnectionFailed, DynawireError, OutcomeUnknown, Throttled

__all__ = ["AttemptFailed", "Exchange", "RetryBudget", "RetryPolicy"]

_READS = ("BatchGet", "Describe", "Get", "List", "Query", "Scan", "Search", "TransactGet")
"""How the names of operations begin that change nothing."""


class AttemptFailed(Exception):
    """An attempt ended without a response.

    Attributes:
        reason: what happened, as a clause for a message.
        sent: whether any part of the request may have reached the service.
        permanent: whether another attempt would end in the same way.
        stale: whether only a kept-alive connection had been closed, so that a new one is worth trying at once.
    """

    def __init__(self, reason: str, *, sent: bool, permanent: bool = False, stale: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.sent = sent
        self.permanent = permanent
        self.stale = stale


def _random() -> float:
    from random import random

    return random()


async def _asleep(seconds: float) -> None:
    import asyncio

    await asyncio.sleep(seconds)


class RetryPolicy:
    """How often, how long and how patiently requests are sent again.

    Args:
        max_attempts: attempts per request, the first included. 10, as botocore has it for DynamoDB: throttling of a
            table that is scaling up lasts seconds.
        max_connect_attempts: attempts that may end without reaching the service. Few, so that a wrong address is told
            at once.
        base_delay: seconds; the n-th retry waits a random time between 0 and ``base_delay * 2 ** (n - 1)``.
        max_delay: seconds a single wait never exceeds.
        deadline: seconds since the start of the first attempt after which none is begun.
        clock: monotonic seconds.
        sleep: waits, blocking.
        asleep: waits, on the event loop.
        jitter: a number between 0 and 1.
    """

    __slots__ = (
        "asleep",
        "base_delay",
        "clock",
        "deadline",
        "jitter",
        "max_attempts",
        "max_connect_attempts",
        "max_delay",
        "sleep",
    )

    def __init__(
        self,
        *,
        max_attempts: int = 10,
        max_connect_attempts: int = 3,
        base_delay: float = 0.05,
        max_delay: float = 5.0,
        deadline: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        asleep: Callable[[float], Awaitable[None]] = _asleep,
        jitter: Callable[[], float] = _random,
    ) -> None:
        self.max_attempts = max_attempts
        self.max_connect_attempts = max_connect_attempts
        self.base_delay = base_delay
        self.max_delay = max_delay
        self.deadline = deadline
        self.clock = clock
        self.sleep = sleep
        self.asleep = asleep
        self.jitter = jitter

    def delay(self, retry: int) -> float:
        """Seconds to wait before the given retry, counted from 1."""
        # The exponent is held down because a float's own range ends at 2 ** 1024.
        return self.jitter() * min(self.max_delay, self.base_delay * 2.0 ** min(retry - 1, 60))


class RetryBudget:
    """Tokens that retries cost and successes bring back, shared by all requests of an engine.

    Args:
        capacity: tokens at the start and at most.

    Attributes:
        spent: tokens that lack.
    """

    __slots__ = ("_capacity", "_lock", "spent")

    THROTTLED = 1
    """Cost of a retry after throttling, which tells exactly what to do: wait."""
    FAILED = 5
    """Cost of a retry after anything else."""

    def __init__(self, capacity: int = 500) -> None:
        self._capacity = capacity
        self.spent = 0
        self._lock = threading.Lock()

    def spend(self, cost: int) -> bool:
        """Pay for a retry; False when there is too little left."""
        with self._lock:
            if self.spent + cost > self._capacity:
                return False
            self.spent += cost
            return True

    def earn(self, amount: int) -> None:
        """Give back after a success."""
        with self._lock:
            self.spent = max(0, self.spent - amount)

    def after_fork(self) -> None:
        """Make it usable in a child process, where no other thread can give the lock back."""
        self._lock = threading.Lock()


class Exchange:
    """The attempts at one request, from its first failure on.

    The engine reports how each attempt ended and is told how long to wait before the next, or gets the error to raise.

    Args:
        policy: the limits.
        budget: what retries are paid from.
        operation: DynamoDB's operation name.
        idempotent: whether the request may be sent again though it may have been applied.
        url: the endpoint, for messages.
        started: when the first attempt began, by the policy's clock.
        renew_credentials: called when the service says the credentials expired; whether others can be had.
        correct_clock: called with the response when the service refused the time of the signature; whether signing
            again can help.
    """

    __slots__ = (
        "_attempts",
        "_budget",
        "_connect_attempts",
        "_correct_clock",
        "_idempotent",
        "_operation",
        "_paid",
        "_policy",
        "_renew_credentials",
        "_resigned",
        "_started",
        "_unsure",
        "_url",
    )

    def __init__(
        self,
        policy: RetryPolicy,
        budget: RetryBudget,
        operation: str,
        idempotent: bool,
        url: str,
        started: float,
        renew_credentials: Callable[[], bool],
        correct_clock: Callable[[Response], bool],
    ) -> None:
        self._policy = policy
        self._budget = budget
        self._operation = operation
        self._idempotent = idempotent
        self._url = url
        self._started = started
        self._renew_credentials = renew_credentials
        self._correct_clock = correct_clock
        self._attempts = 0
        self._connect_attempts = 0
        self._paid = 0
        self._unsure = False
        self._resigned: set[str] = set()

    def after_failure(self, failure: AttemptFailed) -> float:
        """An attempt ended without a response.

        Returns:
            Seconds to wait before the next attempt.

        Raises:
            ConnectionFailed: no attempt is left, and none can have been applied.
            OutcomeUnknown: the request may have been applied.
        """
        self._attempts += 1
        if failure.sent:
            error = self._lost(failure.reason)
            if error is not None:
                raise error from failure
            return self._next(self._gone(failure.reason), self._budget.FAILED, failure)
        self._connect_attempts += not failure.stale
        gone = self._gone(failure.reason)
        if failure.permanent or self._connect_attempts >= self._policy.max_connect_attempts:
            raise self._final(gone) from failure
        delay = self._next(gone, self._budget.FAILED, failure)
        return 0.0 if failure.stale else delay

    def after_response(self, response: Response) -> float:
        """An attempt ended with a response that is not a success.

        Returns:
            Seconds to wait before the next attempt.

        Raises:
            OutcomeUnknown: the request may have been applied.
            DynawireError: what the service said.
        """
        self._attempts += 1
        verdict = read_error(response, self._url)
        if verdict.expired and self._once("credentials") and self._renew_credentials():
            return 0.0
        if verdict.skewed and self._once("clock") and self._correct_clock(response):
            return 0.0
        if verdict.applied:
            error = self._lost(verdict.error.message)
            if error is not None:
                raise error from verdict.error
        if not verdict.retry:
            raise verdict.error
        throttled = isinstance(verdict.error, Throttled)
        return self._next(verdict.error, self._budget.THROTTLED if throttled else self._budget.FAILED, None)

    def succeeded(self) -> None:
        """The last attempt was answered with a success."""
        self._budget.earn(self._paid)

    def _once(self, remedy: str) -> bool:
        if remedy in self._resigned:
            return False
        self._resigned.add(remedy)
        return True

    def _lost(self, reason: str) -> OutcomeUnknown | None:
        """Note that the request may have been applied; the error when that forbids to send it again."""
        if self._operation.startswith(_READS):
            return None
        self._unsure = True
        return None if self._idempotent else self._outcome_unknown(reason)

    def _next(self, error: DynawireError, cost: int, cause: BaseException | None) -> float:
        policy = self._policy
        if self._attempts >= policy.max_attempts:
            raise self._final(error) from cause
        delay = policy.delay(self._attempts)
        late = policy.clock() + delay - self._started > policy.deadline
        if late or not self._budget.spend(cost):
            raise self._final(error) from cause
        self._paid += cost
        return delay

    def _final(self, error: DynawireError) -> DynawireError:
        # The last attempt may have come to nothing for certain and an earlier one have been applied.
        return self._outcome_unknown(error.message) if self._unsure else error

    def _gone(self, reason: str) -> ConnectionFailed:
        tries = "" if self._attempts == 1 else f" ({self._attempts} attempts)"
        return ConnectionFailed(
            f"{self._operation} got no answer from {self._url}{tries}: {reason}", endpoint=self._url
        )

    def _outcome_unknown(self, reason: str) -> OutcomeUnknown:
        if self._idempotent:
            advice = "It may or may not have been applied; repeating it is safe."
        else:
            advice = (
                "It may or may not have been applied, and sending it twice could apply it twice: read the item to see, "
                "or use exactly_once=True."
            )
        return OutcomeUnknown(
            f"{self._operation} to {self._url}: {reason.rstrip('.')}. {advice}",
            operation=self._operation,
            endpoint=self._url,
        )
