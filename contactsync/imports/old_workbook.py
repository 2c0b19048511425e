"""How far the sheets of an old workbook (.xls) reach: a container with sectors and chains like an old disk, and records in it."""

from __future__ import annotations

import io
import struct
from array import array
from collections.abc import Iterator, Sequence
from typing import BinaryIO

ENDLESS = 2**64
_NAMES = ("workbook", "book")
_MINI, _SMALL = 64, 4096
#: numbers of sectors from here on mean something else
_RESERVED = 0xFFFFFFFA
_NEW_PART, _DIMENSIONS, _MANY_NUMBERS, _ENCRYPTED = 0x0809, 0x0200, 0x00BD, 0x002F
#: records of one cell, and of several beside each other; row and column come first in each
_CELLS = frozenset({1, 2, 3, 4, 5, 6, 0xBD, 0xBE, 0xD6, 0xFD, 0x201, 0x203, 0x204, 0x205, 0x206, 0x27E, 0x406})


class Encrypted(ValueError):
    """A password protects the workbook: from here on its records can be counted, but not read."""


def corners(file: BinaryIO) -> Iterator[tuple[int, int, int]]:
    """Last row and last column of a sheet, and the cells of all sheets up to there, as far as they are read; also what a sheet
    says of itself, for the reader believes it; nowhere and `ENDLESS` when that ends before it begins. Raises `ValueError` and `struct.error` for what is no such file."""
    for stream in _streams(file):
        earlier = row = column = 0
        for kind, data in _records(stream):
            if kind == _NEW_PART:
                earlier += row * column
                row = column = 0
            elif kind == _ENCRYPTED:
                raise Encrypted
            elif kind == _DIMENSIONS and len(data) >= 8:
                top, bottom, left, right = struct.unpack_from("<IIHH" if len(data) >= 14 else "<HHHH", data)
                is_possible = top <= bottom and left <= right
                yield (bottom, right, (bottom - top) * (right - left)) if is_possible else (0, 0, ENDLESS)
            elif kind in _CELLS and len(data) >= 4:
                down, right = struct.unpack_from("<HH", data)
                beside = (len(data) - 6) // 6 if kind == _MANY_NUMBERS else 1
                if down >= row or right + beside > column:
                    row, column = max(row, down + 1), max(column, right + beside)
                    yield row, column, earlier + row * column


def _records(stream: bytes) -> Iterator[tuple[int, bytes]]:
    place = 0
    while place + 4 <= len(stream):
        kind, length = struct.unpack_from("<HH", stream, place)
        yield kind, stream[place + 4 : place + 4 + length]
        place += 4 + length


def _streams(file: BinaryIO) -> Iterator[bytes]:
    """What the workbook is kept in, under any of the names that it may have: found as the reader finds it."""
    file.seek(0)
    head = file.read(512)
    shift, directory, minis = struct.unpack_from("<30xH16xI8xI", head)
    if not 9 <= shift <= 12:
        raise ValueError("No container.")
    size = 1 << shift
    table = _table(file, head, size)
    entries = _chain(file, table, directory, size)
    found = [_entry(entries[place : place + 128]) for place in range(0, len(entries) - 127, 128)]
    for name, start, length in found:
        if name not in _NAMES:
            continue
        if length >= _SMALL:
            yield _chain(file, table, start, size)[:length]
        else:
            _root, first, _length = found[0]
            small, pieces = _chain(file, table, first, size), array("I", _chain(file, table, minis, size))
            places = _places(pieces, start)
            yield b"".join(small[place * _MINI : (place + 1) * _MINI] for place in places)[:length]


def _entry(data: bytes) -> tuple[str, int, int]:
    name_length, start, length = struct.unpack_from("<64xH50xII", data)
    return data[: min(max(name_length - 2, 0), 64)].decode("utf-16-le", "replace").lower(), start, length


def _table(file: BinaryIO, head: bytes, size: int) -> array[int]:
    """Which sector follows on each."""
    (more,) = struct.unpack_from("<68xI", head)
    sectors = list(struct.unpack_from("<76x109I", head))
    most = file.seek(0, io.SEEK_END) // size
    while more < _RESERVED and len(sectors) < most + 128:
        listed = struct.unpack(f"<{size // 4}I", _sectors(file, more, 1, size))
        sectors += listed[:-1]
        more = listed[-1]
    table = array("I")
    for sector in sectors[: most + 128]:
        if sector < _RESERVED:
            table.frombytes(_sectors(file, sector, 1, size))
    return table


def _chain(file: BinaryIO, table: Sequence[int], start: int, size: int) -> bytes:
    """The sectors of a chain; those that lie beside each other are read at once."""
    pieces, first, length = [], start, 0
    for place in _places(table, start):
        if place != first + length:
            pieces.append(_sectors(file, first, length, size))
            first, length = place, 0
        length += 1
    pieces.append(_sectors(file, first, length, size))
    return b"".join(pieces)


def _places(table: Sequence[int], start: int) -> Iterator[int]:
    for _ in range(len(table)):
        if start >= len(table):
            return
        yield start
        start = table[start]
    raise ValueError("A chain without an end.")


def _sectors(file: BinaryIO, first: int, count: int, size: int) -> bytes:
    file.seek((first + 1) * size)
    return file.read(count * size)
