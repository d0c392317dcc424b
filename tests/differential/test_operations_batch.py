"""Batch reads and writes on every engine, in both forms; what only a busy service does is injected."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

import dynawire as dw
from dynawire.errors import service_error
from tests.support.databases import Twins, case, raw, recorded
from tests.support.models import Place, Reading, place

ALL = 130


@pytest.fixture(autouse=True)
def tables(db: dw.Database) -> None:
    db.create_tables(Place, Reading)
    recorded(db).clear()


def readings(*numbers: int, text: str = "") -> list[Reading]:
    return [Reading(number=Decimal(number), text=text) for number in numbers]


def stored_numbers(twin: Twins) -> list[int]:
    return sorted(int(item.number) for item in twin.items(Reading.scan()))


# ---------------------------------------------------------------------- writing


@pytest.mark.parametrize("count", [0, 1, 25, 26, ALL])
def test_put_many_in_requests_of_25(db: dw.Database, twin: Twins, count: int) -> None:
    done: list[int] = []
    items = readings(*range(count))
    result = twin(Reading).put_many(items, progress=done.append)
    assert (result.written, result.deleted, result.unprocessed) == (count, 0, [])
    assert str(count) in repr(result)
    assert sum(done) == count
    assert sorted(len(writes(sent)) for sent in recorded(db).sent) == sorted(
        [25] * (count // 25) + [count % 25] * (count % 25 > 0)
    )
    assert stored_numbers(twin) == list(range(count))
    # What was written is known: nothing changed, nothing to save.
    assert not any(twin(item).save() for item in items)


def writes(sent: Any) -> list[dict[str, Any]]:
    (requests,) = sent.body["RequestItems"].values()
    return list(requests)


def test_put_many_from_a_generator(twin: Twins) -> None:
    def generate() -> Iterator[Reading]:
        yield from readings(*range(60))

    assert twin(Reading).put_many(generate()).written == 60
    assert stored_numbers(twin) == list(range(60))


def test_a_generator_is_consumed_as_it_is_written(db: dw.Database, twin: Twins) -> None:
    taken = 0
    ahead: list[int] = []

    def generate() -> Iterator[Reading]:
        nonlocal taken
        for item in readings(*range(500)):
            taken += 1
            yield item

    def note(body: dict[str, Any]) -> None:
        ahead.append(taken)

    recorded(db).answer("BatchWriteItem", *([note] * 20))
    twin(Reading).put_many(generate())
    assert ahead[::4] == [100, 200, 300, 400, 500]


def test_of_several_writes_of_one_key_the_last_wins(db: dw.Database, twin: Twins) -> None:
    result = twin(Reading).put_many([*readings(1, 2, text="first"), *readings(1, text="last")])
    assert result.written == 2
    assert len(recorded(db).sent) == 1
    assert twin(Reading).get(1).text == "last"
    result = twin(Reading).write_many(put=readings(1, 7, text="put"), delete=[Reading.key(1), 5])
    assert (result.written, result.deleted) == (1, 2)
    assert stored_numbers(twin) == [2, 7]


EQUAL_NUMBERS = ["1", "1.0", "1E0", "01.00", "+1"]


def test_equal_numbers_are_one_key(db: dw.Database, twin: Twins) -> None:
    items = [Reading(number=Decimal(text), text=text) for text in EQUAL_NUMBERS]
    items += [Reading(number=Decimal(text), text=text) for text in ("0", "-0", "0.00", "100", "1E+2", "1E+20")]
    result = twin(Reading).put_many(items)
    assert result.written == 4
    assert {str(item.number): item.text for item in twin.items(Reading.scan())} == {
        "1": "+1",
        "0": "0.00",
        "100": "1E+2",
        "100000000000000000000": "1E+20",
    }
    found = twin(Reading).get_many([Decimal("1.0"), Decimal(1), Decimal("1e2"), Decimal(100)])
    assert [item.text for item in found] == ["+1", "1E+2"]
    assert len(recorded(db).sent[-1].body["RequestItems"][db.table(Reading).name]["Keys"]) == 2


def test_numbers_of_38_digits_are_different_keys(twin: Twins) -> None:
    numbers = [Decimal(f"1234567890.123456789012345678901234567{digit}") for digit in range(5)]
    numbers += [Decimal(f"-9.999999999999999999999999999999999999{digit}E-90") for digit in range(1, 5)]
    assert twin(Reading).put_many([Reading(number=number) for number in numbers]).written == 9
    found = twin(Reading).get_many(numbers)
    assert [item.number for item in found] == numbers
    assert twin(Reading).delete_many(numbers[:1] * 2).deleted == 1
    assert twin(Reading).get_many(numbers).missing == numbers[:1]


def test_delete_many_takes_instances_keys_and_values(twin: Twins) -> None:
    twin(Reading).put_many(readings(*range(6)))
    assert twin(Reading).delete_many([readings(0)[0], Reading.key(1), Reading.key(number=2), (3,), 4, 77]).deleted == 6
    assert stored_numbers(twin) == [5]
    twin(Place).put_many([place("A"), place("B"), place("C")])
    twin(Place).delete_many([("TX", "A"), Place.key("TX", code="B"), place("C")])
    assert twin(Place.scan()).count() == 0


def test_big_items_are_split_by_the_size_of_a_request(db: dw.Database, twin: Twins) -> None:
    # Quotation marks take two bytes in JSON: 25 of these would be over 16 MB, so none is sent together with all.
    items = readings(*range(25), text='"' * 390_000)
    assert twin(Reading).put_many(items).written == 25
    sizes = [len(str(sent.body)) for sent in recorded(db).sent]
    assert len(sizes) == 2
    assert twin(Reading.scan()).count() == 25


# ---------------------------------------------------------------------- unprocessed, throttled, refused


def returns(count: int) -> Any:
    """An answer that applies nothing and gives back the first ``count`` writes of the request."""

    def answer(body: dict[str, Any]) -> dict[str, Any]:
        ((table, requests),) = body["RequestItems"].items()
        return {"UnprocessedItems": {table: requests[:count]}}

    return answer


def first_number(body: dict[str, Any]) -> int:
    """The number of the first item that a request puts."""
    ((_, requests),) = body["RequestItems"].items()
    return int(requests[0]["PutRequest"]["Item"]["number"]["N"])


def throttled() -> dw.DynawireError:
    return service_error("ProvisionedThroughputExceededException", "too fast")


def refused() -> dw.DynawireError:
    return service_error("ValidationException", "no")


def test_unprocessed_writes_are_sent_again(db: dw.Database, twin: Twins, no_waiting: list[float]) -> None:
    done: list[int] = []
    recorded(db).answer("BatchWriteItem", returns(25), throttled(), returns(10))
    # The writes not given back by these answers count as done although they never reached the engine.
    result = twin(Reading).put_many(readings(*range(20)), progress=done.append)
    assert (result.written, result.unprocessed, sum(done)) == (20, [], 20)
    assert [len(writes(sent)) for sent in recorded(db).sent] == [20, 20, 20, 10]
    assert len(no_waiting) == 3
    assert all(0 <= seconds <= 0.2 for seconds in no_waiting)


def test_no_key_is_written_twice_at_once(db: dw.Database, twin: Twins, no_waiting: list[float]) -> None:
    """A write that waits to be sent again gives way to a later one of the same key."""
    recorded(db).answer("BatchWriteItem", *[returns(25)] * 4)
    items = [*readings(*range(100), text="old"), *readings(*range(50), text="new")]
    result = twin(Reading).put_many(items)
    assert result.written >= 100
    for sent in recorded(db).sent:
        numbers = [write["PutRequest"]["Item"]["number"]["N"] for write in writes(sent)]
        assert len(set(numbers)) == len(numbers)
    texts = {int(item.number): item.text for item in twin.items(Reading.scan())}
    assert texts == {number: "new" if number < 50 else "old" for number in range(100)}


def test_writes_that_stay_unprocessed_are_reported(db: dw.Database, twin: Twins, no_waiting: list[float]) -> None:
    # Which of the two requests on their way together is answered first is not known.
    recorded(db).answer("BatchWriteItem", *[lambda body: None if first_number(body) == 0 else returns(3)(body)] * 31)
    items = readings(*range(25)), readings(*range(100, 103))
    generated = iter([*items[0], *items[1]])
    with pytest.raises(dw.Unprocessed) as caught:
        twin(Reading).put_many(generated)
    error = caught.value
    assert error.result.written == 25
    assert error.result.unprocessed == items[1]
    assert error.cause is None
    assert "no progress in 10 rounds" in error.message
    assert len(no_waiting) == 10
    assert max(no_waiting) <= 5
    # They were not written, so they are new still.
    assert "Item" in Reading.params.save(items[1][0])


def test_throttling_that_does_not_end_is_told(db: dw.Database, twin: Twins, no_waiting: list[float]) -> None:
    recorded(db).answer("BatchWriteItem", *[throttled() for _ in range(60)])
    with pytest.raises(dw.Unprocessed) as caught:
        twin(Reading).put_many(readings(*range(200)))
    assert isinstance(caught.value.cause, dw.Throttled)
    assert caught.value.result.written == 0
    # All of them, also those that were not tried.
    assert [int(item.number) for item in caught.value.result.unprocessed] == list(range(200))


def test_what_a_generator_has_not_given_is_still_in_it(db: dw.Database, twin: Twins, no_waiting: list[float]) -> None:
    recorded(db).answer("BatchWriteItem", *[throttled() for _ in range(60)])
    items = iter(readings(*range(150)))
    with pytest.raises(dw.Unprocessed) as caught:
        twin(Reading).put_many(items)
    left = [*caught.value.result.unprocessed, *items]
    assert [int(item.number) for item in left] == list(range(150))
    assert len(caught.value.result.unprocessed) == 100


def test_a_refused_request_in_the_middle(db: dw.Database, twin: Twins) -> None:
    recorded(db).answer("BatchWriteItem", None, refused(), None, None)
    items = readings(*range(150))
    with pytest.raises(dw.Unprocessed) as caught:
        twin(Reading).put_many(items)
    error = caught.value
    assert isinstance(error.cause, dw.ServiceError)
    assert "ValidationException" in error.message
    assert error.result.written == 75
    written = stored_numbers(twin)
    assert len(written) == 75
    unprocessed = [int(item.number) for item in error.result.unprocessed]
    assert sorted([*written, *unprocessed]) == list(range(150))
    assert [item for item in items if getattr(item, "_loaded", None) is None] == error.result.unprocessed


def test_a_request_refused_at_once_is_that_error(db: dw.Database, twin: Twins) -> None:
    recorded(db).answer("BatchWriteItem", refused())
    with pytest.raises(dw.ServiceError) as caught:
        twin(Reading).put_many(readings(1))
    assert type(caught.value) is dw.ServiceError


@pytest.mark.parametrize("place_of_error", [0, 30, 130])
def test_an_item_that_does_not_fit(db: dw.Database, twin: Twins, place_of_error: int) -> None:
    items: list[Any] = readings(*range(150))
    items[place_of_error].text = 5
    with pytest.raises(dw.ValidationError) as caught:
        twin(Reading).put_many(items)
    assert caught.value.attribute == "text"
    # What was taken together with it is not sent; what came before is written and counted.
    written = place_of_error // 100 * 100
    assert stored_numbers(twin) == list(range(written))
    message = caught.value.message
    assert message.startswith(f"the item at index {place_of_error}: Reading.text ")
    assert message.endswith("nothing was sent") is not written
    assert ("before it, 100 items were written and 0 deleted; 50 that were given" in message) is bool(written)
    result = caught.value.result
    assert (result.written, result.failed_at) == (written, place_of_error)
    assert result.unprocessed == items[written:]


@pytest.mark.parametrize("place_of_error", [0, 30, 130])
def test_nothing_of_a_generator_is_lost(db: dw.Database, twin: Twins, place_of_error: int) -> None:
    items: list[Any] = readings(*range(150))
    items[place_of_error].text = 5
    source = iter(items)
    with pytest.raises(dw.ValidationError) as caught:
        twin(Reading).put_many(source)
    written = stored_numbers(twin)
    left = list(source)
    assert len(left) == 149 - place_of_error  # they were not taken
    assert [*written, *(int(item.number) for item in [*caught.value.result.unprocessed, *left])] == list(range(150))
    items[place_of_error].text = "mended"
    twin(Reading).put_many([*caught.value.result.unprocessed, *left])
    assert stored_numbers(twin) == list(range(150))


def test_a_key_that_does_not_fit(db: dw.Database, twin: Twins) -> None:
    keys: list[Any] = [*range(110), "x", *range(111, 120)]
    with pytest.raises(
        dw.ValidationError, match=r"^the key at index 110: .*before it, 5 items .* and 95 deleted"
    ) as caught:
        twin(Reading).write_many(put=readings(*range(200, 205)), delete=keys)
    assert caught.value.result.failed_at == 110
    assert caught.value.result.unprocessed == keys[95:]
    recorded(db).clear()
    with pytest.raises(dw.ValidationError, match=r"^the key at index 110: "):
        twin(Reading).get_many(keys)
    assert recorded(db).sent == []


def test_a_generator_keeps_what_a_refused_batch_did_not_take(db: dw.Database, twin: Twins) -> None:
    recorded(db).answer("BatchWriteItem", *[refused() for _ in range(4)])
    items = readings(*range(150))
    source = iter(items)
    with pytest.raises(dw.ServiceError) as caught:
        twin(Reading).put_many(source)
    assert [*caught.value.result.unprocessed, *source] == items


def test_an_error_of_the_generator(db: dw.Database, twin: Twins, no_waiting: list[float]) -> None:
    def generate() -> Iterator[Reading]:
        yield from readings(*range(120))
        raise KeyError("mine")

    # What the service gave back before is still written.
    # Which of the requests on their way together is answered first is not known.
    recorded(db).answer("BatchWriteItem", *[lambda body: returns(5 if first_number(body) == 75 else 0)(body)] * 4)
    with pytest.raises(KeyError, match="mine") as caught:
        twin(Reading).put_many(generate())
    (note,) = caught.value.__notes__
    assert note.startswith("before the item at index 120, 100 items were written and 0 deleted; 20 that were given")
    result: dw.BatchWriteResult = caught.value.result  # type: ignore[attr-defined]
    assert (result.written, result.failed_at) == (100, 120)
    assert [item.number for item in result.unprocessed] == list(range(100, 120))
    assert stored_numbers(twin) == [75, 76, 77, 78, 79]


def test_what_is_no_key_or_item(db: dw.Database, twin: Twins) -> None:
    for wrong in ("x", None, 1.5, object(), {"number": 1}, Place.key("a", "b"), place()):
        with case(wrong):
            check_wrong(db, twin, wrong)


def check_wrong(db: dw.Database, twin: Twins, wrong: Any) -> None:
    for call in (
        lambda: twin(Reading).put_many([wrong]),
        lambda: twin(Reading).put_many([Reading.key(1)]),
        lambda: twin(Reading).delete_many([(1, 2)]),
        lambda: twin(Reading).get_many([(1, 2)]),
        *(
            []
            if wrong == 1.5
            else [lambda: twin(Reading).delete_many([wrong]), lambda: twin(Reading).get_many([1, wrong])]
        ),
    ):
        with pytest.raises(dw.ValidationError):
            call()
    assert recorded(db).sent == []


# ---------------------------------------------------------------------- reading


@pytest.mark.parametrize("count", [0, 1, 100, 101, ALL])
def test_get_many_in_requests_of_100(db: dw.Database, twin: Twins, count: int) -> None:
    twin(Reading).put_many(readings(*range(count)))
    recorded(db).clear()
    done: list[int] = []
    order = list(range(count))[::-1]
    result = twin(Reading).get_many(order, progress=done.append)
    assert [int(item.number) for item in result] == order
    assert (result.missing, result.unprocessed, len(result), sum(done)) == ([], [], count, count)
    assert len(recorded(db).sent) == -(-count // 100)
    assert not any(twin(item).save() for item in result)


def test_missing_keys_are_told_as_given(twin: Twins) -> None:
    twin(Place).put_many([place("A"), place("B")])
    absent = Place.key("TX", "none")
    result = twin(Place).get_many(iter([("TX", "B"), absent, Place.key("TX", "A"), ("CA", "x"), ("TX", "B")]))
    assert [item.code for item in result] == ["B", "A"]
    assert result.missing == [absent, ("CA", "x")]
    assert result.missing[0] is absent
    assert repr(result) == "<BatchGetResult: 2 items, 2 missing, 0 unprocessed>"
    assert twin(Reading).get_many([5]).missing == [5]


def test_consistent_batch_reads(db: dw.Database, twin: Twins) -> None:
    twin(Reading).get_many([1], consistent=True)
    twin(Reading).get_many([1])
    name = db.table(Reading).name
    assert [sent.body["RequestItems"][name].get("ConsistentRead") for sent in recorded(db).sent] == [True, None]


def test_a_key_given_twice_is_read_once(db: dw.Database, twin: Twins) -> None:
    twin(Place).put_many([place("A")])
    recorded(db).clear()
    result = twin(Place).get_many([("TX", "A"), Place.key("TX", "A"), Place.key(state="TX", code="A")])
    assert [item.code for item in result] == ["A"]
    assert len(recorded(db).sent[0].body["RequestItems"][db.table(Place).name]["Keys"]) == 1


def test_more_than_16_mb_are_read_in_several_rounds(db: dw.Database, twin: Twins, no_waiting: list[float]) -> None:
    twin(Reading).put_many(readings(*range(45), text="x" * 400_000))
    recorded(db).clear()
    result = twin(Reading).get_many(range(45))
    assert [int(item.number) for item in result] == list(range(45))
    assert len(recorded(db).sent) > 1
    assert len(no_waiting) == len(recorded(db).sent) - 1


def gives_back(count: int) -> Any:
    """An answer that finds nothing and gives back the first ``count`` keys."""

    def answer(body: dict[str, Any]) -> dict[str, Any]:
        ((table, entry),) = body["RequestItems"].items()
        return {"Responses": {table: []}, "UnprocessedKeys": {table: {"Keys": entry["Keys"][:count]}}}

    return answer


def has_key(body: dict[str, Any], number: int) -> bool:
    """Whether a request asks for the item of this number."""
    ((_, entry),) = body["RequestItems"].items()
    return {"number": {"N": str(number)}} in entry["Keys"]


def test_unprocessed_keys_are_read_again(db: dw.Database, twin: Twins, no_waiting: list[float]) -> None:
    twin(Reading).put_many(readings(*range(10)))
    recorded(db).clear()
    recorded(db).answer("BatchGetItem", gives_back(10), throttled(), None)
    done: list[int] = []
    result = twin(Reading).get_many(range(10), progress=done.append)
    assert (len(result), done, len(no_waiting)) == (10, [10], 2)


def test_keys_that_stay_unprocessed_are_reported(db: dw.Database, twin: Twins, no_waiting: list[float]) -> None:
    twin(Reading).put_many(readings(*range(120)))
    recorded(db).clear()
    recorded(db).answer("BatchGetItem", *[lambda body: None if has_key(body, 0) else gives_back(5)(body)] * 31)
    with pytest.raises(dw.Unprocessed) as caught:
        twin(Reading).get_many(range(120))
    result = caught.value.result
    assert len(result) == 100
    assert result.unprocessed == [100, 101, 102, 103, 104]
    # Those the stand-in neither found nor gave back.
    assert result.missing == list(range(105, 120))
    assert caught.value.cause is None


def test_throttled_reads_are_reported(db: dw.Database, twin: Twins, no_waiting: list[float]) -> None:
    recorded(db).answer("BatchGetItem", *[throttled() for _ in range(30)])
    with pytest.raises(dw.Unprocessed) as caught:
        twin(Reading).get_many([1, 2])
    assert isinstance(caught.value.cause, dw.Throttled)
    assert caught.value.result.unprocessed == [1, 2]


def test_a_refused_read_is_that_error(db: dw.Database, twin: Twins) -> None:
    recorded(db).answer("BatchGetItem", None, refused())
    with pytest.raises(dw.ServiceError, match="ValidationException"):
        twin(Reading).get_many(range(150))


def test_items_of_a_batch_that_do_not_fit(db: dw.Database, twin: Twins) -> None:
    twin(Reading).put_many(readings(1, 2, 3))
    raw(db, Reading, "PutItem", Item={"number": {"N": "2"}, "text": {"N": "1"}})
    with pytest.raises(dw.DecodeError) as caught:
        twin(Reading).get_many([1, 2, 3, 4])
    assert (caught.value.path, caught.value.key) == ("text", {"number": {"N": "2"}})
    misfits: list[dw.DecodeError] = []
    result = twin(Reading).get_many([1, 2, 3, 4], misfits=misfits)
    assert [int(item.number) for item in result] == [1, 3]
    assert (result.missing, result.unprocessed) == ([4], [])
    assert [error.key for error in misfits] == [{"number": {"N": "2"}}]


def test_params_show_the_first_request(db: dw.Database) -> None:
    name = db.table(Reading).name
    key = {"number": {"N": "1"}}
    assert Reading.params.get_many([1, 1]) == {"RequestItems": {name: {"Keys": [key]}}}
    assert Reading.params.get_many([]) == Reading.params.put_many([]) == {}
    assert Reading.params.write_many(put=readings(2), delete=[1]) == {
        "RequestItems": {
            name: [
                {"PutRequest": {"Item": {"number": {"N": "2"}, "text": {"S": ""}}}},
                {"DeleteRequest": {"Key": key}},
            ]
        }
    }
    assert len(Reading.params.delete_many(range(40))["RequestItems"][name]) == 25
    assert recorded(db).sent == []
