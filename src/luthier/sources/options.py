"""Options of collecting: how files are read and cleaned, how sites are crawled."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field, field_validator

from luthier.config import Options, Outside, TrustFlag

PersonalKind = Literal["all", "email", "phone", "iban", "card", "ip", "key"]


class ReadOptions(Options):
    """How files are read."""

    title = "Reading"
    password: str | None = Field(None, description="opens encrypted PDFs and members of zip archives")
    ocr: str | None = Field(None, description="reader of pictures and of pages without text: tesseract, or a plug-in's")
    main_text: bool = Field(True, description="take the article of web pages, without menus and the like")
    max_pages: int = Field(5000, ge=1, description="pages that a PDF may have")
    max_file_mb: int = Field(500, ge=1, description="megabytes that a file may have")
    timeout_s: float = Field(120.0, gt=0, le=86400, description="seconds that reading one file may take")
    memory_mb: int = Field(2048, ge=512, description="megabytes of memory that reading one file may take")
    processes: int = Field(0, ge=0, le=64, description="files that are read at once; 0 leaves one core free")

    hints: ClassVar[Mapping[str, str]] = {
        "workers": "write processes",
        "jobs": "write processes",
        "timeout": "write timeout_s",
    }


class PrepareOptions(Options):
    """What is done with the text."""

    title = "Preparing"
    running_lines: Literal["remove", "keep"] = Field(
        "remove", description="lines that page after page has at its top or bottom, page numbers among them"
    )
    redact: tuple[PersonalKind, ...] = Field(
        (), description="personal data to replace by placeholders; it is found and counted in any case"
    )
    duplicates: Literal["keep", "drop-exact", "drop-near"] = Field(
        "drop-exact", description="documents to leave out that repeat an earlier one; all are found and told"
    )
    licence: str | None = Field(None, description="licence of the documents that do not name theirs")


class WebOptions(Options):
    """How web sites are crawled; robots.txt is always obeyed."""

    title = "Web"
    depth: int = Field(0, ge=0, le=50, description="how many links to follow from each URL, within its site")
    sitemaps: bool = Field(False, description="take the pages that the site's sitemaps name, too")
    max_web_pages: int = Field(1000, ge=1, description="pages of the web to fetch at most")
    delay_s: float = Field(1.0, ge=0, le=600, description="seconds between two requests to one host")
    include: tuple[str, ...] = Field(
        (), description="regular expressions: follow only URLs that one of them is found in"
    )
    exclude: tuple[str, ...] = Field((), description="regular expressions: follow no URL that one of them is found in")
    user_agent: str = Field("luthier", min_length=1, description="what the crawler calls itself, robots.txt included")
    allow_private: TrustFlag = Field(
        False, description="fetch from private addresses, too: this machine and its network"
    )
    allow_networks: tuple[Annotated[str, Outside("trust")], ...] = Field(
        (), description="private networks that may be fetched from: 10.1.0.0/16"
    )

    hints: ClassVar[Mapping[str, str]] = {"max_depth": "write depth", "allow_localhost": "write allow_private"}

    @field_validator("include", "exclude")
    @classmethod
    def _are_patterns(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in patterns:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"{pattern!r} is not a regular expression: {error}") from None
        return patterns

    @field_validator("allow_networks")
    @classmethod
    def _are_networks(cls, networks: tuple[str, ...]) -> tuple[str, ...]:
        for network in networks:
            ipaddress.ip_network(network)  # its ValueError says what is wrong
        return networks
