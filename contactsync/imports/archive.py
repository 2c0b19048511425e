"""A table that was uploaded in a zip or gzip file. It is unpacked beside, within limits; names in it are never paths."""

from __future__ import annotations

import io
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import IO, BinaryIO, cast

from django.conf import settings
from django.utils.translation import gettext_noop

from contactsync.imports.errors import UnreadableFile
from contactsync.text import printable

BLOCK = 256 * 1024
#: nobody zips this many files by mistake, and a list of millions would fill the memory
LONGEST_LIST = 1024 * 1024
SHOWN_NAMES = 5
#: every workbook has one of these members
_WORKBOOK = frozenset({"[Content_Types].xml", "mimetype", "content.xml", "xl/workbook.xml"})
METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_ENCRYPTED = 0x1
_ZIP, _END, _END64, _LOCATOR64 = b"PK\x03\x04", b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"
_LONGEST_END = 65_535 + 22  # with its comment
_GZIP, _GZIP_FORMAT = b"\x1f\x8b", 31  # the latter for zlib: with the header and the check sum of gzip
_TAR, _TAR_AT = b"ustar", 257
#: a gzip file may be several in a row, which some programs make; a file of empty ones would keep us busy for hours
MOST_MEMBERS = 20_000
#: what the standard library raises at a damaged file; the last two at places before its beginning
DAMAGES = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError,
)  # fmt: skip

BROKEN_ZIP = gettext_noop("The zip file is damaged and cannot be unpacked. Zip the table again, or upload it as it is.")
NOTHING_ZIPPED = gettext_noop("The zip file holds no file. Zip the table again, or upload it as it is.")
SEVERAL_ZIPPED = gettext_noop(
    "The zip file holds %(count)s files (%(names)s), and it is not clear which to take. Unpack it and upload one of them."
)
NUMBERS = gettext_noop(
    "This is a document of Numbers, which cannot be read here. In Numbers choose File, Export To, Excel, and upload that."
)
ZIP_IN_ZIP = gettext_noop("The zip file holds another zip file (%(name)s). Unpack it and upload the table in it.")
LOCKED_ZIP = gettext_noop("The zip file is protected with a password. Unpack it and upload the table in it.")
ODD_ZIP = gettext_noop(
    "The zip file is packed in a way that cannot be read here. Unpack it and upload the table in it."
)
LARGE_ZIP = gettext_noop(
    "“%(name)s” in the zip file unpacks to more than %(limit)s MB. Split it, and upload the parts one after the other."
)
BROKEN_GZIP = gettext_noop(
    "The gzip file is damaged or not whole and cannot be unpacked. Pack the table again, or upload it as it is."
)
PACKED_IN_GZIP = gettext_noop("The gzip file holds another packed file. Unpack it and upload the table in it.")
LARGE_GZIP = gettext_noop(
    "The gzip file unpacks to more than %(limit)s MB. Split the table, and upload the parts one after the other."
)


@contextmanager
def unpacked(file: BinaryIO, name: str) -> Iterator[tuple[BinaryIO, str]]:
    """The one table in a zip or gzip file, unpacked, and a name for it; any other file as it is. Raises `UnreadableFile`."""
    if _is_gzip(file):
        with tempfile.TemporaryFile() as table:
            _gunzip(file, table)
            yield cast(BinaryIO, table), f"{name}/{_unzipped_name(name)}"
        return
    if not _is_archive(file, claimed=name.lower().endswith(".zip")):
        yield file, name
        return
    with zipfile.ZipFile(file) as archive, tempfile.TemporaryFile() as table:
        member = _the_only(archive)
        try:
            _unpack(archive, member, table)
        except DAMAGES as error:
            raise UnreadableFile(BROKEN_ZIP) from error
        yield cast(BinaryIO, table), f"{name}/{_shown(member)}"


def _is_archive(file: IO[bytes], *, claimed: bool) -> bool:
    """A zip file that is no workbook. What is damaged and not called a zip file is left to the reader of workbooks."""
    file.seek(0)
    if not file.read(4).startswith((_ZIP, _END)):
        return False
    try:
        refuse_long_lists(file)
        with zipfile.ZipFile(file) as archive:
            return not _WORKBOOK & set(archive.namelist())
    except DAMAGES as error:
        if claimed:
            raise UnreadableFile(BROKEN_ZIP) from error
        return False


def _the_only(archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    """The one file in the archive, beside what systems and open programs add."""
    if any(member.filename.startswith("Index/") and member.filename.endswith(".iwa") for member in archive.infolist()):
        raise UnreadableFile(NUMBERS)
    members = [member for member in archive.infolist() if member.filename and not _is_no_table(member)]
    if not members:
        raise UnreadableFile(NOTHING_ZIPPED)
    if len(members) > 1:
        names = ", ".join(_shown(member) for member in members[:SHOWN_NAMES])
        more = " …" if len(members) > SHOWN_NAMES else ""
        raise UnreadableFile(SEVERAL_ZIPPED, count=len(members), names=names + more)
    return members[0]


def _is_no_table(member: zipfile.ZipInfo) -> bool:
    path = PurePosixPath(member.filename)
    is_left_by_a_program = path.name.startswith((".", "~$")) or path.name in {"Thumbs.db", "desktop.ini"}
    return member.is_dir() or "__MACOSX" in path.parts or is_left_by_a_program


def _shown(member: zipfile.ZipInfo) -> str:
    return printable(PurePosixPath(member.filename.replace("\\", "/")).name)[-60:]


def _unpack(archive: zipfile.ZipFile, member: zipfile.ZipInfo, table: IO[bytes]) -> None:
    """Write the member into `table`. What it says of its size is checked first, what comes out of it all the same."""
    limit = settings.IMPORT_MAX_MB * 1024 * 1024
    too_large = UnreadableFile(LARGE_ZIP, name=_shown(member), limit=settings.IMPORT_MAX_MB)
    if member.flag_bits & _ENCRYPTED:
        raise UnreadableFile(LOCKED_ZIP)
    if member.compress_type not in METHODS:
        raise UnreadableFile(ODD_ZIP)
    if member.file_size > limit:
        raise too_large
    with archive.open(member) as part:
        while block := part.read(BLOCK):
            table.write(block)
            if table.tell() > limit:
                raise too_large
    if _is_archive(table, claimed=True):
        raise UnreadableFile(ZIP_IN_ZIP, name=_shown(member))
    table.seek(0)


def _is_gzip(file: IO[bytes]) -> bool:
    file.seek(0)
    return file.read(2) == _GZIP


def _unzipped_name(name: str) -> str:
    stem, _dot, ending = name.rpartition(".")
    return stem if stem and ending.lower() in {"gz", "gzip"} else name


def _gunzip(file: IO[bytes], table: IO[bytes]) -> None:
    """Write what is in the gzip file into `table`, one member after the other, never more than the limit."""
    limit = settings.IMPORT_MAX_MB * 1024 * 1024
    file.seek(0)
    member, members, rest = zlib.decompressobj(_GZIP_FORMAT), 1, b""
    try:
        while block := rest or file.read(BLOCK):
            if member.eof:
                if not block.strip(b"\0"):  # what fills up a block at the end
                    rest = b""
                    continue
                members += 1
                member = zlib.decompressobj(_GZIP_FORMAT)
            table.write(member.decompress(block, BLOCK))
            if table.tell() > limit:
                raise UnreadableFile(LARGE_GZIP, limit=settings.IMPORT_MAX_MB)
            if members > MOST_MEMBERS:
                raise UnreadableFile(BROKEN_GZIP)
            rest = member.unconsumed_tail or member.unused_data
        table.write(member.flush())
    except zlib.error as error:
        raise UnreadableFile(BROKEN_GZIP) from error
    if not member.eof:
        raise UnreadableFile(BROKEN_GZIP)
    table.seek(_TAR_AT)
    if table.read(len(_TAR)) == _TAR or _is_gzip(table) or _is_archive(table, claimed=True):
        raise UnreadableFile(PACKED_IN_GZIP)
    table.seek(0)


def refuse_long_lists(file: IO[bytes]) -> None:
    """Python keeps half a kilobyte for each name in the list of a zip file, before anybody can count them."""
    start = max(0, file.seek(0, io.SEEK_END) - _LONGEST_END)
    file.seek(start)
    tail = file.read()
    end = len(tail) - 22 if tail[-22:-18] == _END and tail.endswith(b"\0\0") else tail.rfind(_END)
    if end < 0:
        raise zipfile.BadZipFile
    size = int.from_bytes(tail[end + 12 : end + 16], "little")
    if end >= 76 and tail[end - 20 : end - 16] == _LOCATOR64 and tail[end - 76 : end - 72] == _END64:
        size = int.from_bytes(tail[end - 36 : end - 28], "little")
    if size > LONGEST_LIST:
        raise UnreadableFile(ODD_ZIP)
