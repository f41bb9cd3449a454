"""Looking things up on the web: off, unless hosts are allow-listed.

SCOPE_WEB_HOSTS   hosts that may be asked, with commas between: "wiki.example.org, brand.example.com"
SCOPE_WEB_SEARCH  the page of a host that answers a query; by default MediaWiki's search

The words of an open reference go to each of these hosts, and one page each comes back, of which the text is read. No
link of a page is followed, and no picture is fetched. A page that asks robots of AI to stay away is not used.
"""

import os
import re
from collections.abc import Callable, Mapping
from hashlib import sha256
from html.parser import HTMLParser
from urllib.parse import quote

from scope.errors import UsageError
from scope.knowledge.documents import MAX_TEXT, Origin, clean, paragraphs
from scope.knowledge.index import Index
from scope.models.sentence_encoder import embed
from scope.net.guarded_fetch import Page, Refused, fetch
from scope.protocols import Passage

MAX_PASSAGES = 400  # of one page
SEARCH = "https://{host}/w/index.php?search={query}"

_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[1-9]\d{0,4})?")
_STAY_AWAY = re.compile(r"\bno(?:image)?ai\b", re.IGNORECASE)

Fetch = Callable[[str, tuple[str, ...]], Page]


def load(environment: Mapping[str, str] | None = None) -> "Web":
    """Return the web as `environment` (None: of this process) allows it: by default, none of it.

    Raises: UsageError if a host or the search page cannot be used.
    """
    environment = os.environ if environment is None else environment
    hosts = tuple(h.strip().lower() for h in environment.get("SCOPE_WEB_HOSTS", "").split(",") if h.strip())
    return Web(hosts, environment.get("SCOPE_WEB_SEARCH") or SEARCH)


class Web:
    """Pages of allow-listed hosts. Without hosts it finds nothing and speaks to nobody."""

    name = "web"
    version = "1"

    def __init__(self, hosts: tuple[str, ...] = (), search: str = SEARCH, fetch: Fetch = fetch) -> None:
        for host in hosts:
            if not _HOST.fullmatch(host):
                raise UsageError(f"SCOPE_WEB_HOSTS: {host!r} is no host name; write names with commas between")
        if "{query}" not in search:
            raise UsageError(f"SCOPE_WEB_SEARCH={search!r}: it must hold {{query}}, where the words go")
        self._hosts, self._search, self._fetch = hosts, search, fetch

    def search(self, query: str, count: int = 5) -> list[Passage]:
        """Return the nearest passages of the pages that answer a query.

        Raises: Refused if no host gave a page that may be used.
        """
        passages, refused = [], []
        for host in self._hosts:
            url = self._search.replace("{host}", host).replace("{query}", quote(query[:200], safe=""))
            try:
                passages += _read(self._fetch(url, self._hosts))
            except Refused as error:
                refused.append(str(error))
        if refused and not passages:
            raise Refused("; ".join(refused))
        return Index(passages, embed([f"{p.source.title}: {p.text}" for p in passages])).search(query, count)


def _read(page: Page) -> list[Passage]:
    """Return the text of a page as passages.

    Raises: Refused if it is no text, or not meant for us.
    """
    kind, _, rest = page.kind.partition(";")
    if kind.strip().lower() not in ("text/html", "text/plain"):
        raise Refused(f"{page.url}: {kind or 'nothing'} is no text")
    declared = re.search(r"charset=\"?([\w-]+)", rest)
    try:
        text = page.data.decode(declared[1] if declared else "utf-8", "replace")
    except (LookupError, UnicodeError) as error:
        raise Refused(f"{page.url}: unknown characters ({error})") from error
    robots, title = page.robots, page.url
    if kind.strip().lower() == "text/html":
        parser = _Text()
        parser.feed(text)
        parser.close()
        text, robots, title = parser.text, f"{robots} {parser.robots}", clean(parser.title) or page.url
    if _STAY_AWAY.search(robots):
        raise Refused(f"{page.url}: the page asks AI to stay away")
    origin = Origin(page.url, title, sha256(page.data).hexdigest())
    return list(paragraphs(text[:MAX_TEXT], origin, page.url))[:MAX_PASSAGES]


class _Text(HTMLParser):
    """Collects what is read of a page: paragraphs, its title, and what it says to robots."""

    _HIDDEN = frozenset({"script", "style", "template", "noscript", "svg"})
    _BLOCKS = frozenset("p div li h1 h2 h3 h4 h5 h6 tr table ul ol section article br td th dd dt blockquote".split())

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.title, self.robots = "", ""
        self._parts: list[str] = []
        self._inside: list[str] = []  # hidden elements that are open
        self._titled = False

    @property
    def text(self) -> str:
        return "".join(self._parts)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "meta" and "robots" in given.get("name", "").lower():
            self.robots += " " + given.get("content", "")
        if tag in self._HIDDEN:
            self._inside.append(tag)
        self._titled = tag == "title"
        if tag in self._BLOCKS:
            self._parts.append("\n\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._inside:
            del self._inside[self._inside.index(tag) :]
        self._titled = False
        if tag in self._BLOCKS:
            self._parts.append("\n\n")

    def handle_data(self, data: str) -> None:
        if self._titled and not self.title:
            self.title = data
        elif not self._inside:
            self._parts.append(" ".join(data.split("\n")))
