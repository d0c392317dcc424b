"""What may not be written with several classes in one table."""

from __future__ import annotations

from dynawire import Attr, IndexMap, Model, SingleTable

shop = SingleTable("shop", global_indexes="2")  # error: arg-type
SingleTable("shop", biling="PROVISIONED")  # error: call-arg
IndexMap("gsi0", pk=1)  # error: arg-type
IndexMap("gsi0", "STATUS#{status}")  # error: call-arg


class User(Model, table=shop, pk=1, sk="PROFILE"):  # error: arg-type
    user_id: Attr[str]


User(user_id=1)  # error: arg-type
User()  # error: call-arg
