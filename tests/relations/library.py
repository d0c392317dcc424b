"""A library: classes with relations of every kind."""

from __future__ import annotations

from typing import Any

from dynawire import (
    Attr,
    GlobalIndex,
    ManyToMany,
    Model,
    ToMany,
    ToOne,
    attr,
    many_to_many,
    many_to_one,
    one_to_many,
    one_to_one,
    partition_key,
    sort_key,
    version,
)


class Author(Model, table="authors"):
    id: Attr[str] = partition_key()
    name: Attr[str] = attr(default="")
    agent_id: Attr[str | None] = attr(default=None)

    books: ToMany[Book] = one_to_many(index="by_author", back="author")
    portrait: ToOne[Portrait] = one_to_one(auto_create=True, back="author")
    agent: ToOne[Author] = many_to_one("agent_id", back="clients")
    clients: ToMany[Author] = one_to_many("id", index="by_agent", back="agent")
    subjects: ManyToMany[Subject] = many_to_many("Interest", own="author_id", other="subject", back="authors")
    long_books: ToMany[Book] = one_to_many(query=lambda author: Book.by_author.query(author.id).where(Book.pages > 500))

    by_agent = GlobalIndex("agent_id", "id")


class Portrait(Model, table="portraits"):
    author_id: Attr[str] = partition_key()
    style: Attr[str] = attr(default="oil")

    author: ToOne[Author] = one_to_one("author_id", back="portrait")


class Book(Model, table="books"):
    shelf: Attr[str] = partition_key()
    number: Attr[int] = sort_key()
    author_id: Attr[str]
    title: Attr[str] = attr(default="untitled")
    pages: Attr[int] = attr(default=0)

    author: ToOne[Author] = many_to_one("author_id", back="books")
    loan: ToOne[Loan] = one_to_one("shelf", "number", index="by_book", back="book")

    by_author = GlobalIndex("author_id", ["shelf", "number"])
    by_title = GlobalIndex("title")


class Review(Model, table="reviews"):
    id: Attr[str] = partition_key()
    title: Attr[str | None] = attr(default=None)

    book: ToOne[Book] = many_to_one("title", index="by_title")


class Loan(Model, table="loans"):
    id: Attr[str] = partition_key()
    shelf: Attr[str | None] = attr(default=None)
    number: Attr[int | None] = attr(default=None)

    book: ToOne[Book] = one_to_one("shelf", "number", back="loan")

    by_book = GlobalIndex("shelf", "number")


class Subject(Model, table="subjects"):
    name: Attr[str] = partition_key()

    authors: ManyToMany[Author] = many_to_many(
        lambda: Interest, own="subject", other="author_id", back="subjects", cascade="delete"
    )


class Interest(Model, table="interests"):
    author_id: Attr[str] = partition_key()
    subject: Attr[str] = sort_key()
    since: Attr[int] = attr(default=0)

    by_subject = GlobalIndex("subject", "author_id", projection="KEYS_ONLY")


class Shop(Model, table="shops"):
    """Its writes go on to others."""

    id: Attr[str] = partition_key()
    city_name: Attr[str | None] = attr(default=None)
    v: Attr[int] = version()

    city: ToOne[City] = many_to_one("city_name", cascade="save")
    orders: ToMany[Order] = one_to_many(back="shop", cascade=("save", "delete"))
    licence: ToOne[Licence] = one_to_one(cascade=("save", "delete"))
    goods: ManyToMany[Good] = many_to_many("Offer", own="shop", other="good", cascade=("save", "delete"))


class City(Model, table="cities"):
    name: Attr[str] = partition_key()
    size: Attr[int] = attr(default=0)


class Licence(Model, table="licences"):
    shop_id: Attr[str] = partition_key()


class Order(Model, table="orders"):
    shop_id: Attr[str] = partition_key()
    number: Attr[int] = sort_key()
    state: Attr[str] = attr(default="new")
    v: Attr[int] = version()

    shop: ToOne[Shop] = many_to_one("shop_id", back="orders")
    lines: ToMany[Line] = one_to_many("shop_id", "number", index="by_order", cascade=("save", "delete"))


class Line(Model, table="lines"):
    shop_id: Attr[str] = partition_key()
    order: Attr[int] = attr(default=0)
    place: Attr[str] = sort_key()

    by_order = GlobalIndex(["shop_id", "order"])


class Good(Model, table="goods"):
    name: Attr[str] = partition_key()


class Offer(Model, table="offers"):
    shop: Attr[str] = partition_key()
    good: Attr[str] = sort_key()


CLASSES: list[type[Model[Any, Any]]] = [Author, Portrait, Book, Review, Loan, Subject, Interest]
CLASSES += [Shop, City, Licence, Order, Line, Good, Offer]
