# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Golden streams that are changed, with checksums and hashes that are right again."""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
GOLDEN = f"{TOP}/tests/format/golden"

sys.dont_write_bytecode = True
sys.path.insert(0, f"{TOP}/tests/format")
import reader  # noqa: E402


def load(name):
    with open(f"{GOLDEN}/{name}.kstate", "rb") as file:
        return bytearray(file.read())


def put(data, old, new):
    """Put other bytes wherever these are."""
    assert len(old) == len(new) and old in data
    while old in data:
        at = data.index(old)
        data[at:at + len(new)] = new


def seal_record(data, at):
    size = int.from_bytes(data[at + 16:at + 20], "little")
    data[at + 4:at + 8] = reader.crc32c(bytes(data[at + 32:at + 32 + size])).to_bytes(4, "little")
    data[at:at + 4] = reader.crc32c(bytes(data[at + 4:at + 32])).to_bytes(4, "little")


def schema_hash(payload, number, schemas):
    """The hash that a schema has to have: the second reader computes it."""
    computed = []
    before = reader.fnv1a
    reader.fnv1a = lambda canonical: computed.append(before(canonical)) or computed[-1]
    try:
        reader.Schema(number, payload, schemas)
    except reader.Damage:
        pass
    reader.fnv1a = before
    return computed[-1]


def seal(data):
    """Make all checksums and hashes right again."""
    schemas, at = {}, 160
    while at < len(data):
        size = int.from_bytes(data[at + 16:at + 20], "little")
        if data[at + 20:at + 24] == b"\xff\xff\xff\xff":
            number = int.from_bytes(data[at + 8:at + 16], "little")
            there = bytes(data[at + 32:at + 32 + size])
            data[at + 32:at + 40] = schema_hash(there, number, schemas).to_bytes(8, "little")
            schemas[number] = reader.Schema(number, bytes(data[at + 32:at + 32 + size]), schemas)
        key_len = int.from_bytes(data[at + 28:at + 30], "little")
        if key_len and data[at + 20:at + 24] != b"\xfe\xff\xff\xff":
            key = reader.crc32c(bytes(data[at + 32:at + 32 + key_len]))
            data[at + 8:at + 16] = key.to_bytes(8, "little")
        seal_record(data, at)
        at += 32 + size
    data[8:12] = bytes(4)
    data[8:12] = reader.crc32c(bytes(data[:160])).to_bytes(4, "little")
    return bytes(data)
