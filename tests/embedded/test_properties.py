"""Any sequence of operations, against a dict: in memory, in a file, after closing and opening again."""

from __future__ import annotations

import os
import tempfile
from typing import Any

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from dynawire.errors import ConditionFailed, TransactionCancelled
from tests.embedded.calls import Calls, Item, index, key

partitions = st.sampled_from(["a", "b", "ä", "a\0"])
sorts = st.sampled_from(["-10", "-1", "0", "1", "1.0", "2e0", "10", "100"])
values = st.sampled_from([None, {"S": "g"}, {"S": "h"}, {"S": "gg"}])
Place = tuple[str, float]


def place(item: Item) -> Place:
    return item["p"]["S"], float(item["s"]["N"])


class Database(RuleBasedStateMachine):
    """Puts, updates, deletes, batches and transactions, some with conditions; then everything is read in every way."""

    path: str | None = None
    keys = Bundle("keys")

    def __init__(self) -> None:
        super().__init__()
        self.model: dict[Place, Item] = {}
        self.calls = Calls(self.path, durable=False)

    @initialize()
    def create(self) -> None:
        self.calls.create(
            key="p:S s:N",
            more="g:S l:S",
            local=[index("lsi", "p", "l", "KEYS_ONLY")],
            indexes=[index("by_g", "g", "s"), index("by_two", "g l", "p s", "INCLUDE", "x")],
        )

    def teardown(self) -> None:
        self.calls.engine.close()

    @rule(target=keys, p=partitions, s=sorts)
    def name(self, p: str, s: str) -> Item:
        return key(p, s)

    def made(self, wanted: Item, attributes: dict[str, Any]) -> Item:
        """The item as the engine gives it back."""
        number = float(wanted["s"]["N"])
        return {**key(wanted["p"]["S"], int(number)), **{n: v for n, v in attributes.items() if v is not None}}

    @rule(wanted=keys, g=values, l=values, x=values)
    def put(self, wanted: Item, g: Any, l: Any, x: Any) -> None:  # noqa: E741
        item = self.made(wanted, {"g": g, "l": l, "x": x})
        old = self.calls("PutItem", TableName="things", Item={**item, **wanted}, ReturnValues="ALL_OLD")
        assert old.get("Attributes") == self.model.get(place(item))
        self.model[place(item)] = item

    @rule(wanted=keys, x=values)
    def put_if_absent(self, wanted: Item, x: Any) -> None:
        item = self.made(wanted, {"x": x})
        try:
            self.calls("PutItem", TableName="things", Item=item, ConditionExpression="attribute_not_exists(p)")
        except ConditionFailed:
            assert place(item) in self.model
        else:
            assert place(item) not in self.model
            self.model[place(item)] = item

    @rule(wanted=keys, name=st.sampled_from("glx"), value=values)
    def update(self, wanted: Item, name: str, value: Any) -> None:
        request: dict[str, Any] = {"TableName": "things", "Key": wanted, "ReturnValues": "ALL_NEW"}
        item = dict(self.model.get(place(wanted)) or self.made(wanted, {}))
        if value is None:
            request["UpdateExpression"] = f"REMOVE {name}"
            item.pop(name, None)
        else:
            request |= {"UpdateExpression": f"SET {name} = :v", "ExpressionAttributeValues": {":v": value}}
            item[name] = value
        assert self.calls("UpdateItem", request)["Attributes"] == item
        self.model[place(item)] = item

    @rule(wanted=keys)
    def delete(self, wanted: Item) -> None:
        old = self.calls("DeleteItem", TableName="things", Key=wanted, ReturnValues="ALL_OLD")
        assert old.get("Attributes") == self.model.pop(place(wanted), None)

    @rule(puts=st.lists(st.tuples(keys, values, values), max_size=4), deletes=st.lists(keys, max_size=3))
    def batch(self, puts: list[tuple[Item, Any, Any]], deletes: list[Item]) -> None:
        writes: dict[Place, Any] = {}
        for wanted, g, x in puts:
            writes[place(wanted)] = {"PutRequest": {"Item": self.made(wanted, {"g": g, "x": x})}}
        for wanted in deletes:
            writes[place(wanted)] = {"DeleteRequest": {"Key": wanted}}
        if not writes:
            return
        answer = self.calls("BatchWriteItem", RequestItems={"things": list(writes.values())})
        assert answer == {"UnprocessedItems": {}}
        for where, write in writes.items():
            if "PutRequest" in write:
                self.model[where] = write["PutRequest"]["Item"]
            else:
                self.model.pop(where, None)

    @rule(first=keys, second=keys, g=values)
    def move(self, first: Item, second: Item, g: Any) -> None:
        """Take one item away and make another, if the one exists and the other does not."""
        if place(first) == place(second):
            return
        item = self.made(second, {"g": g})
        actions = [
            {"Delete": {"TableName": "things", "Key": first, "ConditionExpression": "attribute_exists(p)"}},
            {"Put": {"TableName": "things", "Item": item, "ConditionExpression": "attribute_not_exists(p)"}},
        ]
        possible = place(first) in self.model and place(second) not in self.model
        try:
            self.calls("TransactWriteItems", TransactItems=actions)
        except TransactionCancelled:
            assert not possible
        else:
            assert possible
            del self.model[place(first)]
            self.model[place(item)] = item

    @rule(wanted=keys)
    def get(self, wanted: Item) -> None:
        assert self.calls("GetItem", TableName="things", Key=wanted).get("Item") == self.model.get(place(wanted))

    @rule(p=partitions, forward=st.booleans(), limit=st.sampled_from([None, 1, 3]))
    def query(self, p: str, forward: bool, limit: int | None) -> None:
        request = {
            "TableName": "things",
            "KeyConditionExpression": "p = :p",
            "ExpressionAttributeValues": {":p": {"S": p}},
            "ScanIndexForward": forward,
        }
        expected = [self.model[where] for where in sorted(self.model, reverse=not forward) if where[0] == p]
        assert self.calls.items("Query", request, Limit=limit) == expected

    @rule(g=st.sampled_from(["g", "h"]), limit=st.sampled_from([None, 1, 2]))
    def query_index(self, g: str, limit: int | None) -> None:
        request = {
            "TableName": "things",
            "IndexName": "by_g",
            "KeyConditionExpression": "g = :g AND s >= :s",
            "ExpressionAttributeValues": {":g": {"S": g}, ":s": {"N": "1"}},
        }
        found = self.calls.items("Query", request, Limit=limit)
        expected = [item for where, item in self.model.items() if item.get("g") == {"S": g} and where[1] >= 1]
        assert sorted(map(place, found)) == sorted(map(place, expected))
        assert [place(item)[1] for item in found] == sorted(place(item)[1] for item in found)

    @invariant()
    def everything_is_there(self) -> None:
        found = self.calls.items("Scan", TableName="things", Limit=5) if self.model else []
        assert {place(item): item for item in found} == self.model
        assert len(found) == len(self.model)

    @invariant()
    def indexes_have_what_they_should(self) -> None:
        if not self.model:
            return
        for name, needed, kept in (("lsi", "l", "psl"), ("by_g", "g", None), ("by_two", "gl", "psglx")):
            expected = {
                where: {n: v for n, v in item.items() if kept is None or n in kept}
                for where, item in self.model.items()
                if set(needed) <= set(item)
            }
            found = self.calls.items("Scan", TableName="things", IndexName=name, Limit=4)
            assert {place(item): item for item in found} == expected
            assert len(found) == len(expected)


class DatabaseFile(Database):
    """The same on a file, which is closed and opened again now and then."""

    def __init__(self) -> None:
        self._directory = tempfile.TemporaryDirectory()
        self.path = os.path.join(self._directory.name, "test.db")
        super().__init__()

    @rule()
    def reopen(self) -> None:
        self.calls.engine.close()
        self.calls = Calls(self.path, durable=False)

    def teardown(self) -> None:
        super().teardown()
        self._directory.cleanup()


TestDatabase = Database.TestCase
TestDatabase.settings = settings(max_examples=30, stateful_step_count=25, deadline=None)
TestDatabaseFile = DatabaseFile.TestCase
TestDatabaseFile.settings = settings(max_examples=12, stateful_step_count=20, deadline=None)
