"""What may be written with relations."""

from __future__ import annotations

from typing import Any, assert_type

from dynawire import (
    Attr,
    Find,
    GlobalIndex,
    LinkedItems,
    ManyToMany,
    Model,
    Page,
    Query,
    RelatedItem,
    RelatedItems,
    Relation,
    ToMany,
    ToOne,
    aprefetch,
    connect,
    many_to_many,
    many_to_one,
    one_to_many,
    one_to_one,
    partition_key,
    prefetch,
    sort_key,
)
from dynawire.pydantic import PydanticModel


class Author(Model, table="authors"):
    id: Attr[str] = partition_key()
    posts: ToMany[Post] = one_to_many(index="by_author", back="author", cascade=("save", "delete"))
    profile: ToOne[Profile] = one_to_one(auto_create=True, cascade="delete")
    latest: ToMany[Post] = one_to_many(to=lambda: Post, index="by_author")


class Profile(Model, table="profiles"):
    author_id: Attr[str] = partition_key()
    author: ToOne[Author] = many_to_one("author_id", to=Author)


class Post(Model, table="posts"):
    id: Attr[str] = partition_key()
    author_id: Attr[str]
    by_author = GlobalIndex("author_id")
    author: ToOne[Author] = many_to_one("author_id", back="posts")
    tags: ManyToMany[Tag] = many_to_many("Tagging", own="post_id", other="tag", back="posts")
    also: ManyToMany[Tag] = many_to_many(lambda: Tagging, own="post_id", other="tag", to=lambda: Tag)


class Tag(Model, table="tags"):
    name: Attr[str] = partition_key()
    posts: ManyToMany[Post] = many_to_many("Tagging", own="tag", other="post_id", to="Post")


class Tagging(Model, table="taggings"):
    post_id: Attr[str] = partition_key()
    tag: Attr[str] = sort_key()


class Note(PydanticModel, table="notes"):
    id: str = partition_key()
    author_id: str = ""
    author: ToOne[Author] = many_to_one("author_id")
    writer: ToOne[Author] = many_to_one("author_id", to=Author)


# Relations are no parameters of the constructor.
author = Author(id="a")
post = Post(id="p", author_id="a")
note = Note(id="n", author_id="a")
profile = Profile(author_id="a")

assert_type(Post.author, Relation[Author])
assert_type(post.author, RelatedItem[Author])
assert_type(post.author.get(), Author | None)
assert_type(post.author.get_one(), Author)
assert_type(post.author.value, Author)
assert_type(post.author.value_or_none, Author | None)
assert_type(profile.author.get_one(), Author)
assert_type(note.author.value, Author)
assert_type(note.writer.value, Author)
post.author = author
post.author = None
del post.author

assert_type(Author.posts, Relation[Post])
assert_type(author.posts, RelatedItems[Post])
assert_type(author.posts.all(), list[Post])
assert_type(author.latest.all(), list[Post])
assert_type(author.posts.query(Post.id > "x"), Query[Post])
assert_type(author.posts.count(), int)
author.posts.append(post)
for each in author.posts:
    assert_type(each, Post)

assert_type(post.tags.all(), list[Tag])
assert_type(post.also.all(), list[Tag])
assert_type(post.tags.value, list[Tag])
post.tags.add(Tag(name="x"))
post.tags.remove(Tag(name="x"))

assert_type(post.tags, LinkedItems[Tag])
assert_type(post.tags.links(), Query[Any])
assert_type(len(author.posts) + len(post.tags), int)
assert_type([tag.name for tag in post.tags], list[str])
assert_type(author.posts.is_loaded, bool)
assert_type(author.posts.refresh(consistent=True), list[Post])
assert_type(post.author.refresh(), Author | None)
assert_type(post.author.delete(), None)
assert_type(author.posts.filter(author_id="a").first(), Post | None)
assert_type(author.posts.all()[0].author.value.posts, RelatedItems[Post])
assert_type(Author.posts.with_(Post.author, Post.tags), Relation[Post])
assert_type(Post.author.with_(Author.posts.with_(Post.tags)), Relation[Author])

assert_type(Post.scan().with_(Post.author, Post.tags).all(), list[Post])
assert_type(Post.query("p").with_(Post.author).first(), Post | None)
assert_type(Post.query("p").with_(Post.author).one(), Post)
assert_type(Post.scan().with_(Post.author).page(size=10), Page[Post])
assert_type(Post.scan().with_(Post.author).limit(3).reverse().with_(Post.tags), Query[Post])
assert_type([one.author.value.id for one in Post.scan().with_(Post.author)], list[str])
assert_type(Post.find(Post.author_id == "a").with_(Post.author), Find[Post])
assert_type(Post.find(author_id="a").with_(Post.author.with_(Author.profile)).one(), Post)
assert_type(connect("memory:").table(Post).query("p").with_(Post.author), Query[Post])
assert_type(Note.scan().with_(Note.author).all(), list[Note])
assert_type(Post.by_author.query("a").with_(Post.author.with_(Author.profile)), Query[Post])
prefetch([post], Post.author)


async def main() -> None:
    assert_type(await post.author.aget(), Author | None)
    assert_type(await post.author.aget_one(), Author)
    assert_type(await author.posts.aall(), list[Post])
    assert_type(await post.tags.aall(), list[Tag])
    await post.tags.aadd(Tag(name="x"))
    await aprefetch([post], Post.author)
    async for each in author.posts:
        assert_type(each, Post)
    assert_type(await post.author.arefresh(), Author | None)
    assert_type(await author.posts.acount(), int)
    assert_type(await Post.scan().with_(Post.author).aall(), list[Post])
    assert_type(await Post.find(author_id="a").with_(Post.author).afirst(), Post | None)
    assert_type(await Post.scan().with_(Post.author).apage(), Page[Post])
    assert_type([one.author.value async for one in Post.scan().with_(Post.author)], list[Author])
