#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The second reader of the KSTATE wire format.

It was written from Documentation/core-api/kstate/format.rst alone and shares
nothing with the kernel's code, so that it can tell whether the one does what
the other says. It reads the file form, checks all that a reader has to check,
and prints what it found as JSON.
"""

import argparse
import functools
import json
import struct
import sys
import uuid

MAGIC = b"KSTATE\x1a\n"
HEADER_SIZE, MAX_HEADER = 160, 4096
SCHEMA_RECORD, STREAM_RECORD, STATE_RECORD = 0xffffffff, 0xfffffffe, 0xfffffffd
RECORD_OPTIONAL, RECORD_DROPPED = 1, 2
NO_REF = NO_FIELD = 0xffffffff
NULL_ADDRESS = 2**64 - 1

MAX_NAME, MAX_FIELDS, MAX_HINTS, MAX_DEPTH, MAX_GROUPS = 127, 1024, 4096, 8, 8
MAX_SCHEMAS, MAX_FIXED, MAX_RECORD, MAX_COUNT, MAX_TREE = 65536, 2**24, 2**30, 2**24, 65536
MAX_FOLIOS = 2**30 // 24

# What can stand in the field flags: DEFAULT, HOOK, IGNORABLE, CONVERT, RANGE, MASK, EQUAL
FIELD_FLAGS = 0x7f

TYPES = {
    0x01: "U8", 0x02: "U16", 0x04: "U32", 0x08: "U64",
    0x11: "S8", 0x12: "S16", 0x14: "S32", 0x18: "S64",
    0x21: "BOOL", 0x31: "CHAR", 0x40: "STRUCT", 0x48: "LINEAR", 0x58: "VMEMMAP",
    0x61: "FOLIO", 0x62: "PAGES", 0x63: "VMALLOC",
    0x70: "BITMAP", 0x80: "UNION", 0x90: "ITEMS", 0x98: "FOLIOS",
    0xa0: "ALIAS", 0xb0: "ARM", 0xc0: "REMOVED",
}
CONTAINERS = ["ONE", "ARRAY", "OPTIONAL", "SEQUENCE", "POINTERS", "MAP"]
INTEGERS = {"U8": "<B", "U16": "<H", "U32": "<I", "U64": "<Q",
            "S8": "<b", "S16": "<h", "S32": "<i", "S64": "<q"}
INTEGER_TYPES = (*INTEGERS, "BOOL", "CHAR")
SIZES = {"U8": 1, "U16": 2, "U32": 4, "U64": 8, "S8": 1, "S16": 2, "S32": 4, "S64": 8,
         "BOOL": 1, "CHAR": 1, "LINEAR": 8, "VMEMMAP": 8,
         "FOLIO": 24, "PAGES": 24, "VMALLOC": 24}
EDGES = ["NONE", "FOLIO", "PAGES", "VMALLOC", "FILE"]
FACTS = ("ALIAS", "ARM", "REMOVED")
TAILED = ("BITMAP", "UNION", "ITEMS", "FOLIOS")
RUN_BITS = 44                   # of a page frame number, and of an index
HINTS = {1: "HEX", 2: "SECRET", 3: "FLAG", 4: "ROOM", 5: "LENGTH", 6: "TEXT", 7: "ENUM",
         8: "GROUP", 9: "MAC", 10: "UUID"}
HINTS_WITHOUT_VALUE = ("HEX", "SECRET", "TEXT", "GROUP", "MAC", "UUID")
ADDRESS_BYTES = {"MAC": 6, "UUID": 16}
NAMES = ("FLAG", "ENUM")        # of which a field may have many
STATE_FLAGS = ("used", "nested", "string_key")
KINDS = {1: "BASE_TYPE", 2: "STRUCT", 3: "CUSTOM", 4: "ADDRESS", 5: "FOLIO", 6: "PAGES",
         7: "VMALLOC", 8: "STRING", 9: "BITMAP", 10: "LIST", 11: "XARRAY", 12: "UNION",
         13: "GROUP", 15: "SKIP", 17: "FOLIOS", 18: "HLIST"}


def address(kind, data):
    """Bytes as what a hint says that they are."""
    return data.hex(":") if kind == "MAC" else str(uuid.UUID(bytes=data))


class NotKstate(Exception):
    """This is no KSTATE file at all."""


class Damage(Exception):
    """What is being read cannot be used."""


def check(good, what):
    if not good:
        raise Damage(what)


def up(n, align=8):
    return (n + align - 1) // align * align


def text(data):
    return data.decode("utf-8", "surrogateescape")


def crc_table():
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82f63b78 if byte & 1 else 0)
        yield byte


CRC_TABLE = tuple(crc_table())


@functools.lru_cache(maxsize=4096)
def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc = crc >> 8 ^ CRC_TABLE[(crc ^ byte) & 0xff]
    return crc ^ 0xffffffff


@functools.lru_cache(maxsize=4096)
def fnv1a(data):
    h = 0xcbf29ce484222325
    for byte in data:
        h = (h ^ byte) * 0x100000001b3 % 2**64
    return h


# Edges, segments, records

class Edge:
    def __init__(self, data):
        (self.addr, self.size, self.pages, kind, self.order,
         self.flags) = struct.unpack("<QQIBBH", data)
        check(kind < len(EDGES), f"edge of kind {kind}")
        self.kind = EDGES[kind]
        if self.kind == "NONE":
            check(not any(data), "edge of kind NONE is not all zero")
        if self.kind != "VMALLOC":
            check(not self.pages and not self.flags, f"{self.kind} edge with pages or flags")

    def value(self, kind, page_size):
        """As a value: what a field or item of type ``kind`` holds."""
        if self.kind == "NONE":
            return None
        check(self.kind == kind, f"{self.kind} edge where {kind} belongs")
        if kind == "FOLIO":
            check(self.size == page_size << self.order, "FOLIO edge whose size is not its order's")
        if kind == "PAGES":
            check(self.size % page_size == 0 and not self.order, "PAGES edge without whole pages")
        return vars(self)


class Run:
    """Folios that are next to each other in memory and by their indices."""

    def __init__(self, data):
        place, index = struct.unpack("<QQ", data)
        check(place, "a run whose first word is 0")
        self.pfn, self.order = place % 2**RUN_BITS, place >> RUN_BITS & 0x3f
        self.flags = place >> RUN_BITS + 6
        self.index, self.count = index % 2**RUN_BITS, (index >> RUN_BITS) + 1
        last = self.count - 1 << self.order
        check((self.pfn + last) >> RUN_BITS == 0 and (self.index + last) >> RUN_BITS == 0,
              "a run that needs more than 44 bits")


class Segment:
    """A run of records in the file."""

    def __init__(self, data, ref):
        edge, (self.used,) = Edge(ref[:24]), struct.unpack("<Q", ref[24:])
        check(edge.kind == "FILE", f"segment of kind {edge.kind} in a file")
        self.addr, self.size = edge.addr, edge.size
        check(self.addr % 8 == 0, "addr of the segment is not aligned")
        check(self.used % 8 == 0 and self.used <= self.size, "used of the segment")
        check(self.addr + self.size <= len(data), "segment reaches beyond the file")
        self.data = data[self.addr:self.addr + self.used]

    def good_header(self, at):
        if len(self.data) - at < 32:
            return None
        record = Record(self, at)
        return record if record.header_good else None

    def records(self, damage):
        """All records with a good header. Tells damage(offset, what) of gaps."""
        at = 0
        while at < len(self.data):
            start, record = at, self.good_header(at)
            while not record and at < len(self.data):
                at += 8
                record = self.good_header(at)
            if at > start:
                damage(self.addr + start, f"no record header can be read in {at - start} bytes")
            if record:
                yield record
                at += 32 + record.size


class Record:
    def __init__(self, segment, at):
        (hcrc, self.pcrc, self.key, self.size, self.schema, place,
         self.key_len, self.flags) = struct.unpack_from("<IIQIIIHH", segment.data, at)
        self.offset = segment.addr + at
        self.header_good = (crc32c(segment.data[at + 4:at + 32]) == hcrc and place * 8 == at
                            and self.size % 8 == 0 and self.size <= MAX_RECORD
                            and at + 32 + self.size <= len(segment.data))
        self.data = segment.data[at + 32:at + 32 + self.size] if self.header_good else b""
        self.dropped = bool(self.flags & RECORD_DROPPED)

    def verify(self, key_is_crc):
        """Check all that does not depend on the schema, and take the key off the payload."""
        check(not self.flags & ~(RECORD_OPTIONAL | RECORD_DROPPED), "reserved flags of the record")
        if self.dropped:
            return
        check(self.key_len <= MAX_NAME and up(self.key_len) <= self.size, "length of the key")
        check(crc32c(self.data) == self.pcrc, "checksum of the payload")
        key = self.data[:self.key_len]
        check(0 not in key, "zero byte in the key")
        check(not any(self.data[self.key_len:up(self.key_len)]), "padding of the key is not zero")
        if key_is_crc and key:
            check(self.key == crc32c(key), "key is not the checksum of the string key")
        self.string = text(key) if key else None
        self.payload = self.data[up(self.key_len):]


class Strings:
    """The strings of a record of the root segment, each named by its offset."""

    def __init__(self, data):
        self.data = data
        check(data[-1:] == b"\0", "strings do not end with a zero byte")

    def at(self, at):
        check(at < len(self.data), "offset of a string")
        return self.data[at:self.data.index(b"\0", at)]

    def name(self, at, least=1):
        name = self.at(at)
        check(least <= len(name) <= MAX_NAME, "length of a name")
        return name


# Schemas

class Field:
    def __init__(self, data, name, number, schemas):
        (_, type_, container, self.flags, self.count, self.ref_number,
         self.dflt, self.min, self.max, self.mask) = struct.unpack("<IBBHIIQQQQ", data)
        self.name = text(name)
        check(type_ in TYPES, f"type {type_:#x}")
        check(container < len(CONTAINERS), f"container {container}")
        self.type, self.container = TYPES[type_], CONTAINERS[container]
        self.fact = self.type in FACTS
        self.slot = self.type in TAILED or self.container not in ("ONE", "ARRAY")
        self.arms, self.secret, self.address = [], False, None
        if self.fact or self.type in TAILED:
            check(self.container == "ONE", f"{self.type} in container {self.container}")
        check(not self.flags & ~FIELD_FLAGS, "reserved flags of the field")
        check(self.count == 1 or self.container == "ARRAY" and 1 <= self.count <= MAX_COUNT,
              f"count {self.count}")
        self.was = None
        if self.type == "REMOVED" and self.min:
            self.was = TYPES.get(self.min & 0xff), self.min >> 8
            check(self.was[0] in INTEGER_TYPES and self.was[1] <= CONTAINERS.index("ARRAY"),
                  f"a removed field that was {self.min:#x}")
        self.ref = None
        if self.type == "STRUCT" or self.type == "ARM" and self.ref_number != NO_REF:
            check(self.ref_number < number, f"ref {self.ref_number}")
            self.ref = schemas.get(self.ref_number)
            check(self.ref, f"schema {self.ref_number}, which it contains, is not there")
            check(self.ref.size, f"schema {self.ref_number}, which it contains, is empty")
        else:
            check(self.ref_number == NO_REF, "ref of a field without a schema")
        self.canonical = (name + b"\0" + data[4:12] + data[16:48] +
                          struct.pack("<Q", self.ref.hash if self.ref else 0))

        if self.slot:
            self.size = self.align = 4
        elif self.fact:
            self.size, self.align = 0, 1
        else:
            self.size = self.count * self.element_size
            self.align = self.ref.align if self.ref else min(8, self.element_size)

    @property
    def element_size(self):
        return self.ref.size if self.ref else SIZES[self.type]

    def show(self):
        shown = {"name": self.name, "type": self.type, "container": self.container,
                 "flags": self.flags, "count": self.count, "dflt": self.dflt,
                 "min": self.min, "max": self.max, "mask": self.mask}
        if self.ref:
            shown["ref"] = self.ref_number
        if self.was:
            shown["was"] = [self.was[0], CONTAINERS[self.was[1]]]
        return shown


class Schema:
    def __init__(self, number, data, schemas):
        check(len(data) >= 40, "too short for a schema")
        (self.hash, name, self.version, self.min_version, flags, self.size,
         nr_fields, nr_hints, nr_strings) = struct.unpack_from("<QIIIIIIII", data)
        self.number = number
        self.optional = bool(flags & 1)
        hints = 40 + 48 * nr_fields
        strings = hints + 16 * nr_hints
        end = strings + nr_strings
        check(nr_fields <= MAX_FIELDS, "number of fields")
        check(nr_hints <= MAX_HINTS, "number of hints")
        check(up(end) == len(data), "counts do not give the size of the payload")
        check(not any(data[end:]), "padding is not zero")
        check(not flags & ~1, "reserved flags of the schema")
        self.strings = Strings(data[strings:end])

        name = self.strings.name(name)
        self.name = text(name)
        canonical = name + b"\0" + data[12:24]
        self.fields = []
        for at in range(40, hints, 48):
            name = self.strings.name(*struct.unpack_from("<I", data, at))
            self.fields.append(Field(data[at:at + 48], name, number, schemas))
            canonical += self.fields[-1].canonical
        self.data_fields = [field for field in self.fields if not field.fact]
        self.hints = [self.hint(*struct.unpack_from("<HHIQ", data, at))
                      for at in range(hints, strings, 16)]

        self.check_facts()
        self.check_unique(self.data_fields, "field")
        single = [(hint["field"], hint["kind"]) for hint in self.hints
                  if hint["kind"] in HINTS.values() and hint["kind"] not in NAMES]
        check(len(set(single)) == len(single), "two hints of one kind for a field")
        names = [{hint["field"] for hint in self.hints if hint["kind"] == kind} for kind in NAMES]
        check(not set.intersection(*names), "names of bits and of values for a field")
        for field in self.data_fields:
            self.check_unique(field.arms, "arm")
        self.depth = 1 + max((f.ref.depth for f in self.fields if f.ref), default=0)
        check(self.depth <= MAX_DEPTH, "structs are nested too deep")
        self.tree = nr_fields + sum(f.ref.tree for f in self.fields if f.ref)
        check(self.tree <= MAX_TREE, "too many fields with those of structs inside")
        self.lay_out()
        check(fnv1a(canonical) == self.hash, "hash of the schema")

    def hint(self, field, kind, name, value):
        check(field < len(self.fields), "hint for a field that does not exist")
        kind = HINTS.get(kind, kind)
        name = self.strings.name(name, 1 if kind in NAMES else 0)
        if isinstance(kind, int):
            return {"field": field, "kind": kind}
        if kind == "SECRET":
            self.fields[field].secret = True
        if kind == "GROUP":
            check((self.fields[field].type, self.fields[field].container) ==
                  ("STRUCT", "OPTIONAL"), "a group that is no optional struct")
        if kind in ADDRESS_BYTES:
            check((self.fields[field].type, self.fields[field].container,
                   self.fields[field].count) == ("U8", "ARRAY", ADDRESS_BYTES[kind]),
                  "an address that is no array of as many bytes")
            self.fields[field].address = kind
        check(kind in NAMES or not name, "name in a hint that has none")
        check(kind not in HINTS_WITHOUT_VALUE or not value, "value in a hint that has none")
        check(kind != "LENGTH" or value <= field, "number in the member of a later field")
        return {"field": field, "kind": kind, "name": text(name), "value": value}

    def check_facts(self):
        about, before = None, None      # the field before, and what stands directly before
        for field in self.fields:
            if not field.fact:
                about = field
            elif field.type == "ALIAS":
                check(about, "alias of no field")
            elif field.type == "ARM":
                check(before and (before is about or before.type == "ARM")
                      and about.type == "UNION", "arm of no union")
                about.arms.append(field)
            before = field

    @staticmethod
    def check_unique(fields, what):
        check(len({field.name for field in fields}) == len(fields), f"two {what}s of one name")

    def lay_out(self):
        """Give each field its place and check the size."""
        end, self.align = 0, 1
        for field in self.data_fields:
            field.offset = up(end, field.align)
            end = field.offset + field.size
            self.align = max(self.align, field.align)
        check(up(end, self.align) == self.size <= MAX_FIXED, "size of the fixed part")

    def holes(self):
        """The bytes of the fixed part that are in no field, as (offset, end)."""
        at = 0
        for field in self.data_fields:
            yield at, field.offset
            at = field.offset + field.size
        yield at, self.size

    def show(self):
        return {"number": self.number, "name": self.name, "hash": f"{self.hash:016x}",
                "version": self.version, "min_version": self.min_version,
                "optional": self.optional, "size": self.size,
                "fields": [field.show() for field in self.fields], "hints": self.hints}


# States

class State:
    """What a catalogue says of a description."""

    def __init__(self, schema, data):
        check(len(data) >= 24, "too short for a state")
        flags, image, type_, nr_members, nr_strings, reserved = struct.unpack_from("<6I", data)
        strings = 24 + 32 * nr_members
        end = strings + nr_strings
        check(up(end) == len(data), "counts do not give the size of the payload")
        check(not any(data[end:]), "padding is not zero")
        check(not flags >> len(STATE_FLAGS) and not reserved, "reserved bits of the state")
        self.schema, self.flags = schema, flags
        self.strings = Strings(data[strings:end])
        self.image, self.type = self.string(image), self.string(type_)
        self.members = [self.member(*struct.unpack_from("<6IBBHI", data, at))
                        for at in range(24, strings, 32)]

    def string(self, at):
        return text(self.strings.at(at))

    def member(self, name, reason, offset, size, num, field, kind, type_, modifiers, reserved):
        check(not reserved, "reserved bytes of a member")
        check(field == NO_FIELD or field < len(self.schema.fields),
              "member that is a field which does not exist")
        check(not type_ or TYPES.get(type_) in INTEGER_TYPES, f"type {type_:#x} of a member")
        return {"name": self.string(name), "reason": self.string(reason), "offset": offset,
                "size": size, "num": num, "field": None if field == NO_FIELD else field,
                "kind": KINDS.get(kind, kind or None), "type": TYPES.get(type_),
                "modifiers": modifiers}

    def show(self):
        shown = {"schema": self.schema.number, "image": self.image, "type": self.type,
                 "members": self.members}
        for bit, flag in enumerate(STATE_FLAGS):
            shown[flag] = bool(self.flags >> bit & 1)
        return shown


# Payload

class Payload:
    """Decodes one payload. Fixed parts are decoded first, their tails after them."""

    def __init__(self, data, page_size, secrets):
        self.data, self.at = data, 0
        self.page_size, self.secrets = page_size, secrets

    def take(self, size):
        at, self.at = self.at, up(self.at + size)
        check(self.at <= len(self.data), "tail reaches beyond the end of the payload")
        check(not any(self.data[at + size:self.at]), "padding is not zero")
        return at

    def decode(self, schema):
        [value] = self.elements(schema, self.take(schema.size), 1)
        check(self.at == len(self.data), f"{len(self.data) - self.at} bytes are left over")
        return value

    def elements(self, what, at, n):
        """n elements at ``at``; what is a schema, or a field whose elements they are."""
        schema = what if isinstance(what, Schema) else what.ref
        if schema:
            values = [self.struct(schema, at + i * schema.size) for i in range(n)]
            for i, value in enumerate(values):
                self.tails(schema, at + i * schema.size, value)
            return values
        if what.type == "CHAR":
            return self.data[at:at + n]
        return [self.scalar(what.type, at + i * what.element_size) for i in range(n)]

    def scalar(self, type_, at):
        if type_ in INTEGERS:
            return struct.unpack_from(INTEGERS[type_], self.data, at)[0]
        if type_ == "BOOL":
            check(self.data[at] <= 1, f"{self.data[at]} as BOOL")
            return bool(self.data[at])
        if type_ in ("LINEAR", "VMEMMAP"):
            [value] = struct.unpack_from("<Q", self.data, at)
            return None if value == NULL_ADDRESS else value
        return Edge(self.data[at:at + 24]).value(type_, self.page_size)

    def struct(self, schema, fixed):
        """The values of a fixed part; what is in tails is set by tails()."""
        for start, end in schema.holes():
            check(not any(self.data[fixed + start:fixed + end]), "padding in a struct is not zero")
        values = {}
        for field in schema.data_fields:
            at = fixed + field.offset
            if field.slot or field.type == "STRUCT":
                value = None            # comes with the tails
            elif field.type == "CHAR":
                value = text(self.data[at:at + field.count])
            else:
                value = self.elements(field, at, field.count)
                if field.container == "ONE":
                    [value] = value
                if field.address:
                    value = address(field.address, bytes(value))
            values[field.name] = value
            if field.type == "STRUCT" and not field.slot:
                value = [self.struct(field.ref, at + i * field.ref.size)
                         for i in range(field.count)]
                values[field.name] = value if field.container == "ARRAY" else value[0]
        return values

    def tails(self, schema, fixed, values):
        for field in schema.data_fields:
            at = fixed + field.offset
            if field.slot:
                [n] = struct.unpack_from("<I", self.data, at)
                values[field.name] = self.tail(field, n)
            elif field.type == "STRUCT":
                inner = values[field.name]
                for i, value in enumerate(inner if field.container == "ARRAY" else [inner]):
                    self.tails(field.ref, at + i * field.ref.size, value)
            if field.secret and not self.secrets:
                values[field.name] = "(secret)"

    def tail(self, field, n):
        if field.type == "BITMAP":
            at = self.take((n + 63) // 64 * 8)
            bits = int.from_bytes(self.data[at:self.at], "little")
            check(bits >> n == 0, "bits beyond the end of the bitmap")
            return {"bits": n, "set": [i for i, bit in enumerate(bin(bits)[:1:-1]) if bit == "1"]}
        if field.type == "ITEMS":
            check(n % 8 == 0, "size of the items")
            at = self.take(n)
            return self.items(at, at + n, 0)
        if field.type == "FOLIOS":
            return self.runs(n)
        if field.type == "UNION":
            check(1 <= n <= len(field.arms), f"arm {n} of {len(field.arms)}")
            arm = field.arms[n - 1]
            if not arm.ref:
                return {"arm": arm.name, "value": {}}
            [value] = self.elements(arm.ref, self.take(arm.ref.size), 1)
            return {"arm": arm.name, "value": value}

        if field.container == "OPTIONAL":
            check(n <= 1, f"slot {n} of an OPTIONAL")
        elif field.container == "POINTERS":
            at = self.take(n)
            present = self.data[at:at + n]
            check(max(present, default=0) <= 1, "presence byte that is not 0 or 1")
            n = sum(present)
        elif field.container == "MAP":
            at = self.take(8 * n)
            indices = struct.unpack_from(f"<{n}Q", self.data, at)
            check(all(a < b for a, b in zip(indices, indices[1:])), "indices do not ascend")
        values = self.elements(field, self.take(n * field.element_size), n)

        if field.type == "CHAR":
            if field.container == "SEQUENCE":
                return text(values)
            values = [text(bytes([c])) for c in values]
        if field.container == "OPTIONAL":
            return values[0] if values else None
        if field.container == "POINTERS":
            left = iter(values)
            return [next(left) if there else None for there in present]
        if field.container == "MAP":
            return [[index, value] for index, value in zip(indices, values)]
        return values

    def runs(self, folios):
        check(folios <= MAX_FOLIOS, f"{folios} folios")
        if not folios:
            return []
        [n] = struct.unpack_from("<Q", self.data, self.take(8))
        check(n <= folios, f"{n} runs of {folios} folios")
        at = self.take(16 * n)
        runs = [Run(self.data[i:i + 16]) for i in range(at, at + 16 * n, 16)]
        check(sum(run.count for run in runs) == folios, f"runs that are not {folios} folios")
        return [vars(run) for run in runs]

    def items(self, at, end, groups):
        shown = []
        while at < end:
            check(end - at >= 8, "no room for an item")
            type_, name_len, reserved, size = struct.unpack_from("<BBHI", self.data, at)
            check(not reserved, "reserved bytes of an item")
            check(1 <= name_len <= MAX_NAME, "length of the name of an item")
            value = at + 8 + up(name_len)
            at += 8
            check(value + up(size) <= end, "item reaches beyond the end")
            name = self.data[at:at + name_len]
            check(not any(self.data[at + name_len:value]) and
                  not any(self.data[value + size:value + up(size)]), "padding is not zero")
            check(0 not in name, "zero byte in the name of an item")
            kind, shown_value = self.item(TYPES.get(type_), type_, value, size, groups)
            shown.append({"name": text(name), "type": kind, "value": shown_value})
            at = value + up(size)
        return shown

    def item(self, kind, type_, at, size, groups):
        if kind == "STRUCT":
            check(size % 8 == 0, "size of a group")
            check(groups < MAX_GROUPS, "groups are nested too deep")
            return "GROUP", self.items(at, at + size, groups + 1)
        if kind == "CHAR":
            check(size and self.data.find(0, at) == at + size - 1,
                  "text without a zero byte at its end, and only there")
            return "TEXT", text(self.data[at:at + size - 1])
        if kind == "U8" and size != 1:
            return "BYTES", self.data[at:at + size].hex()
        check(kind in INTEGERS or kind in ("BOOL", "FOLIO", "PAGES", "VMALLOC"),
              f"item of type {type_:#x}")
        check(size == SIZES[kind], f"{kind} item of {size} bytes")
        return kind, self.scalar(kind, at)


# The set

class Set:
    def __init__(self, data, secrets=False):
        self.data, self.secrets = data, secrets
        self.damage, self.schemas, self.streams, self.states = [], {}, [], []
        self.header = None
        if data[:8] != MAGIC:
            raise NotKstate()
        try:
            root = self.read_header()
        except Damage as what:
            self.tell("header", 0, what)
            return
        self.count, self.size = 0, self.header["header_size"] + root.used
        self.read_root(root)
        if not self.damage:             # otherwise nobody knows how many there were
            for name, value in (("records", self.count), ("total_size", self.size)):
                if self.header[name] != value:
                    self.tell("header", 0, f"{name} says {self.header[name]}, there are {value}")

    def tell(self, where, offset, what):
        self.damage.append({"where": where, "offset": offset, "what": str(what)})

    def read_header(self):
        data = self.data
        check(len(data) >= HEADER_SIZE, "too short for a header")
        (crc, header_size, version, flags, total_size, records, page_size,
         arch) = struct.unpack_from("<IIIIQQII", data, 8)
        check(HEADER_SIZE <= header_size <= min(MAX_HEADER, len(data)) and header_size % 8 == 0,
              "header_size")
        check(crc32c(data[:8] + bytes(4) + data[12:header_size]) == crc, "checksum of the header")
        check(version == 1, f"format {version} is not known")
        check(not flags & ~1, "reserved flags of the header")
        check(flags & 1, "this is not the file form")
        release, zero, padding = data[48:128].partition(b"\0")
        check(zero and not any(padding), "release is not ended or not padded by zeros")
        check(page_size and not page_size & (page_size - 1), "page_size")
        self.header = {"format": version, "header_size": header_size, "total_size": total_size,
                       "records": records, "page_size": page_size, "arch": arch,
                       "release": text(release)}
        if total_size != len(data):
            self.tell("header", 24, f"total_size is {total_size}, the file has {len(data)} bytes")
        return Segment(data, data[128:160])

    def read_root(self, root):
        last = -1
        for record in root.records(lambda at, what: self.tell("root", at, what)):
            try:
                record.verify(key_is_crc=False)
                check(not record.flags, "flags of a record in the root segment")
                if record.schema == SCHEMA_RECORD:
                    check(not self.streams and not self.states,
                          "schema after a record of another kind")
                    check(record.string is None, "schema with a string key")
                    check(last < record.key < MAX_SCHEMAS, f"number {record.key} of a schema")
                    last = record.key
                    self.schemas[last] = Schema(last, record.payload, self.schemas)
                elif record.schema == STREAM_RECORD:
                    self.read_stream(record)
                elif record.schema == STATE_RECORD:
                    check(record.string is None, "state with a string key")
                    check(record.key in self.schemas, f"schema {record.key} is not there")
                    self.states.append(State(self.schemas[record.key], record.payload))
                else:
                    raise Damage(f"root record of kind {record.schema:#x}")
            except Damage as what:
                self.tell("root", record.offset, what)

    def read_stream(self, stream):
        check(stream.string is not None, "stream without a name")
        check(len(stream.payload) % 32 == 0, "segment references of a stream")
        check(all(stream.string != s["name"] for s in self.streams), "two streams of one name")
        check(all(stream.key != s["number"] for s in self.streams), "two streams of one number")
        shown = {"name": stream.string, "number": stream.key, "dropped": 0, "records": []}
        self.streams.append(shown)
        seen = set()
        for at in range(0, len(stream.payload), 32):
            try:
                segment = Segment(self.data, stream.payload[at:at + 32])
            except Damage as what:
                self.tell(stream.string, stream.offset, what)
                continue
            self.size += segment.used
            for record in segment.records(lambda at, what: self.tell(stream.string, at, what)):
                self.count += 1
                try:
                    self.read_record(record, shown, seen)
                except Damage as what:
                    self.tell(stream.string, record.offset, what)

    def read_record(self, record, stream, seen):
        record.verify(key_is_crc=True)
        if record.dropped:
            stream["dropped"] += 1
            return
        schema = self.schemas.get(record.schema)
        check(schema, f"schema {record.schema} is not there")
        values = Payload(record.payload, self.header["page_size"], self.secrets).decode(schema)
        key = record.key if record.string is None else record.string
        check((schema.name, key) not in seen, "two records of one name and key")
        seen.add((schema.name, key))
        stream["records"].append({"state": schema.name, "schema": record.schema, "key": key,
                                  "optional": bool(record.flags & RECORD_OPTIONAL),
                                  "values": values})

    def show(self):
        return {"header": self.header, "schemas": [s.show() for s in self.schemas.values()],
                "streams": self.streams, "states": [s.show() for s in self.states],
                "damage": self.damage}


def main():
    parser = argparse.ArgumentParser(
        description="Reads a KSTATE file, checks it and prints what is in it as JSON.",
        epilog="Exit status: 0 good, 1 damaged (what could be read is printed, and what is "
               "damaged), 2 not a KSTATE file.")
    parser.add_argument("file", metavar="FILE", help="the file, or - for standard input")
    parser.add_argument("--secrets", action="store_true",
                        help="show also what a hint says is secret")
    args = parser.parse_args()
    try:
        if args.file == "-":
            data = sys.stdin.buffer.read()
        else:
            with open(args.file, "rb") as file:
                data = file.read()
        found = Set(data, args.secrets)
    except OSError as error:
        print(f"reader.py: {args.file}: {error.strerror}", file=sys.stderr)
        return 2
    except NotKstate:
        print(f"reader.py: {args.file}: not a KSTATE file", file=sys.stderr)
        return 2
    json.dump(found.show(), sys.stdout, indent=1, sort_keys=True)
    print()
    return 1 if found.damage else 0


if __name__ == "__main__":
    sys.exit(main())
