"""What may not be written with several classes in one table."""

from __future__ import annotations

from dynawire import Attr, IndexMap, LocalIndex, Model, SingleTable

shop = SingleTable("shop", global_indexes="2")  # error: arg-type
SingleTable("shop", biling="PROVISIONED")  # error: call-arg
IndexMap("gsi0", pk=1)  # error: arg-type
IndexMap("gsi0", "STATUS#{status}")  # error: call-arg


class User(Model, table=shop, pk=1, sk="PROFILE"):  # error: arg-type
    user_id: Attr[str]


User(user_id=1)  # error: arg-type
User()  # error: call-arg


class Order(Model, table=shop, pk="USER#{user_id}", sk=["ORDER"]):  # error: arg-type
    user_id: Attr[str]
    total: Attr[int]

    by_total = IndexMap("gsi0", pk="TOTAL", sk="{total}")


class Kind(Model, table=shop, pk="K#{id}", sk="K", kind=1):  # error: arg-type
    id: Attr[str]


SingleTable(shop)  # error: arg-type
SingleTable("shop", kind=True)  # error: arg-type
SingleTable("shop", store_keys="no")  # error: arg-type
SingleTable("shop", global_indexes={"gsi0": LocalIndex("x")})  # error: dict-item
SingleTable("shop", local_indexes=["lsi0"])  # error: arg-type
IndexMap("gsi0", pk="A", when="total > 3")  # error: arg-type
IndexMap(0, pk="A")  # error: arg-type
both = shop.collection(User, Order)
shop.collection(User, "Order")  # error
shop.collection(User, index=0)  # error
both.limit("3")  # error: arg-type
both.after(3)  # error: arg-type
both.consistent("yes")  # error: arg-type
both.query("1")  # error: arg-type
both.where(Order.total > 3)  # error: attr-defined
found = both.query(user_id="1")
users: list[User] = list(found)  # error
found.items[0].total  # error: union-attr
found.of("Order")  # error: arg-type
orders: list[Order] = found.of(User)  # error: arg-type
Order.by_total.query(total=1).nothing  # error: attr-defined
Order.total.begins_with("1")  # error
Order.find(Order.total == "1")  # error
Order.by_total.get("1")  # error: attr-defined
Order(user_id="1", total=1, pk="x")  # error: call-arg
