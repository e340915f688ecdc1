"""RestPosts: a list of comments or issues of a REST API, where hosts differ in paths and names of fields only."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from rsspot.review.protocol import Post
from rsspot.review.rest import RestApi
from rsspot.utils.serialization import Document

IsOurs = Callable[[Document], bool]
"""Whether the owner of the token wrote a post."""


@dataclass(frozen=True)
class PostShape:
    """The form of posts. path: of the list · item: of one, before its id · method: of an update

    text, link, id: names of fields · params: of the list · created: fields of a new one · closing: those that close it
    """

    path: str
    item: str
    method: str
    text: str = "body"
    link: str = "html_url"
    id: str = "id"
    params: Mapping[str, str] = field(default_factory=dict)
    created: Mapping[str, str] = field(default_factory=dict)
    closing: Mapping[str, str] = field(default_factory=dict)


class RestPosts:
    """Posts of one shape. ours: gives what tells our posts, once it is needed"""

    def __init__(self, api: RestApi, shape: PostShape, ours: Callable[[], Awaitable[IsOurs]]) -> None:
        self._api, self._shape, self._ours = api, shape, ours

    async def ours(self) -> list[Post]:
        documents = await self._api.pages(self._shape.path, **self._shape.params)
        is_ours = await self._ours() if documents else bool
        return [self._post(each) for each in documents if is_ours(each)]

    async def create(self, body: str) -> Post:
        return self._post(await self._api.create(self._shape.path, {self._shape.text: body, **self._shape.created}))

    async def update(self, post: Post, body: str, *, closed: bool = False) -> Post:
        fields = {self._shape.text: body, **(self._shape.closing if closed else {})}
        return self._post(await self._api.replace(self._shape.method, f"{self._shape.item}/{post.id}", fields))

    def _post(self, document: Document) -> Post:
        shape = self._shape
        link = document.get(shape.link)
        return Post(str(document.get(shape.id)), str(document.get(shape.text) or ""), str(link) if link else None)
