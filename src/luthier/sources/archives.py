"""Zip: members are looked at before anything is unpacked, and read into memory one at a time; nothing is written."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import PurePosixPath

from luthier.sources.raw import UnreadableError

MOST_MEMBERS = 10_000
MOST_BYTES = 2**30
MEMBER_BYTES = 512 * 2**20
MOST_TIMES, MOST_TIMES_FROM = 200, 2**20
"""How much larger than packed a member may be; small ones may be what they like. Text packs to a third, to a twentieth
where it repeats itself; zeros to a thousandth."""
DEEPEST = 3
SEPARATOR = "!/"


def open_zip(data: bytes) -> zipfile.ZipFile:
    """Returns an archive whose members have been looked at. `UnreadableError` where it is damaged or a bomb."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, ValueError, OverflowError, NotImplementedError) as error:
        raise UnreadableError(f"is not a zip archive that can be read: {error}") from None
    members = archive.infolist()
    if len(members) > MOST_MEMBERS:
        raise UnreadableError(f"holds {len(members):,} members, more than {MOST_MEMBERS:,}", remedy="unpack it")
    if (total := sum(member.file_size for member in members)) > MOST_BYTES:
        raise UnreadableError(f"unpacks to {total:,} bytes, more than {MOST_BYTES:,}", remedy="unpack it")
    for member in members:
        if why := _bomb(member):
            raise UnreadableError(f"its member {member.filename!r} {why}", remedy="look at it before you unpack it")
    if overlapping(members):
        raise UnreadableError("its members overlap, as those of a zip bomb do")
    return archive


def overlapping(members: list[zipfile.ZipInfo]) -> bool:
    """Returns whether two members share bytes of the archive."""
    places = sorted((member.header_offset, member.compress_size) for member in members)
    return any(start + size > following for (start, size), (following, _) in pairwise(places))


def member_names(archive: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    """Yields (name, "") of each member that is a file to read, or (name, why not); rubbish of systems is left out."""
    seen = set()
    for member in archive.infolist():
        path = PurePosixPath(member.filename.replace("\\", "/"))
        hidden = any(part.startswith(".") and part not in (".", "..") for part in path.parts)
        if member.is_dir() or "__MACOSX" in path.parts or hidden:
            continue
        if path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
            yield member.filename, "its name leads out of the archive"
        elif member.filename in seen:
            yield member.filename, "another member has the same name"
        else:
            yield member.filename, ""
        seen.add(member.filename)


def read_member(archive: zipfile.ZipFile, name: str, password: str = "") -> bytes:
    """Returns the bytes of a member, never more than it says it has."""
    try:
        with archive.open(name, pwd=password.encode() or None) as member:
            return member.read(MEMBER_BYTES + 1)[:MEMBER_BYTES]
    except KeyError:
        raise UnreadableError(f"holds no member {name!r}") from None
    except (RuntimeError, NotImplementedError) as error:  # zipfile's for passwords, of which the latter is a kind
        if isinstance(error, NotImplementedError):
            problem = f"is packed or encrypted in a way that is not read ({error})"
            raise UnreadableError(problem, remedy="unpack it") from None
        remedy = "give another --password" if password else "give its --password"
        raise UnreadableError(f"is encrypted ({error})" if password else "is encrypted", remedy=remedy) from None
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
        raise UnreadableError(f"is damaged: {error}") from None


def _bomb(member: zipfile.ZipInfo) -> str:
    if member.file_size > MEMBER_BYTES:
        return f"unpacks to {member.file_size:,} bytes, more than {MEMBER_BYTES:,}"
    if member.file_size > max(MOST_TIMES * member.compress_size, MOST_TIMES_FROM):
        return f"unpacks to {member.file_size // max(member.compress_size, 1):,} times its size"
    return ""
