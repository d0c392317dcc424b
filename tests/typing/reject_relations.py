"""What may not be written with relations."""

from __future__ import annotations

from dynawire import (
    Attr,
    ManyToMany,
    Model,
    ToMany,
    ToOne,
    many_to_many,
    many_to_one,
    one_to_many,
    one_to_one,
    partition_key,
    prefetch,
    sort_key,
)


class Author(Model, table="authors"):
    id: Attr[str] = partition_key()
    posts: ToMany[Post] = one_to_many(index="by_author")


class Post(Model, table="posts"):
    id: Attr[str] = partition_key()
    author_id: Attr[str]
    author: ToOne[Author] = many_to_one("author_id")
    tags: ManyToMany[Tag] = many_to_many("Tagging", own="post_id", other="tag")
    first: ToOne[Author] = one_to_one("author_id")


class Tag(Model, table="tags"):
    name: Attr[str] = partition_key()


class Tagging(Model, table="taggings"):
    post_id: Attr[str] = partition_key()
    tag: Attr[str] = sort_key()


class Wrong(Model, table="wrong"):
    id: Attr[str] = partition_key()
    posts: ToMany[Post] = one_to_many(index="by_author", cascade="all")  # error
    others: ToMany[Post] = one_to_many(Post)  # error
    tags: ToMany[Tag] = one_to_many(to=Post)  # error: arg-type
    as_many: ToMany[Author] = many_to_one("id", to=Author)  # error: assignment
    as_one: ToOne[Post] = one_to_many(to=Post, index="by_author")  # error: assignment
    as_links: ManyToMany[Post] = one_to_many(to=Post)  # error: assignment
    unlinked: ManyToMany[Tag] = many_to_many("Tagging", own="post_id")  # error: call-overload
    made: ToMany[Post] = one_to_many(index="by_author", auto_create=True)  # error: call-overload
    asked: ToOne[Author] = one_to_one("id", auto_create="yes")  # error: call-overload
    indexed: ToOne[Author] = many_to_one("id", index=3)  # error: call-overload
    paired: ToOne[Author] = many_to_one(by=["id"])  # error: call-overload


author = Author(id="a")
post = Post(id="p", author_id="a")
Post(id="p", author_id="a", author=author)  # error
Post(id="p")  # error
post.author = post  # error: assignment
post.author.name  # error: attr-defined
post.author.get().id  # error: union-attr
post.author.set("a")  # error: arg-type
text: str = post.author.value  # error: assignment
author.posts.append(author)  # error: arg-type
author.posts.add(post)  # error: attr-defined
post.tags.add(post)  # error: arg-type
post.tags.append(Tag(name="x"))  # error: attr-defined
Post.scan().with_("author")  # error: arg-type
Post.scan().with_(Post.id)  # error: arg-type
prefetch([post], "author")  # error: arg-type
number: int = Post.author  # error: assignment
Post.author.value  # error: attr-defined
len(post.author)  # error: arg-type
for _ in post.author:  # error
    pass
author.posts[0]  # error: index
author.posts = [post]  # error
post.tags = []  # error
post.author.value = author  # error: misc
post.author.get(consistent="yes")  # error: arg-type
post.author.all()  # error: attr-defined
author.posts.get()  # error: attr-defined
author.posts.append("p")  # error: arg-type
post.tags.links("x")  # error: call-arg
posts: list[Post] = Post.scan().with_(Post.author).first()  # error: assignment
authors: list[Author] = Post.scan().with_(Post.author).all()  # error: assignment
Post.scan().with_(post.author)  # error: arg-type
Post.scan().with_(Author)  # error: arg-type
Post.author.with_("posts")  # error: arg-type
Post.find(author_id="a").with_(Post.author_id)  # error: arg-type
prefetch(Post.author)  # error: arg-type
