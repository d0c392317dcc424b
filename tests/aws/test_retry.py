"""The decision to send again, without any input or output."""

from __future__ import annotations

import json
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynawire.engines.aws.http1 import Response
from dynawire.engines.aws.retry import AttemptFailed, Exchange, RetryBudget, RetryPolicy
from dynawire.errors import ConnectionFailed, DynawireError, OutcomeUnknown, ServiceError, Throttled

WRITES = [
    "PutItem",
    "UpdateItem",
    "DeleteItem",
    "BatchWriteItem",
    "TransactWriteItems",
    "ExecuteStatement",
    "CreateTable",
]
READS = ["GetItem", "BatchGetItem", "Query", "Scan", "DescribeTable", "ListTables", "TransactGetItems", "SearchVectors"]


def answer(code: str, status: int = 400) -> Response:
    return Response(status, {}, json.dumps({"__type": f"x#{code}"}).encode(), True)


def exchange(
    operation: str = "PutItem",
    idempotent: bool = True,
    policy: RetryPolicy | None = None,
    budget: RetryBudget | None = None,
) -> Exchange:
    return Exchange(
        policy or RetryPolicy(clock=lambda: 0.0, jitter=lambda: 1.0),
        budget or RetryBudget(),
        operation,
        idempotent,
        "http://somewhere",
        0.0,
        renew_credentials=lambda: False,
        correct_clock=lambda response: False,
    )


UNREACHED = AttemptFailed("refused", sent=False)
STALE = AttemptFailed("stale", sent=False, stale=True)
LOST = AttemptFailed("lost", sent=True)
REFUSED = answer("ValidationException")
OUTCOMES = st.sampled_from(
    [UNREACHED, STALE, LOST, answer("ThrottlingException"), answer("InternalServerError", 500), REFUSED]
)


def may_have_been_applied(outcome: AttemptFailed | Response) -> bool:
    return outcome.sent if isinstance(outcome, AttemptFailed) else outcome.status >= 500


@given(
    operation=st.sampled_from(WRITES), idempotent=st.booleans(), outcomes=st.lists(OUTCOMES, min_size=40, max_size=40)
)
def test_whatever_happens_a_write_is_honest(
    operation: str, idempotent: bool, outcomes: list[AttemptFailed | Response]
) -> None:
    attempts = exchange(operation, idempotent)
    unsure = False
    for outcome in outcomes[:10]:
        before, unsure = unsure, unsure or may_have_been_applied(outcome)
        try:
            delay = report(attempts, outcome)
        except OutcomeUnknown:
            assert unsure
            return
        except (ConnectionFailed, Throttled):
            assert not unsure
            return
        except ServiceError:
            # A refusal for good ends it, whatever was before.
            assert outcome is REFUSED
            assert not before or idempotent
            return
        assert 0.0 <= delay <= 5.0
        assert idempotent or not unsure, "sent again though it may have been applied"
    pytest.fail("more attempts than allowed")


@given(operation=st.sampled_from(READS), outcomes=st.lists(OUTCOMES, min_size=40, max_size=40))
def test_a_read_is_never_unknown(operation: str, outcomes: list[AttemptFailed | Response]) -> None:
    attempts = exchange(operation, idempotent=False)
    with pytest.raises(DynawireError) as caught:
        run(attempts, outcomes)
    assert not isinstance(caught.value, OutcomeUnknown)


def report(attempts: Exchange, outcome: AttemptFailed | Response) -> float:
    return attempts.after_failure(outcome) if isinstance(outcome, AttemptFailed) else attempts.after_response(outcome)


def run(attempts: Exchange, outcomes: list[AttemptFailed | Response]) -> None:
    for outcome in outcomes:
        report(attempts, outcome)


@given(retry=st.integers(1, 10_000), jitter=st.floats(0, 1))
def test_delays_are_bounded(retry: int, jitter: float) -> None:
    policy = RetryPolicy(jitter=lambda: jitter)
    assert 0.0 <= policy.delay(retry) <= min(5.0, 0.05 * 2.0 ** min(retry - 1, 20))


def test_jitter_is_random() -> None:
    policy = RetryPolicy()
    assert len({policy.delay(5) for _ in range(50)}) > 40


def test_a_stale_connection_costs_no_time_and_no_connect_attempt() -> None:
    attempts = exchange(idempotent=False)
    assert [attempts.after_failure(STALE) for _ in range(5)] == [0.0] * 5
    assert attempts.after_failure(UNREACHED) > 0.0


def test_a_permanent_failure_is_final() -> None:
    with pytest.raises(ConnectionFailed, match="bad certificate"):
        exchange().after_failure(AttemptFailed("bad certificate", sent=False, permanent=True))


def test_the_budget_ends_a_storm_of_retries() -> None:
    budget = RetryBudget(capacity=12)
    with pytest.raises(OutcomeUnknown):
        run(exchange(budget=budget), [LOST] * 3)
    assert budget.spent == 10
    # Throttling costs less, but it too comes to an end.
    attempts = exchange(budget=budget)
    with pytest.raises(Throttled):
        run(attempts, [answer("ThrottlingException")] * 3)
    assert budget.spent == 12
    with pytest.raises(ConnectionFailed):
        exchange("GetItem", budget=budget).after_failure(LOST)


def test_successes_fill_the_budget() -> None:
    budget = RetryBudget(capacity=10)
    attempts = exchange(budget=budget)
    attempts.after_failure(LOST)
    attempts.after_failure(LOST)
    assert budget.spent == 10
    attempts.succeeded()
    assert budget.spent == 0
    budget.earn(5)
    assert budget.spent == 0


def test_the_budget_counts_right_between_threads() -> None:
    budget = RetryBudget(capacity=4000)
    threads = [threading.Thread(target=lambda: [budget.spend(1) for _ in range(1000)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert budget.spent == 4000
    assert not budget.spend(1)


def test_messages_count_the_attempts() -> None:
    attempts = exchange("GetItem", policy=RetryPolicy(max_attempts=2, clock=lambda: 0.0))
    attempts.after_failure(LOST)
    with pytest.raises(ConnectionFailed) as caught:
        attempts.after_failure(LOST)
    assert str(caught.value) == "GetItem got no answer from http://somewhere (2 attempts): lost"
    with pytest.raises(OutcomeUnknown) as unknown:
        exchange(idempotent=False).after_response(Response(500, {}, b'{"__type":"InternalServerError"}', True))
    assert str(unknown.value).startswith("PutItem to http://somewhere: InternalServerError. It may or may not have")
    assert isinstance(unknown.value.__cause__, ServiceError)
