"""Operations on tables, and what belongs to them. Wrong declarations are tried in the differential tests."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from dynawire.errors import TableInUse, TableNotFound
from tests.embedded.calls import Calls, attributes, index, key, table

UNITS = {"ReadCapacityUnits": 5, "WriteCapacityUnits": 6}


def test_a_table_is_active_at_once(calls: Calls) -> None:
    before = time.time()
    described = calls("CreateTable", table(indexes=[index("by_p", "p")]))["TableDescription"]
    assert described["TableStatus"] == "ACTIVE"
    assert described["GlobalSecondaryIndexes"][0]["IndexStatus"] == "ACTIVE"
    assert before <= described["CreationDateTime"] <= time.time()
    assert described["TableArn"] == "arn:aws:dynamodb:local:000000000000:table/things"
    assert calls("DescribeTable", TableName="things")["Table"] == described
    calls("PutItem", TableName="things", Item=key("a"))


def test_a_description_counts_items_and_bytes(calls: Calls) -> None:
    calls.create(more="g:S", indexes=[index("by_g", "g", "", "KEYS_ONLY")])
    for number in range(10):
        item = {**key(f"{number}"), "x": {"S": "x" * 100}}
        if number % 2:
            item["g"] = {"S": "gg"}
        calls("PutItem", TableName="things", Item=item)
    described = calls("DescribeTable", TableName="things")["Table"]
    assert (described["ItemCount"], described["TableSizeBytes"]) == (10, 10 * (2 + 101) + 5 * 3)
    by_g = described["GlobalSecondaryIndexes"][0]
    assert (by_g["ItemCount"], by_g["IndexSizeBytes"]) == (5, 5 * 5)


def test_a_name_may_be_an_arn(calls: Calls) -> None:
    calls.create()
    arn = calls("DescribeTable", TableName="things")["Table"]["TableArn"]
    assert calls("PutItem", TableName=arn, Item=key("a")) == {}
    assert calls("GetItem", TableName=arn, Key=key("a"))["Item"] == key("a")
    assert calls("DescribeTable", TableName=arn)["Table"]["ItemCount"] == 1
    assert calls("BatchGetItem", RequestItems={arn: {"Keys": [key("a")]}})["Responses"] == {arn: [key("a")]}
    with pytest.raises(TableNotFound):
        calls("GetItem", TableName=arn + "2", Key=key("a"))
    calls.refused("Invalid table/index name", "GetItem", TableName="arn:aws:s3:::things", Key=key("a"))


def test_tables_are_told_apart_when_made_anew(calls: Calls) -> None:
    for kind in ("S", "N"):
        calls.create(key=f"p:{kind}")
        value = {kind: "1"}
        calls("PutItem", TableName="things", Item={"p": value})
        assert calls.items("Scan", TableName="things") == [{"p": value}]
        assert calls("DeleteTable", TableName="things")["TableDescription"]["TableStatus"] == "DELETING"
        for operation, members in (("Scan", {}), ("DeleteTable", {}), ("PutItem", {"Item": {"p": value}})):
            with pytest.raises(TableNotFound):
                calls(operation, TableName="things", **members)


def test_a_table_cannot_be_made_twice(calls: Calls) -> None:
    calls.create()
    calls("PutItem", TableName="things", Item=key("a"))
    with pytest.raises(TableInUse, match="Table already exists: things"):
        calls.create(key="other:N")
    assert calls.items("Scan", TableName="things") == [key("a")]


def test_errors_on_tables_name_the_table(calls: Calls) -> None:
    with pytest.raises(TableNotFound, match="Requested resource not found: Table: none not found"):
        calls("DescribeTable", TableName="none")
    with pytest.raises(TableNotFound, match=r"Requested resource not found$"):
        calls("GetItem", TableName="none", Key=key("a"))


def test_tables_are_listed_page_by_page(calls: Calls) -> None:
    names = [f"table{number:03}" for number in range(103)]
    for name in reversed(names):
        calls.create(name)
    first = calls("ListTables")
    assert first["TableNames"] == names[:100]
    rest = calls("ListTables", ExclusiveStartTableName=first["LastEvaluatedTableName"])
    assert rest == {"TableNames": names[100:]}


def test_deletion_protection(calls: Calls) -> None:
    calls.create(DeletionProtectionEnabled=True)
    calls.refused("protected against deletion", "DeleteTable", TableName="things")
    calls("UpdateTable", TableName="things", DeletionProtectionEnabled=False)
    calls("DeleteTable", TableName="things")


def test_what_an_embedded_table_cannot_be_is_refused(calls: Calls) -> None:
    for name in ("VectorIndexes", "ResourcePolicy", "GlobalTableSourceArn"):
        calls.refused(f"{name} is not supported by the embedded engine", "CreateTable", {**table(), name: ["x"]})
    calls.create()
    for name in ("ReplicaUpdates", "VectorIndexUpdates", "MultiRegionConsistency"):
        calls.refused(
            f"{name} is not supported by the embedded engine", "UpdateTable", TableName="things", **{name: "x"}
        )


def test_billing_modes(calls: Calls) -> None:
    calls.create(more="g:S", indexes=[index("by_g", "g")])

    def update(**members: Any) -> dict[str, Any]:
        description: dict[str, Any] = calls("UpdateTable", TableName="things", **members)["TableDescription"]
        return description

    calls.refused("BillingMode is PAY_PER_REQUEST", "UpdateTable", TableName="things", ProvisionedThroughput=UNITS)
    calls.refused("must both be specified", "UpdateTable", TableName="things", BillingMode="PROVISIONED")
    by_g = {"Update": {"IndexName": "by_g", "ProvisionedThroughput": UNITS}}
    described = update(BillingMode="PROVISIONED", ProvisionedThroughput=UNITS, GlobalSecondaryIndexUpdates=[by_g])
    assert described["BillingModeSummary"] == {"BillingMode": "PROVISIONED"}
    assert described["ProvisionedThroughput"]["WriteCapacityUnits"] == 6
    assert described["GlobalSecondaryIndexes"][0]["ProvisionedThroughput"]["ReadCapacityUnits"] == 5
    described = update(BillingMode="PAY_PER_REQUEST")
    assert described["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert described["ProvisionedThroughput"]["WriteCapacityUnits"] == 0


def test_settings_are_kept_and_told(calls: Calls) -> None:
    calls.create(
        TableClass="STANDARD_INFREQUENT_ACCESS",
        SSESpecification={"Enabled": True},
        OnDemandThroughput={"MaxReadRequestUnits": 7},
        WarmThroughput={"ReadUnitsPerSecond": 9},
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    described = calls("DescribeTable", TableName="things")["Table"]
    assert described["TableClassSummary"] == {"TableClass": "STANDARD_INFREQUENT_ACCESS"}
    assert described["SSEDescription"] == {"Status": "ENABLED", "SSEType": "KMS"}
    assert described["OnDemandThroughput"] == {"MaxReadRequestUnits": 7}
    assert described["WarmThroughput"] == {"ReadUnitsPerSecond": 9, "Status": "ACTIVE"}
    assert described["LatestStreamArn"] == f"{described['TableArn']}/stream/{described['LatestStreamLabel']}"
    changed = calls(
        "UpdateTable",
        TableName="things",
        TableClass="STANDARD",
        SSESpecification={"Enabled": False},
        StreamSpecification={"StreamEnabled": False},
    )["TableDescription"]
    assert changed["TableClassSummary"] == {"TableClass": "STANDARD"}
    assert "SSEDescription" not in changed
    assert "StreamSpecification" not in changed
    assert changed["LatestStreamLabel"] == described["LatestStreamLabel"]


def test_indexes_are_made_filled_and_deleted(calls: Calls) -> None:
    calls.create()
    for number in range(700):
        item = {**key(f"{number}"), "g": {"S": "gG"[number % 2]}, "x": {"S": "x"}}
        if number % 10 == 0:
            # Useless as keys: not of the type, empty, too long.
            item["g"] = [{"N": "1"}, {"S": ""}, {"S": "x" * 3000}][number // 10 % 3]
        calls("PutItem", TableName="things", Item=item)
    create = [{"Create": index("by_g", "g", "", "INCLUDE", "x")}]
    calls.refused(
        "index key attributes of by_g are not defined", "UpdateTable", TableName="things",
        GlobalSecondaryIndexUpdates=create,
    )  # fmt: skip
    described = calls(
        "UpdateTable",
        TableName="things",
        GlobalSecondaryIndexUpdates=create,
        AttributeDefinitions=attributes("g:S u:N"),
    )["TableDescription"]
    assert described["GlobalSecondaryIndexes"][0]["ItemCount"] == 630
    # Only attributes that some key has stay declared.
    assert {each["AttributeName"] for each in described["AttributeDefinitions"]} == {"p", "g"}
    query = {"IndexName": "by_g", "KeyConditionExpression": "g = :g", "ExpressionAttributeValues": {":g": {"S": "G"}}}
    assert len(calls.items("Query", query, TableName="things", Limit=100)) == 350
    calls.refused("Type mismatch for Index Key g", "PutItem", TableName="things", Item={**key("new"), "g": {"N": "1"}})
    calls.refused("Duplicate index name: by_g", "UpdateTable", TableName="things", GlobalSecondaryIndexUpdates=create)
    calls("UpdateTable", TableName="things", GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "by_g"}}])
    calls.refused("does not have the specified index: by_g", "Query", query, TableName="things")
    calls("PutItem", TableName="things", Item={**key("new"), "g": {"N": "1"}})
    described = calls("DescribeTable", TableName="things")["Table"]
    assert "GlobalSecondaryIndexes" not in described
    assert described["AttributeDefinitions"] == attributes("p:S")


def test_one_index_at_a_time(calls: Calls) -> None:
    calls.create()
    two = [{"Create": index("by_g", "g")}, {"Create": index("by_h", "g")}]
    calls.fails(
        "LimitExceededException", "UpdateTable", TableName="things",
        GlobalSecondaryIndexUpdates=two, AttributeDefinitions=attributes("g:S"),
    )  # fmt: skip
    calls.fails(
        "ResourceNotFoundException", "UpdateTable", TableName="things",
        GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "none"}}],
    )  # fmt: skip
    assert "GlobalSecondaryIndexes" not in calls("DescribeTable", TableName="things")["Table"]


def test_a_failed_update_changes_nothing(calls: Calls) -> None:
    calls.create()
    before = calls("DescribeTable", TableName="things")
    calls.refused(
        "not defined in AttributeDefinitions", "UpdateTable", TableName="things", DeletionProtectionEnabled=True,
        GlobalSecondaryIndexUpdates=[{"Create": index("by_g", "g")}],
    )  # fmt: skip
    assert calls("DescribeTable", TableName="things") == before


def test_time_to_live(calls: Calls) -> None:
    calls.create()

    def update(enabled: bool, name: str) -> dict[str, Any]:
        specification = {"Enabled": enabled, "AttributeName": name}
        return calls("UpdateTimeToLive", TableName="things", TimeToLiveSpecification=specification)

    def status() -> dict[str, Any]:
        described: dict[str, Any] = calls("DescribeTimeToLive", TableName="things")["TimeToLiveDescription"]
        return described

    assert status() == {"TimeToLiveStatus": "DISABLED"}
    assert update(True, "ttl") == {"TimeToLiveSpecification": {"Enabled": True, "AttributeName": "ttl"}}
    assert status() == {"TimeToLiveStatus": "ENABLED", "AttributeName": "ttl"}
    # Expired items stay until they are deleted, as in the service.
    calls("PutItem", TableName="things", Item={**key("a"), "ttl": {"N": "1"}})
    assert calls.items("Scan", TableName="things") != []
    update(False, "ttl")
    assert status() == {"TimeToLiveStatus": "DISABLED"}


def test_tags(calls: Calls) -> None:
    calls.create(Tags=[{"Key": "a", "Value": "1"}])
    arn = "arn:aws:dynamodb:local:000000000000:table/things"

    def tags() -> dict[str, str]:
        return {tag["Key"]: tag["Value"] for tag in calls("ListTagsOfResource", ResourceArn=arn)["Tags"]}

    assert tags() == {"a": "1"}
    assert calls("TagResource", ResourceArn=arn, Tags=[{"Key": "a", "Value": "2"}, {"Key": "b", "Value": ""}]) == {}
    assert tags() == {"a": "2", "b": ""}
    assert calls("UntagResource", ResourceArn=arn, TagKeys=["a", "none"]) == {}
    assert tags() == {"b": ""}
    calls.refused(
        "Too many Tags", "TagResource", ResourceArn=arn, Tags=[{"Key": f"{n}", "Value": ""} for n in range(51)]
    )
    with pytest.raises(TableNotFound):
        calls("ListTagsOfResource", ResourceArn=arn + "2")


def test_limits_and_endpoints(calls: Calls) -> None:
    assert calls("DescribeLimits")["TableMaxReadCapacityUnits"] == 40_000
    assert calls("DescribeEndpoints")["Endpoints"][0]["CachePeriodInMinutes"] > 0


@pytest.fixture
def hasty() -> Iterator[None]:
    """Threads take turns as often as they can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.usefixtures("hasty")
def test_threads_meet_changes_of_indexes(calls: Calls) -> None:
    """Writers go on while indexes come and go; in the end each index has what the table has."""
    calls.create(key="p:S s:N")

    def write(p: str) -> None:
        for s in range(80):
            calls("PutItem", TableName="things", Item={**key(p, s), "g": {"S": p}})
            if s % 3 == 0:
                calls("DeleteItem", TableName="things", Key=key(p, s - 1))

    def change(_: int) -> None:
        for number in range(6):
            create = [{"Create": index(f"idx{number}", "g", "s")}]
            calls(
                "UpdateTable", TableName="things", GlobalSecondaryIndexUpdates=create,
                AttributeDefinitions=attributes("g:S s:N"),
            )  # fmt: skip
            if number % 2:
                delete = [{"Delete": {"IndexName": f"idx{number}"}}]
                calls("UpdateTable", TableName="things", GlobalSecondaryIndexUpdates=delete)

    with ThreadPoolExecutor(5) as pool:
        changing = pool.submit(change, 0)
        list(pool.map(write, "abcd"))
        changing.result()
    expected = sorted(map(str, calls.items("Scan", TableName="things")))
    for number in (0, 2, 4):
        assert sorted(map(str, calls.items("Scan", TableName="things", IndexName=f"idx{number}"))) == expected


@pytest.mark.usefixtures("hasty")
def test_threads_change_the_same_table(calls: Calls) -> None:
    """No change of a definition is lost, and nobody is told that the table is not there."""
    calls.create()
    arn = calls("DescribeTable", TableName="things")["Table"]["TableArn"]

    def change(worker: int) -> None:
        for number in range(8):
            calls("TagResource", ResourceArn=arn, Tags=[{"Key": f"{worker} {number}", "Value": ""}])
            assert calls("DescribeTable", TableName="things")["Table"]["TableStatus"] == "ACTIVE"

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(change, range(4)))
    assert len(calls("ListTagsOfResource", ResourceArn=arn)["Tags"]) == 32
