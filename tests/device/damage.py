# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Flip a bit of what a kernel hands over, in the machine's memory, while no kernel runs."""
import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "format"))
# pylint: disable=wrong-import-position
import reader

PAGE = 4096


class _Segment(reader.Segment):
    """In memory: where each of its bytes is"""

    def __init__(self, memory, ref):  # pylint: disable=super-init-not-called
        edge, (self.used,) = reader.Edge(ref[:24]), struct.unpack("<Q", ref[24:])
        self.addr = 0
        if edge.kind == "VMALLOC":
            self.pages = list(self._vmalloc(memory, edge.addr))
        else:
            self.pages = [edge.addr + at for at in range(0, edge.size, PAGE)]
        self.data = b"".join(bytes(memory[at:at + PAGE]) for at in self.pages)[:self.used]

    @staticmethod
    def _vmalloc(memory, chunk):
        while chunk:
            chunk, *pages = struct.unpack("<512Q", memory[chunk:chunk + PAGE])
            for page in pages:
                if not page:
                    break
                yield page


def _headers(memory):
    """Where sets are, in the form that kernels use"""
    at = -1
    while True:
        at = memory.find(reader.MAGIC, at + 1)
        if at < 0:
            return
        crc, size, version, flags = struct.unpack_from("<IIII", memory, at + 8)
        if at % PAGE == 0 and version == 1 and not flags and size <= reader.MAX_HEADER and \
                reader.crc32c(bytes(memory[at:at + 8]) + bytes(4) + bytes(memory[at + 12:at + size])) == crc:
            yield at


def _records(memory, header):
    """Each with the name of its state, and its segment"""
    schemas, streams = {}, []
    for record in _Segment(memory, memory[header + 128:header + 160]).records(lambda at, what: None):
        record.verify(key_is_crc=False)
        if record.schema == reader.SCHEMA_RECORD:
            schemas[record.key] = reader.Schema(record.key, record.payload, schemas)
        elif record.schema == reader.STREAM_RECORD:
            streams += (record.payload[at:at + 32] for at in range(0, len(record.payload), 32))
    for ref in streams:
        segment = _Segment(memory, ref)
        for record in segment.records(lambda at, what: None):
            if not record.dropped:
                yield schemas[record.schema].name, segment, record


def flip(memory, state):
    """Damage all records of that state. Returns how many there were."""
    count = 0
    for header in list(_headers(memory)):
        for name, segment, record in _records(memory, header):
            if name == state and record.size:
                at = record.offset + 32 + record.size // 2
                memory[segment.pages[at // PAGE] + at % PAGE] ^= 0x10
                count += 1
    return count
