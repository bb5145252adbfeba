"""Shards: zip files of about a thousand images, each of which is read at its offset.

An address is the zip's path and the member's name, ``FOLDER/00000.zip/000012.jpg``. Members must be stored, not
compressed: JPEG and PNG do not get smaller, and a stored member needs only one read.
"""

import os
import struct
import zipfile
import zlib
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np

_MARK = '.zip/'
_MAX_OPEN = 32
_LOCAL_HEADER = 30  # bytes before the name that a zip repeats in front of each member
_SLACK = 64  # more bytes to read, for the extra field that some programs write


def is_shard_address(path: str) -> bool:
    """Whether a path names a member of a shard."""
    return _MARK in path and not os.path.isdir(split_address(path)[0])


def split_address(path: str) -> tuple[str, str]:
    """Split an address into the zip's path and the member's name."""
    shard, _, member = path.rpartition(_MARK)
    return f'{shard}{_MARK[:-1]}', member


@dataclass(frozen=True)
class _Index:
    """The members of a shard: sorted names as bytes, offsets, sizes and checksums.

    Arrays take a tenth of the memory of ``zipfile``; a process may read thousands of shards.
    """

    stamp: tuple[int, int]
    names: np.ndarray
    offsets: np.ndarray
    sizes: np.ndarray
    checksums: np.ndarray


class ShardReader:
    """Reads members of many shards in any order, and keeps their indices and up to ``max_open`` open files.

    Files are read at offsets, without a position that a forked process would share.
    """

    def __init__(self, max_open: int = _MAX_OPEN) -> None:
        self.max_open = max_open
        self._files: OrderedDict[str, int] = OrderedDict()
        self._indices: dict[str, _Index] = {}

    def read(self, shard: str, member: str, optional: bool = False) -> bytes | None:
        """Return a member's bytes, or None if it is ``optional`` and missing.

        Raises OSError, or ValueError if the shard is no whole zip file, or the member missing, compressed or damaged.
        """
        file = self._open(shard)
        index = self._indices[shard]
        name = member.encode()
        at = int(np.searchsorted(index.names, name))
        if at == len(index.names) or index.names[at] != name:
            if optional:
                return None
            raise ValueError(f'the shard has no member {member!r}')
        size = int(index.sizes[at])
        block = os.pread(file, _LOCAL_HEADER + len(name) + _SLACK + size, int(index.offsets[at]))
        start = _LOCAL_HEADER + sum(struct.unpack('<HH', block[26:_LOCAL_HEADER].ljust(4, b'\0')))
        data = block[start : start + size]
        if len(data) < size:  # the extra field is longer than the slack, or the file was cut after it was indexed
            data = os.pread(file, size, int(index.offsets[at]) + start)
        if zlib.crc32(data) != index.checksums[at]:
            raise ValueError(f'member {member!r} of the shard is damaged: its checksum differs')
        return data

    def close(self) -> None:
        """Close all files. The reader can be used again."""
        while self._files:
            os.close(self._files.popitem()[1])

    def _open(self, shard: str) -> int:
        if shard in self._files:
            self._files.move_to_end(shard)
            return self._files[shard]
        file = os.open(shard, os.O_RDONLY)
        try:
            about = os.fstat(file)
            stamp = (about.st_mtime_ns, about.st_size)
            if shard not in self._indices or self._indices[shard].stamp != stamp:
                self._indices[shard] = _read_index(file, stamp)
        except BaseException:
            os.close(file)
            raise
        while len(self._files) >= self.max_open:
            os.close(self._files.popitem(last=False)[1])
        self._files[shard] = file
        return file


def _read_index(file: int, stamp: tuple[int, int]) -> _Index:
    try:
        with os.fdopen(os.dup(file), 'rb') as stream, zipfile.ZipFile(stream) as content:
            members = sorted(content.infolist(), key=lambda m: m.filename.encode())
    except zipfile.BadZipFile as error:
        raise ValueError(f'expected a complete zip file, got a damaged one ({error})') from error
    for member in members:
        if member.compress_type != zipfile.ZIP_STORED:
            raise ValueError(
                f'expected a shard with stored members, got one with {member.filename!r} compressed: '
                'unpack it and pack it again with "zip -0"'
            )
    names = np.array([m.filename.encode() for m in members], dtype=bytes)
    numbers = np.array([(m.header_offset, m.file_size, m.CRC) for m in members], np.int64).reshape(-1, 3)
    return _Index(stamp, names, *numbers.T.copy())


SHARDS = ShardReader()
"""The reader of this process."""
