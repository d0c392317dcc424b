"""Secondary indexes: what is in them, in which order, and what they give back."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.embedded.calls import Calls, Item, index, key


def put(calls: Calls, item: Item) -> None:
    calls("PutItem", TableName="things", Item=item)


def query(name: str, condition: str, **values: dict[str, Any]) -> dict[str, Any]:
    return {
        "TableName": "things",
        "IndexName": name,
        "KeyConditionExpression": condition,
        "ExpressionAttributeValues": {f":{each}": value for each, value in values.items()},
    }


G: dict[str, Any] = {"S": "g"}


def test_an_index_has_only_items_with_its_whole_key(calls: Calls) -> None:
    calls.create(more="g:S h:N", indexes=[index("by_g", "g", "h")])
    whole = {**key("a"), "g": G, "h": {"N": "1"}}
    put(calls, whole)
    put(calls, {**key("b"), "g": G})
    put(calls, {**key("c"), "h": {"N": "1"}})
    put(calls, key("d"))
    assert calls.items("Scan", TableName="things", IndexName="by_g") == [whole]
    calls(
        "UpdateItem",
        TableName="things",
        Key=key("b"),
        UpdateExpression="SET h = :h",
        ExpressionAttributeValues={":h": {"N": "0"}},
    )
    found = calls.items("Query", query("by_g", "g = :g", g=G))
    assert [item["p"]["S"] for item in found] == ["b", "a"]
    put(calls, key("a"))
    calls("DeleteItem", TableName="things", Key=key("b"))
    assert calls.items("Scan", TableName="things", IndexName="by_g") == []


def test_what_an_index_projects(calls: Calls) -> None:
    calls.create(
        key="p:S s:N", more="g:S",
        indexes=[index("all", "g"), index("keys", "g", "", "KEYS_ONLY"), index("some", "g", "", "INCLUDE", "x", "s")],
        local=[index("local", "p", "g", "INCLUDE", "y")],
    )  # fmt: skip
    item = {**key("a", 1), "g": G, "x": {"S": "x"}, "y": {"S": "y"}, "z": {"S": "z"}}
    put(calls, item)

    def names(name: str, **more: Any) -> set[str]:
        (found,) = calls("Scan", TableName="things", IndexName=name, **more)["Items"]
        return set(found)

    assert names("all") == set(item)
    assert names("keys") == {"p", "s", "g"}
    assert names("some") == {"p", "s", "g", "x"}
    assert names("local") == {"p", "s", "g", "y"}
    assert names("local", Select="ALL_ATTRIBUTES") == set(item)
    assert names("local", ProjectionExpression="z, y") == {"z", "y"}
    calls.refused("does not project [z]", "Scan", TableName="things", IndexName="some", ProjectionExpression="x, z")
    calls.refused(
        "ALL_ATTRIBUTES is not supported", "Scan", TableName="things", IndexName="some", Select="ALL_ATTRIBUTES"
    )


def test_a_local_index_fetches_only_what_it_does_not_have(calls: Calls) -> None:
    """DynamoDB Local counts a fetch for every projection."""
    calls.create(key="p:S s:N", more="l:S", local=[index("lsi", "p", "l", "INCLUDE", "x")])
    for number in range(3):
        put(calls, {**key("a", number), "l": {"S": "l"}, "x": {"S": "x"}, "y": {"S": "y" * 5000}})
    request = {**query("lsi", "p = :p", p={"S": "a"}), "ReturnConsumedCapacity": "INDEXES"}
    told = calls("Query", request, ProjectionExpression="x")["ConsumedCapacity"]
    assert (told["Table"], told["LocalSecondaryIndexes"]) == ({"CapacityUnits": 0}, {"lsi": {"CapacityUnits": 0.5}})
    told = calls("Query", request, Select="ALL_ATTRIBUTES")["ConsumedCapacity"]
    # Each item fetched is rounded by itself.
    assert (told["Table"], told["LocalSecondaryIndexes"]) == ({"CapacityUnits": 3}, {"lsi": {"CapacityUnits": 0.5}})
    assert told["CapacityUnits"] == 3.5


def test_a_page_of_fetched_items_has_a_megabyte(calls: Calls) -> None:
    calls.create(key="p:S s:N", more="l:S", local=[index("lsi", "p", "l", "KEYS_ONLY")])
    for number in range(6):
        put(calls, {**key("a", number), "l": {"S": "l"}, "y": {"S": "y" * 390_000}})
    answer = calls("Query", query("lsi", "p = :p", p={"S": "a"}), Select="ALL_ATTRIBUTES")
    assert answer["Count"] == 3
    assert answer["LastEvaluatedKey"] == {**key("a", 2), "l": {"S": "l"}}
    assert calls("Query", query("lsi", "p = :p", p={"S": "a"}))["Count"] == 6


def test_items_with_one_index_key_are_paged_without_loss(calls: Calls) -> None:
    calls.create(key="p:S s:N", more="g:S h:N", indexes=[index("by_g", "g", "h")])
    for number in range(40):
        put(calls, {**key(f"p{number % 7}", number), "g": G, "h": {"N": str(number % 3)}})
    for limit in (1, 2, 3, 10, 39, 40):
        for forward in (True, False):
            request = {**query("by_g", "g = :g", g=G), "Limit": limit, "ScanIndexForward": forward}
            found = calls.items("Query", request)
            assert len({item["s"]["N"] for item in found}) == len(found) == 40
            order = [item["h"]["N"] for item in found]
            assert order == sorted(order, reverse=not forward)
    last = calls("Query", query("by_g", "g = :g", g=G), Limit=5)["LastEvaluatedKey"]
    assert last.keys() == {"p", "s", "g", "h"}


def test_a_start_key_belongs_to_its_index(calls: Calls) -> None:
    calls.create(key="p:S s:N", more="g:S", indexes=[index("by_g", "g")])
    put(calls, {**key("a", 1), "g": G})
    request = query("by_g", "g = :g", g=G)
    good = {**key("a", 1), "g": G}
    assert calls("Query", request, ExclusiveStartKey=good)["Items"] == []
    for wrong, message in (
        (key("a", 1), "does not match the schema"),
        ({**good, "g": {"S": "other"}}, "outside query boundaries"),
        ({**good, "g": {"N": "1"}}, "Type mismatch for Index Key g"),
        ({**good, "x": {"S": "x"}}, "does not match the schema"),
    ):
        error = calls.refused("The provided starting key is invalid: ", "Query", request, ExclusiveStartKey=wrong)
        assert message in str(error)


def test_the_table_key_may_be_part_of_an_index_key(calls: Calls) -> None:
    calls.create(key="p:S s:N", indexes=[index("turned", "s", "p")])
    for p, s in (("a", 1), ("b", 1), ("a", 2)):
        put(calls, key(p, s))
    assert calls("Query", query("turned", "s = :s", s={"N": "1"}))["Items"] == [key("a", 1), key("b", 1)]
    # A sort key has 1024 bytes at most, a partition key 2048.
    calls.refused("Size limit exceeded for Index Key p", "PutItem", TableName="things", Item=key("x" * 1025, 1))


PARTS = st.text(st.sampled_from("\0\x01ab\xff"), min_size=1, max_size=3)


@given(
    items=st.lists(st.tuples(PARTS, PARTS, PARTS, st.integers(-3, 3)), max_size=15, unique=True),
    wanted=st.tuples(PARTS, PARTS, PARTS, st.integers(-3, 3)),
    data=st.data(),
)
@settings(max_examples=60, deadline=None)
def test_keys_of_several_attributes(items: list[Any], wanted: Any, data: st.DataObject) -> None:
    """Two partition and two sort attributes: no two keys are confused, order is by attribute."""
    with Calls() as calls:
        calls.create(more="a:S b:S c:S n:N", indexes=[index("long", "a b", "c n")])
        for number, (a, b, c, n) in enumerate(items):
            put(calls, {**key(f"{number}"), "a": {"S": a}, "b": {"S": b}, "c": {"S": c}, "n": {"N": str(n)}})
        if items:
            wanted = data.draw(st.sampled_from([wanted, *items]))
        a, b, c, n = wanted
        values = {"a": {"S": a}, "b": {"S": b}, "c": {"S": c}, "n": {"N": str(n)}}
        tests: dict[str, Any] = {
            "": lambda i: True,
            " AND c = :c": lambda i: i[2] == c,
            " AND c > :c": lambda i: i[2] > c,
            " AND c <= :c": lambda i: i[2] <= c,
            " AND begins_with(c, :c)": lambda i: i[2].startswith(c),
            " AND c = :c AND n = :n": lambda i: i[2:] == (c, n),
            " AND c = :c AND n < :n": lambda i: i[2] == c and i[3] < n,
            " AND c = :c AND n >= :n": lambda i: i[2] == c and i[3] >= n,
            " AND c = :c AND n BETWEEN :n AND :n": lambda i: i[2] == c and i[3] == n,
        }
        for condition, test in tests.items():
            used = {name: value for name, value in values.items() if f":{name}" in f"{condition} :a :b"}
            expected = sorted(item[2:] for item in items if item[:2] == (a, b) and test(item))
            request = query("long", f"a = :a AND b = :b{condition}", **used)
            found = [(item["c"]["S"], int(item["n"]["N"])) for item in calls.items("Query", request, Limit=2)]
            assert found == expected, condition


@given(st.data())
@settings(max_examples=30, deadline=None)
def test_an_index_always_has_what_its_table_has(data: st.DataObject) -> None:
    values = st.sampled_from([None, {"S": "g"}, {"S": "h"}])
    with Calls() as calls:
        calls.create(
            more="g:S h:S",
            indexes=[index("one", "g"), index("two", "g", "h", "INCLUDE", "x"), index("keys", "h", "", "KEYS_ONLY")],
        )
        for _ in range(data.draw(st.integers(1, 25))):
            wanted = key(data.draw(st.sampled_from("abcd")))
            attributes = {name: value for name in "ghxy" if (value := data.draw(values)) is not None}
            kind = data.draw(st.sampled_from(["put", "update", "delete", "batch", "transaction"]))
            if kind == "put":
                put(calls, {**wanted, **attributes})
            elif kind == "delete":
                calls("DeleteItem", TableName="things", Key=wanted)
            elif kind == "batch":
                calls("BatchWriteItem", RequestItems={"things": [{"PutRequest": {"Item": {**wanted, **attributes}}}]})
            elif kind == "transaction":
                calls(
                    "TransactWriteItems",
                    TransactItems=[{"Put": {"TableName": "things", "Item": {**wanted, **attributes}}}],
                )
            else:
                removed = [name for name in "ghxy" if name not in attributes]
                expression = "SET " + ", ".join(f"{n} = :{n}" for n in attributes) if attributes else ""
                expression += " REMOVE " + ", ".join(removed) if removed else ""
                given_values = {f":{name}": value for name, value in attributes.items()}
                calls(
                    "UpdateItem", TableName="things", Key=wanted, UpdateExpression=expression,
                    ExpressionAttributeValues=given_values or None,
                )  # fmt: skip
        items = calls.items("Scan", TableName="things")
        for name, needed, kept in (("one", "g", "pghxy"), ("two", "gh", "pghx"), ("keys", "h", "ph")):
            expected = [{n: v for n, v in item.items() if n in kept} for item in items if set(needed) <= set(item)]
            found = calls.items("Scan", TableName="things", IndexName=name)
            assert sorted(map(sorted_text, found)) == sorted(map(sorted_text, expected)), name


def sorted_text(item: Item) -> str:
    return str(sorted(item.items()))
