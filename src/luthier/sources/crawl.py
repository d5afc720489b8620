"""The crawler, a process of its own: reads what to fetch as JSON, writes bodies to files and a JSON line a page.

Run by `luthier.sources.site`. Scrapy does the fetching; what is here is which URLs, and which addresses never.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import scrapy
from scrapy.crawler import CrawlerProcess
from scrapy.exceptions import IgnoreRequest
from scrapy.utils.gz import gunzip
from scrapy.utils.sitemap import Sitemap, sitemap_urls_from_robots

from luthier.sources.addresses import refusal
from luthier.sources.finding import plain_url

LONGEST_URL = 2000
MOST_LINKS = 2000
SITEMAP_BYTES, SITEMAPS_DEEP, MOST_SITEMAPS = 50 * 2**20, 3, 100
_LOGS = "SCRAPY_SETTINGS_MODULE"


class Refused(IgnoreRequest):
    """A connection that is not made."""


class Pages(scrapy.Spider):
    """Fetches the pages asked for, and those their links lead to; tells of each once."""

    name = "pages"

    def __init__(self, plan: dict[str, Any], say: Callable[[dict[str, Any]], None], **_: Any) -> None:
        super().__init__()
        self.plan, self.say = plan, say
        self.known: dict[str, dict[str, Any]] = plan["known"]
        self.sites = {site(url) for url in plan["urls"]}
        self.seen: set[str] = set()
        self.told: set[str] = set()
        self.sitemaps = 0
        self.include = [re.compile(pattern) for pattern in plan["include"]]
        self.exclude = [re.compile(pattern) for pattern in plan["exclude"]]

    async def start(self) -> AsyncIterator[scrapy.Request]:
        for url in self.plan["urls"]:
            for request in self.requests(plain_url(url), 0, asked=True):
                yield request
            if self.plan["sitemaps"]:
                root = urljoin(url, "/robots.txt")
                yield scrapy.Request(root, self.robots, errback=self.no_robots, dont_filter=True, meta={"aside": True})

    def requests(self, url: str, hops: int, *, asked: bool = False) -> Iterator[scrapy.Request]:
        """Yields the request for a URL, where it is wanted and new; of a page that this run has already, those of its
        links."""
        if url in self.seen or not (asked or self.wanted(url)) or len(self.seen) >= self.plan["max_web_pages"]:
            return
        self.seen.add(url)
        known = self.known.get(url, {})
        if known.get("fresh"):
            yield from self.follow(known.get("links", ()), hops)
            return
        names = (("etag", "If-None-Match"), ("last_modified", "If-Modified-Since"))
        headers = {header: known[name] for name, header in names if known.get(name)}
        yield scrapy.Request(
            url, self.page, headers=headers, errback=self.failed, meta={"hops": hops, "asked": url}, dont_filter=True
        )

    def wanted(self, url: str) -> bool:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or site(url) not in self.sites or len(url) > LONGEST_URL:
            return False
        included = not self.include or any(pattern.search(url) for pattern in self.include)
        return included and not any(pattern.search(url) for pattern in self.exclude)

    def follow(self, links: Any, hops: int) -> Iterator[scrapy.Request]:
        if hops < self.plan["depth"]:
            for link in links:
                yield from self.requests(link, hops + 1)

    def page(self, response: Any) -> Iterator[scrapy.Request]:
        meta, url = response.meta, plain_url(response.url)
        told = {"url": url, "asked": meta["asked"], "status": response.status}
        self.seen.add(url)
        if url in self.told:
            return
        self.told.add(url)
        if meta["hops"] and url != meta["asked"] and not self.wanted(url):
            self.say(told | {"problem": "leads to another site, or to what is left out", "skipped": True})
            return
        if response.status == 304:
            known = self.known.get(meta["asked"], {})
            self.say(told | {"unchanged": True})
            yield from self.follow(known.get("links", ()), meta["hops"])
            return
        if response.status != 200:
            gone = response.status in (404, 410)
            self.say(told | {"problem": f"the server answers {response.status}", "gone": gone})
            if not gone:
                yield from self.follow(self.known.get(meta["asked"], {}).get("links", ()), meta["hops"])
            return
        if meta["hops"] == 0 and is_sitemap(response):
            yield from self.sitemap(response)
            return
        links, hidden = links_of(response)
        self.say(told | self.kept(response, links, hidden))
        yield from self.follow(links, meta["hops"])

    def kept(self, response: Any, links: list[str], hidden: bool) -> dict[str, Any]:
        """Returns what is told of a page, whose body is written to a file."""
        if hidden:
            return {"problem": "asks not to be indexed", "skipped": True, "links": links}
        name = hashlib.sha256(response.url.encode()).hexdigest()[:32]
        path = Path(self.plan["folder"]) / name
        with path.open("wb") as file:
            file.write(response.body)
            file.flush()
            os.fsync(file.fileno())
        headers = {
            "etag": "ETag",
            "last_modified": "Last-Modified",
            "media_type": "Content-Type",
        }
        found = {key: (response.headers.get(header) or b"").decode("latin-1") for key, header in headers.items()}
        return {"body": name, "links": links, **found}

    def failed(self, failure: Any) -> Iterator[scrapy.Request]:
        """Tells why a page was not fetched; where it was before, goes on with the links that it had."""
        meta = failure.request.meta
        self.told.add(meta["asked"])
        self.tell_failure(failure, meta["asked"])
        if "hops" in meta:
            yield from self.follow(self.known.get(meta["asked"], {}).get("links", ()), meta["hops"])

    def tell_failure(self, failure: Any, url: str) -> None:
        reasons = getattr(failure.value, "reasons", None) or ()
        said = "; ".join([str(reason.value) for reason in reasons]) or str(failure.value)
        told: dict[str, Any] = {"url": url, "asked": url}
        if failure.check(Refused) or any(reason.check(Refused) for reason in reasons):
            told |= {"problem": said, "remedy": "give --allow-private"}
        elif "robots.txt" in said and failure.check(IgnoreRequest):
            told |= {"problem": "robots.txt asks not to fetch it", "skipped": True}
        else:
            told |= {"problem": f"cannot be fetched ({type(failure.value).__name__}: {said[:200]})"}
        self.say(told)

    def robots(self, response: Any) -> Iterator[scrapy.Request]:
        named = list(sitemap_urls_from_robots(response.body, base_url=response.url)) if response.status == 200 else []
        for url in (named or [urljoin(response.url, "/sitemap.xml")])[:MOST_SITEMAPS]:
            yield from self.sitemap_request(url, 1)

    def no_robots(self, failure: Any) -> Iterator[scrapy.Request]:
        yield from self.sitemap_request(urljoin(failure.request.url, "/sitemap.xml"), 1)

    def sitemap_request(self, url: str, deep: int) -> Iterator[scrapy.Request]:
        self.sitemaps += 1
        if self.sitemaps <= MOST_SITEMAPS and deep <= SITEMAPS_DEEP and site(url) in self.sites:
            meta = {"deep": deep, "asked": url}
            yield scrapy.Request(url, self.sitemap, errback=self.failed, meta=meta, dont_filter=True)

    def sitemap(self, response: Any) -> Iterator[scrapy.Request]:
        if response.status != 200:
            return
        body = response.body
        if body[:2] == b"\x1f\x8b":
            body = gunzip(body, max_size=SITEMAP_BYTES)
        found = Sitemap(body)
        for entry in found:
            if found.type == "sitemapindex":
                yield from self.sitemap_request(entry["loc"], response.meta.get("deep", 1) + 1)
            else:
                yield from self.requests(plain_url(entry["loc"]), 0)


def site(url: str) -> str:
    """Returns the host and port of a URL."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.lower()}"


def is_sitemap(response: Any) -> bool:
    head = response.body[:2000]
    return b"<urlset" in head or b"<sitemapindex" in head


def links_of(response: Any) -> tuple[list[str], bool]:
    """Returns the links of a page that it does not ask to leave alone, and whether it asks not to be indexed."""
    if not hasattr(response, "text") or not isinstance(response, scrapy.http.HtmlResponse):
        return [], False
    robots = " ".join(response.xpath("//meta[translate(@name,'ROBTS','robts')='robots']/@content").getall()).lower()
    base = urljoin(response.url, response.xpath("//base/@href").get() or "")
    found = response.xpath("//a[@href][not(contains(@rel,'nofollow'))]/@href").getall()
    links = [] if "nofollow" in robots else [plain_url(urljoin(base, link)) for link in found if _is_link(link)]
    return list(dict.fromkeys(links))[:MOST_LINKS], "noindex" in robots


def _is_link(link: str) -> bool:
    try:
        urlsplit(link)
    except ValueError:
        return False
    return not link.strip().lower().startswith(("mailto:", "javascript:", "tel:", "data:"))


def guard(reactor: Any, plan: dict[str, Any]) -> None:
    """Has every connection looked at where it is made: names are addresses by then, whatever redirects led there."""
    connect = reactor.connectTCP

    def connect_checked(host: str, port: int, *args: Any, **named: Any) -> Any:
        why = refusal(host, allow_private=plan["allow_private"], networks=plan["allow_networks"])
        if why:
            raise Refused(why)
        return connect(host, port, *args, **named)

    reactor.connectTCP = connect_checked


def settings(plan: dict[str, Any]) -> dict[str, Any]:
    """Returns Scrapy's settings: robots.txt is obeyed, nothing but HTTP is spoken, no proxy, no console, no cookies."""
    return {
        "USER_AGENT": plan["user_agent"],
        "ROBOTSTXT_OBEY": True,
        "ROBOTSTXT_USER_AGENT": plan["user_agent"],
        "DOWNLOAD_DELAY": plan["delay_s"],
        "RANDOMIZE_DOWNLOAD_DELAY": False,
        "CONCURRENT_REQUESTS": 8,
        "CONCURRENT_REQUESTS_PER_DOMAIN": 1 if plan["delay_s"] else 4,
        "DOWNLOAD_HANDLERS": dict.fromkeys(("file", "data", "s3", "ftp")),
        "DOWNLOAD_TIMEOUT": 60,
        "DOWNLOAD_MAXSIZE": plan["max_file_bytes"],
        "DOWNLOAD_WARNSIZE": 0,
        "HTTPERROR_ALLOW_ALL": True,
        "HTTPPROXY_ENABLED": False,
        "COOKIES_ENABLED": False,
        "RETRY_TIMES": 2,
        "REDIRECT_MAX_TIMES": 10,
        "TELNETCONSOLE_ENABLED": False,
        "LOG_ENABLED": False,
        "EXTENSIONS": {"scrapy.extensions.remote_control.RemoteControl": None},
        "REQUEST_FINGERPRINTER_IMPLEMENTATION": "2.7",
    }


def main() -> None:
    """Crawls as the JSON on the standard input says."""
    os.environ.pop(_LOGS, None)
    plan = json.loads(sys.stdin.read())
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a library prints is no page

    def say(what: dict[str, Any]) -> None:
        out.write(json.dumps(what) + "\n")
        out.flush()

    process = CrawlerProcess(settings(plan))
    process.crawl(Pages, plan=plan, say=say)
    from twisted.internet import reactor

    guard(reactor, plan)
    process.start()
    say({"done": True})


if __name__ == "__main__":
    main()
