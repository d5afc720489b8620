"""Crawls of a real site on this machine: what is fetched, what is not, and which addresses never."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sources.small_site import Answer, Site, page, running

from luthier.errors import Interrupted
from luthier.sources.addresses import refusal
from luthier.sources.options import WebOptions
from luthier.sources.site import FOLDER, LOG, Page, fetch


@pytest.fixture
def site() -> Iterator[Site]:
    with running() as one:
        yield one


def crawl(folder: Path, *urls: str, known: Any = None, stop: Any = lambda: False, **options: Any) -> dict[str, Page]:
    chosen = WebOptions(**{"delay_s": 0.0, "allow_private": True, **options})
    pages = fetch(urls, chosen, folder, known or {}, max_file_bytes=2**20, stop=stop)
    return {found.url: found for found in pages}


def test_links_are_followed_so_far_and_robots_are_obeyed(site: Site, tmp_path: Path) -> None:
    site.answers |= {
        "/robots.txt": Answer(b"User-agent: *\nDisallow: /secret\n"),
        "/": page(
            "home", "/a", "/a#part", "/secret/x", "/skip/me", "/missing", "http://elsewhere.example/", "mailto:x@y"
        ),
        "/a": page("a", "b", "/"),
        "/b": page("b", "/c"),
        "/c": page("c"),
        "/secret/x": page("secret"),
        "/skip/me": page("skip"),
    }
    found = crawl(tmp_path, site.address, depth=2, exclude=("/skip/",))
    bodies = {url.removeprefix(site.address) for url, one in found.items() if one.body}
    assert bodies == {"/", "/a", "/b"}
    assert found[site.address + "/secret/x"].problem == "robots.txt asks not to fetch it"
    assert found[site.address + "/secret/x"].skipped
    assert found[site.address + "/missing"].gone
    assert not {"/secret/x", "/skip/me", "/c"} & set(site.paths())
    assert site.paths().count("/a") == 1
    assert site.asked[-1][1]["User-Agent"] == "luthier"
    body = found[site.address + "/a"].body
    assert body is not None
    assert body.read_bytes() == site.answers["/a"].body


def test_a_single_page_is_only_itself_and_include_narrows(site: Site, tmp_path: Path) -> None:
    site.answers |= {"/x": page("x", "/docs/1", "/blog/2"), "/docs/1": page("one"), "/blog/2": page("two")}
    assert set(crawl(tmp_path / "1", site.address + "/x")) == {site.address + "/x"}
    found = crawl(tmp_path / "2", site.address + "/x", depth=1, include=("/docs/",))
    assert set(found) == {site.address + "/x", site.address + "/docs/1"}


def test_sitemaps_are_read_nested_and_packed(site: Site, tmp_path: Path) -> None:
    packed = f"<urlset><url><loc>{site.address}/deep</loc></url><url><loc>http://other.example/</loc></url></urlset>"
    index = f"<sitemapindex><sitemap><loc>{site.address}/maps/1.xml.gz</loc></sitemap></sitemapindex>"
    site.answers |= {
        "/robots.txt": Answer(f"Sitemap: {site.address}/map.xml\n".encode()),
        "/map.xml": Answer(index.encode(), headers={"Content-Type": "text/xml"}),
        "/maps/1.xml.gz": Answer(gzip.compress(packed.encode()), headers={"Content-Type": "application/gzip"}),
        "/": page("home"),
        "/deep": page("deep"),
    }
    found = crawl(tmp_path, site.address, sitemaps=True)
    assert {url.removeprefix(site.address) for url, one in found.items() if one.body} == {"/", "/deep"}


def test_what_has_not_changed_is_not_sent_again_and_its_links_are_followed(site: Site, tmp_path: Path) -> None:
    first = page("home", "/a")
    site.answers |= {"/": Answer(first.body, headers={**first.headers, "ETag": '"v1"'}), "/a": page("a")}
    before = crawl(tmp_path / "1", site.address, depth=1)
    home = before[site.address + "/"]
    known = {home.url: {"etag": home.etag, "links": home.links}}
    again = crawl(tmp_path / "2", site.address, depth=1, known=known)
    assert again[site.address + "/"].unchanged
    assert again[site.address + "/"].body is None
    assert again[site.address + "/a"].body is not None


def test_pages_that_ask_not_to_be_indexed_and_large_ones_are_not_taken(site: Site, tmp_path: Path) -> None:
    site.answers |= {
        "/": page("home", "/hidden", "/huge"),
        "/hidden": page("hidden", "/behind", head='<meta name="ROBOTS" content="noindex, nofollow">'),
        "/huge": Answer(b"x" * (2**20 + 1), headers={"Content-Type": "text/plain"}),
    }
    found = crawl(tmp_path, site.address, depth=3)
    assert found[site.address + "/hidden"].skipped
    assert found[site.address + "/hidden"].body is None
    assert found[site.address + "/huge"].body is None
    assert "cannot be fetched" in found[site.address + "/huge"].problem
    assert site.address + "/behind" not in found


def test_no_more_pages_than_asked_for(site: Site, tmp_path: Path) -> None:
    site.answers |= {"/": page("home", *(f"/{n}" for n in range(9)))} | {f"/{n}": page(str(n)) for n in range(9)}
    assert len(crawl(tmp_path, site.address, depth=1, max_web_pages=4)) == 4


def test_private_addresses_are_refused_by_number_and_by_name(site: Site, tmp_path: Path) -> None:
    port = site.address.rpartition(":")[2]
    urls = [site.address + "/", f"http://localhost:{port}/", f"http://2130706433:{port}/", f"http://[::1]:{port}/"]
    found = crawl(tmp_path, *urls, allow_private=False)
    assert len(found) == 4
    assert all("private address" in one.problem or "cannot be fetched" in one.problem for one in found.values())
    assert "give --allow-private" in found[site.address + "/"].problem
    assert site.asked == []


def test_a_redirect_into_the_private_network_is_refused(tmp_path: Path) -> None:
    with running("127.0.0.2") as outside, running("127.0.0.1") as inside:
        inside.answers["/admin"] = page("admin")
        outside.answers["/"] = Answer(status=302, headers={"Location": inside.address + "/admin"})
        outside.answers["/refresh"] = page(
            "x", head=f'<meta http-equiv="refresh" content="0;url={inside.address}/admin">'
        )
        outside.answers["/file"] = Answer(status=302, headers={"Location": "file:///etc/passwd"})
        urls = [outside.address + path for path in ("/", "/refresh", "/file")]
        found = crawl(tmp_path, *urls, allow_private=False, allow_networks=("127.0.0.2/32",))
        assert inside.asked == []
        assert "127.0.0.1 is a private address" in found[outside.address + "/"].problem
        assert [one.url for one in found.values() if one.body] == []
        assert {"/", "/refresh", "/file"} <= set(outside.paths())


def test_every_connection_is_looked_at_by_its_address_alone() -> None:
    """So a name that is looked up twice, with two answers, gains nothing."""
    from luthier.sources.crawl import Refused, guard

    made = []

    class Reactor:
        def connectTCP(self, host: str, port: int, *_: object) -> None:  # noqa: N802
            made.append(host)

    reactor = Reactor()
    guard(reactor, {"allow_private": False, "allow_networks": []})
    reactor.connectTCP("8.8.8.8", 80)
    for host in ("127.0.0.1", "169.254.169.254", "localhost", "example.com", "::ffff:10.0.0.1"):
        with pytest.raises(Refused, match=r"private address|is a name"):
            reactor.connectTCP(host, 80)
    assert made == ["8.8.8.8"]


@pytest.mark.parametrize(
    "host",
    [
        *(
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "::1",
            "::",
        ),
        *(
            "224.0.0.1",
            "255.255.255.255",
            "fe80::1%eth0",
            "fd00::1",
            "::ffff:127.0.0.1",
            "64:ff9b::10.0.0.1",
            "ff02::1",
        ),
        "2002:7f00:1::",
    ],
)
def test_private_addresses(host: str) -> None:
    assert "private" in refusal(host)
    assert refusal(host, allow_private=True) == ""


def test_public_addresses_and_named_networks() -> None:
    assert [refusal(host) for host in ("93.184.216.34", "2606:2800:220:1::1", "64:ff9b::8.8.8.8")] == [""] * 3
    assert refusal("::ffff:8.8.8.8") == ""
    assert refusal("10.1.2.3", networks=["10.1.0.0/16"]) == ""
    assert refusal("10.2.2.3", networks=["10.1.0.0/16"]) != ""


def test_a_crawl_that_was_stopped_goes_on_where_it_was(site: Site, tmp_path: Path) -> None:
    site.answers |= {"/": page("home", "/1")} | {f"/{n}": page(str(n), f"/{min(n + 1, 5)}") for n in range(1, 6)}
    chosen = {"depth": 9, "delay_s": 0.05}
    with pytest.raises(Interrupted, match="what was fetched so far is kept"):
        crawl(tmp_path, site.address, stop=lambda: "/2" in site.paths(), **chosen)
    told = [json.loads(line) for line in (tmp_path / FOLDER / LOG).read_text().splitlines()][1:]
    assert told
    site.asked.clear()
    found = crawl(tmp_path, site.address, **chosen)
    assert {url.removeprefix(site.address) for url in found} == {"/", "/1", "/2", "/3", "/4", "/5"}
    assert "/" not in site.paths()
    site.asked.clear()
    assert len(crawl(tmp_path, site.address, **chosen)) == 6, "a crawl that is done is not made again"
    assert site.asked == []
