"""A shop in one table: customers, orders, their lines and products, found by what they are and in the order they came.

Run it with ``python examples/shop.py`` (in memory) or on any DynamoDB: ``--url sqlite:///shop.db``,
``--url http://localhost:8000``, ``--url dynamodb://eu-west-1``. It makes the table ``shop-example`` if there is none,
and deletes what it stored when it is done.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import dynawire as dw
from dynawire import Attr, IndexMap, Model, SingleTable, attr, computed, version

shop = SingleTable("shop-example", global_indexes=2, local_indexes=1)

# What is read together stands together: a customer's profile, orders and their lines are one partition.


class Customer(Model, table=shop, pk="CUSTOMER#{email}", sk="PROFILE"):
    email: Attr[str]
    name: Attr[str]
    points: Attr[int] = attr(default=0, ge=0)


class Order(Model, table=shop, pk="CUSTOMER#{email}", sk="ORDER#{placed}#{number:08}"):
    email: Attr[str]
    placed: Attr[datetime]
    number: Attr[int]
    status: Attr[str] = attr(default="open")
    total: Attr[Decimal] = attr(default=Decimal(0))
    v: Attr[int] = version()

    by_status = IndexMap("gsi0", pk="STATUS#{status}", sk="{placed}")
    unpaid_by_total = IndexMap("lsi0", sk="UNPAID#{total}", when={"status": "open"})


class Line(Model, table=shop, pk="CUSTOMER#{email}", sk="ORDER#{placed}#{number:08}#LINE#{position:03}"):
    email: Attr[str]
    placed: Attr[datetime]
    number: Attr[int]
    position: Attr[int]
    sku: Attr[str]
    price: Attr[Decimal]
    count: Attr[int] = attr(default=1, ge=1)
    amount: Attr[Decimal] = computed(lambda price, count: price * count, "price", "count")

    by_product = IndexMap("gsi1", pk="PRODUCT#{sku}", sk="SOLD#{placed}")


class Product(Model, table=shop, pk="PRODUCT#{sku}", sk="PRODUCT"):
    sku: Attr[str]
    title: Attr[str]
    price: Attr[Decimal]
    stock: Attr[int] = attr(default=0, ge=0)
    category: Attr[str | None] = attr(default=None)

    by_category = IndexMap("gsi0", pk="CATEGORY#{category}", sk="{title}")
    # In the same partition of the same index as the lines that sold it.
    by_product = IndexMap("gsi1", pk="PRODUCT#{sku}", sk="PRODUCT")


OPENING = datetime(2026, 11, 1, 9, tzinfo=UTC)


def main() -> None:
    parser = argparse.ArgumentParser(description="A shop in one DynamoDB table.")
    parser.add_argument("--url", default="memory:", help="where to store it (default: %(default)s)")
    arguments = parser.parse_args()
    try:
        with dw.connect(arguments.url) as db:
            print(f"dynawire {dw.__version__} on {arguments.url}: {db.create_tables(shop) or 'the table is there'}")
            stock_up()
            sell(db)
            serve()
            look_up(db)
            close(db)
    except dw.DynawireError as error:
        sys.exit(f"\n{type(error).__name__}: {error}")


@contextmanager
def step(title: str) -> Iterator[None]:
    print(f"\n{title}")
    yield


def stock_up() -> None:
    with step("Products and customers"):
        products = [
            Product(sku="cup", title="Cup", price=Decimal("7.50"), stock=40, category="kitchen"),
            Product(sku="pan", title="Pan", price=Decimal("39.00"), stock=5, category="kitchen"),
            Product(sku="a#1", title="Lamp", price=Decimal("65.00"), stock=3, category="light"),
            Product(sku="gift", title="Gift card", price=Decimal("25.00"), stock=1000),
        ]
        Product.put_many(products)
        Customer.put_many(
            [Customer(email="ann@example.org", name="Ann"), Customer(email="bob@example.org", name="Bob")]
        )
        kitchen = [product.title for product in Product.by_category.query("kitchen")]
        print(f"  {len(products)} products; in the kitchen: {', '.join(kitchen)}")
        print(f"  {products[2].title} is kept under {products[2].to_item()['pk']['S']}")


def sell(db: dw.Database) -> None:
    with step("Orders, each with its lines and the stock in one transaction"):
        baskets = [
            ("ann@example.org", {"cup": 4, "pan": 1}),
            ("ann@example.org", {"a#1": 1}),
            ("bob@example.org", {"cup": 2}),
            ("ann@example.org", {"gift": 2}),
        ]
        for number, (email, basket) in enumerate(baskets, 1):
            order = place(db, email, number, OPENING + timedelta(hours=number), basket)
            print(f"  order {order.number} of {email}: {order.total}")
        try:
            place(db, "bob@example.org", 5, OPENING + timedelta(hours=5), {"pan": 50})
        except dw.TransactionCancelled as error:
            print(f"  order 5 is not placed: {type(error.reasons[-1]).__name__}, nothing was changed")


def place(db: dw.Database, email: str, number: int, placed: datetime, basket: dict[str, int]) -> Order:
    products = [Product.get_one(sku) for sku in basket]
    lines = [
        Line(email=email, placed=placed, number=number, position=position, sku=one.sku, price=one.price, count=count)
        for position, (one, count) in enumerate(zip(products, basket.values(), strict=True), 1)
    ]
    order = Order(email=email, placed=placed, number=number, total=sum((line.amount for line in lines), Decimal(0)))
    with db.transaction() as tx:
        tx.check(Customer.key(email), Customer.email.exists())
        tx.insert(order)
        for line in lines:
            tx.insert(line)
            tx.update(Product.key(line.sku), Product.stock.add(-line.count), condition=Product.stock >= line.count)
    return order


def serve() -> None:
    with step("The page of a customer: one query, three classes"):
        page = shop.collection(Customer, Order, Line).query(email="ann@example.org")
        (customer,) = page.customers
        print(f"  {customer.name}: {len(page.orders)} orders, {len(page.lines)} lines, {len(page.others)} others")
        for one in page:
            if isinstance(one, Order):
                print(f"  {one.placed:%d.%m. %H:%M} {one.status:5} {one.total:>8}")
            elif isinstance(one, Line):
                print(f"      {one.count} x {one.sku}")
    with step("What became of a product: it and its sales, from one partition of an index"):
        sold = shop.collection(Product, Line, index="gsi1").query(sku="cup")
        print(f"  {sold.products[0].stock} in stock, {sum(line.count for line in sold.lines)} sold")


def look_up(db: dw.Database) -> None:
    with step("Orders by status and time; changing the status moves them in the index"):
        first = Order.by_status.query(status="open").first()
        assert first is not None
        first.status = "paid"
        first.save()
        third = Order.get_one(email="bob@example.org", placed=OPENING + timedelta(hours=3), number=3)
        third.update(status="paid", condition=Order.status == "open")
        recent = Order.by_status.query(status="open", placed__gte=OPENING + timedelta(hours=2))
        print(f"  open since 11:00: {[order.number for order in recent]}")
        print(f"  paid: {[order.number for order in Order.by_status.query('paid')]}")
    with step("The dearest unpaid order of Ann, by a sparse local index"):
        dearest = Order.unpaid_by_total.query("ann@example.org").reverse().first()
        assert dearest is not None
        print(f"  order {dearest.number}: {dearest.total}")
    with step("Any question: find() chooses the key"):
        found = Order.find((Order.email == "ann@example.org") & (Order.placed < OPENING + timedelta(hours=3)))
        with db.measure() as meter:
            numbers = sorted(order.number for order in found)
        print(f"  {numbers} for {meter.units} read units")
        print("  " + str(found.explain(describe=False)).splitlines()[1])
    with step("Every key is what its template says"):
        for kind in shop.classes():
            wrong = [one for one in kind.scan() if kind.from_item(one.to_item()).to_item() != one.to_item()]
            print(f"  {kind.__name__}: {kind.scan().count()} items, {len(wrong)} wrong")


def close(db: dw.Database) -> None:
    with step("Everything is deleted"):
        # A batch can't check versions, so orders are deleted by key, whatever their version.
        orders = [Order.key(email=one.email, placed=one.placed, number=one.number) for one in Order.scan()]
        deleted = Order.delete_many(orders).deleted
        deleted += sum(kind.delete_many(list(kind.scan())).deleted for kind in (Customer, Line, Product))
        print(f"  {deleted} items; {db.table(Customer).name} stays, and is empty")


if __name__ == "__main__":
    main()
