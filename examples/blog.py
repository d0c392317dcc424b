"""A blog: authors, posts, comments and tags that lead to each other, with the requests that each step takes.

Run it with ``python examples/blog.py``, or on any DynamoDB: ``--url http://localhost:8000``, ``--url sqlite:///blog.db``,
``--url dynamodb://eu-west-1``. It begins with empty tables, named ``blog-…``, and leaves none.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import dynawire as dw
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

FIRST_DAY = datetime(2026, 3, 1, 9, tzinfo=UTC)


class Author(Model, table="authors"):
    handle: Attr[str] = partition_key()
    name: Attr[str]

    posts: ToMany[Post] = one_to_many(index="by_author", back="author", cascade=("save", "delete"))
    settings: ToOne[Settings] = one_to_one(auto_create=True, cascade="delete")


class Settings(Model, table="settings"):
    handle: Attr[str] = partition_key()
    theme: Attr[str] = attr(default="light")
    notify: Attr[bool] = attr(default=True)


class Post(Model, table="posts"):
    slug: Attr[str] = partition_key()
    author_handle: Attr[str]
    published: Attr[datetime]
    title: Attr[str]
    text: Attr[str] = attr(default="")
    v: Attr[int] = version()

    author: ToOne[Author] = many_to_one("author_handle", back="posts")
    comments: ToMany[Comment] = one_to_many(back="post", cascade="delete")
    tags: ManyToMany[Tag] = many_to_many("Tagging", own="slug", other="tag", back="posts", cascade="delete")

    by_author = GlobalIndex("author_handle", "published")


class Comment(Model, table="comments"):
    slug: Attr[str] = partition_key()
    at: Attr[datetime] = sort_key()
    author_handle: Attr[str]
    text: Attr[str]

    post: ToOne[Post] = many_to_one("slug", back="comments")
    author: ToOne[Author] = many_to_one("author_handle")


class Tag(Model, table="tags"):
    name: Attr[str] = partition_key()

    posts: ManyToMany[Post] = many_to_many("Tagging", own="tag", other="slug", back="tags")


class Tagging(Model, table="taggings"):
    """The link of a post and a tag."""

    slug: Attr[str] = partition_key()
    tag: Attr[str] = sort_key()

    by_tag = GlobalIndex("tag", "slug", projection="KEYS_ONLY")


CLASSES = (Author, Settings, Post, Comment, Tag, Tagging)


def main() -> None:
    parser = argparse.ArgumentParser(description="A blog whose posts, authors, comments and tags lead to each other.")
    parser.add_argument("--url", default="memory:", help="where to store it (default: %(default)s)")
    arguments = parser.parse_args()
    try:
        with dw.connect(arguments.url, table_prefix="blog-") as db:
            db.drop_tables(*CLASSES)
            db.create_tables(*CLASSES)
            write(db)
            front_page(db)
            tags(db)
            asyncio.run(feed(db))
            settings(db)
            edit(db)
            leave(db)
            db.drop_tables(*CLASSES)
    except dw.DynawireError as error:
        sys.exit(f"\n{type(error).__name__}: {error}")


# ---------------------------------------------------------------------- the steps


def write(db: dw.Database) -> None:
    with step(db, "Authors with their posts: one save(), one transaction each"):
        for handle, name, titles in (
            ("ada", "Ada Lovelace", ["Notes on the engine", "Bernoulli numbers", "What it can't do"]),
            ("alan", "Alan Turing", ["On computable numbers", "Can machines think?"]),
            ("grace", "Grace Hopper", ["The first bug", "Compilers", "A nanosecond of wire", "Ask forgiveness"]),
        ):
            author = Author(handle=handle, name=name)
            for number, title in enumerate(titles):
                published = FIRST_DAY + timedelta(days=3 * number + len(handle))
                author.posts.append(Post(slug=slug(title), author_handle="", published=published, title=title))
            author.save()
            say(f"{author.name}: {author.posts.count()} posts")

    with step(db, "Comments and tags"):
        handles = ["ada", "alan", "grace"]
        posts = Post.scan().all()
        Comment.put_many(
            Comment(
                slug=post.slug,
                at=post.published + timedelta(hours=number),
                author_handle=handles[(number + len(post.title)) % 3],
                text=f"Comment {number + 1} on “{post.title}”",
            )
            for post in posts
            for number in range(len(post.title) % 4)
        )
        machines, numbers = Tag(name="machines"), Tag(name="numbers")
        Tag.put_many([machines, numbers])
        for post in posts:
            if "number" in post.title.lower():
                post.tags.add(numbers)
            if post.title in ("Notes on the engine", "Can machines think?", "The first bug", "On computable numbers"):
                post.tags.add(machines)
        say(f"{Comment.scan().count()} comments, {Tagging.scan().count()} taggings")


def front_page(db: dw.Database) -> None:
    with step(db, "The front page, naively: the author of each post is asked for by itself"):
        for post in Post.scan():
            post.author.get_one()
        say("every post takes a request")

    with step(db, "The same with_(Post.author): one more request, however many posts there are"):
        posts = sorted(Post.scan().with_(Post.author), key=lambda post: post.published)
        for post in posts[:3]:
            say(f"{post.published:%d %B}  {post.title:24} {post.author.value.name}")

    with step(db, "With comments and their authors: a query for each post, one batch for all the authors"):
        posts = Post.scan().with_(Post.comments.with_(Comment.author)).all()
        busiest = max(posts, key=lambda post: (len(post.comments.value), post.slug))
        say(f"{busiest.title}, {len(busiest.comments.value)} comments")
        for comment in busiest.comments.value:
            say(f"  {comment.author.value.name}: {comment.text}")
            assert comment.post.value is busiest  # known, without a request


def tags(db: dw.Database) -> None:
    with step(db, "A tag and its posts, and back"):
        machines = Tag.get_one("machines")
        dw.prefetch(machines.posts, Post.tags)
        for post in sorted(machines.posts, key=lambda post: post.title):
            say(f"{post.title}: {', '.join(tag.name for tag in post.tags.value)}")

    with step(db, "Untag, and count"):
        machines.posts.remove(Post.get_one("the-first-bug"))
        say(f"machines: {machines.posts.count()} posts left")


async def feed(db: dw.Database) -> None:
    with step(db, "In asyncio: an author's latest posts"):
        grace = await Author.aget_one("grace")
        async for post in grace.posts.query().reverse().limit(2):
            say(f"{post.title}, by {(await post.author.aget_one()).name}")
        try:
            _ = grace.posts.value
        except dw.NotLoaded as error:
            say(f"what was not read is not read behind your back: {type(error).__name__}")
        say(f"{len(await grace.posts.aall())} posts; read once: {len(await grace.posts.aall())} posts")


def settings(db: dw.Database) -> None:
    with step(db, "Settings are made when they are first asked for"):
        alan = Author.get_one("alan")
        say(f"theme {alan.settings.get_one().theme!r}; stored: {Settings.exists('alan')}")


def edit(db: dw.Database) -> None:
    with step(db, "Save an author: only the post that changed is written"):
        alan = Author.get_one("alan")
        for post in alan.posts:
            if post.slug == "can-machines-think":
                post.text = "I propose to consider the question."
        say(f"written: {alan.save()}; again: {alan.save()}")

    with step(db, "A post of somebody else's by mistake"):
        try:
            alan.posts.value[0].author = Tag(name="ada")  # type: ignore[assignment]
        except dw.RelationError as error:
            say(f"{type(error).__name__}: {error}")


def leave(db: dw.Database) -> None:
    with step(db, "An author leaves: with posts, their comments and taggings, and settings, in one transaction"):
        before = {cls.__name__: cls.scan().count() for cls in CLASSES}
        Author.get_one("alan").delete()
        for cls in CLASSES:
            say(f"{cls.__name__:9} {before[cls.__name__]:2} -> {cls.scan().count()}")


# ---------------------------------------------------------------------- what a person sees


def slug(title: str) -> str:
    return "-".join("".join(one for one in word if one.isalnum()) for word in title.lower().split())


@contextmanager
def step(db: dw.Database, title: str) -> Iterator[None]:
    """Print a title, then the requests that the step took."""
    print(f"\n{title}")
    with db.measure() as cost:
        yield
    sent = [operation for operation, _ in cost.calls]
    counted = ", ".join(f"{sent.count(operation)} {operation}" for operation in dict.fromkeys(sent))
    print(f"  requests: {counted or 'none'}")


def say(text: str) -> None:
    print(f"  {text}")


if __name__ == "__main__":
    main()
