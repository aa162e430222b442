# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Looks into the memory of the guest from outside of the machine, where no kernel is needed.

The machine's memory is a file. In it, the first page of the guest's memory is found by its
magic number, and by it all others (demo/vm/layout.h).
"""
import mmap
import os
import struct

import frames

PAGE = 4096
MAP_AT = 0x1000
GUEST_BYTES = 0x2000000
HEADER_RINGS, HEADER_STOP, HEADER_KERNELS, HEADER_NVME, HEADER_RING, HEADER_MAP = 0x18, 0x38, 0x3c, 0x40, 0x80, 0x100
RING_SIZE = 0x40
RING_ENTRIES = 32768
BUFFER_BYTES = 256
LOOK_AHEAD = 64


class Memory:
    def __init__(self, size):
        self.fd = os.memfd_create("machine")
        os.ftruncate(self.fd, size)
        self.map = mmap.mmap(self.fd, size)

    def close(self):
        """Gives it back: all of a machine's memory"""
        self.map.close()
        os.close(self.fd)

    def find(self, words):
        """Offset of the page that begins so, or None. What was never written is not looked at."""
        at = 0
        while True:
            try:
                at = os.lseek(self.fd, at, os.SEEK_DATA)
            except OSError:
                return None
            end = os.lseek(self.fd, at, os.SEEK_HOLE)
            while at < end:
                piece = os.pread(self.fd, min(end - at, 16 << 20), at)
                here = piece.find(words)
                while here >= 0:
                    if here % PAGE == 0:
                        return at + here
                    here = piece.find(words, here + 1)
                at += len(piece)


class Ring:
    """Frames as they land: in order, each at its place."""

    def __init__(self, guest, index):
        self.guest, self.at = guest, HEADER_RING + index * RING_SIZE
        self.descriptors, self.buffers = struct.unpack("<II", guest.read(self.at, 8))
        self.landed = self.gaps = self.bad = 0

    def counts(self):
        seen, gaps, bad, resets, checks = struct.unpack("<5I", self.guest.read(self.at + 0x0c, 20))
        return {"seen": seen, "gaps": gaps, "bad": bad, "resets": resets, "checks": checks}

    def _frame(self, seq):
        """The frame if it is there"""
        data = self.guest.read(self.buffers + seq % RING_ENTRIES * BUFFER_BYTES, frames.BYTES)
        return data if data[:16] == frames.HEAD and struct.unpack_from("<Q", data, 16)[0] == seq else None

    def _told(self, seq):
        """Its descriptor says so, or the guest has taken it"""
        return self.guest.read(self.descriptors + seq % RING_ENTRIES * 16 + 12, 1)[0] & 1 or \
            self.counts()["seen"] > seq

    def look(self):
        while True:
            data = self._frame(self.landed)
            if not data:
                ahead = next((i for i in range(1, LOOK_AHEAD) if self._frame(self.landed + i)), 0)
                # They land in order: if that one is there, this one is, or never will be
                data = self._frame(self.landed) if ahead else None
                if ahead and not data:
                    self.gaps += ahead
                    self.landed += ahead
                    continue
            if not data or not self._told(self.landed):
                return self.landed
            self.bad += data[frames.PATTERN_AT:] != frames.pattern(self.landed)
            self.landed += 1


class Disk:
    """Completions of reads as they land."""

    def __init__(self, guest):
        self.guest, self.landed = guest, 0

    def counts(self):
        names = ("submitted", "completed", "failed", "wrong")
        return dict(zip(names, struct.unpack("<4I", self.guest.read(HEADER_NVME, 16))))

    def look(self):
        queue, entries = struct.unpack("<II", self.guest.read(HEADER_NVME + 16, 8))
        while entries:
            at = queue + self.landed % entries * 16 + 14
            phase = struct.unpack("<H", self.guest.read(at, 2))[0] & 1
            if phase == (self.landed // entries & 1):
                break
            self.landed += 1
        return self.landed


class Guest:
    def __init__(self, memory, page):
        self.memory, self.page = memory.map, page
        self.where = {}
        header = memory.map[page:page + PAGE]
        count = GUEST_BYTES // PAGE * 8 // PAGE
        table = b"".join(memory.map[at:at + PAGE] for at in
                         struct.unpack_from(f"<{count}Q", header, HEADER_MAP))
        self.where = struct.unpack(f"<{GUEST_BYTES // PAGE}Q", table)
        if self.where[0] != page:
            raise ValueError("the guest's pages are not where it says")
        rings, = struct.unpack_from("<I", header, HEADER_RINGS)
        self.rings = [Ring(self, i) for i in range(rings)]
        self.disk = Disk(self) if struct.unpack_from("<I", header, HEADER_NVME + 20)[0] else None

    def read(self, address, size):
        at = self.where[address // PAGE] + address % PAGE
        return self.memory[at:at + size]

    def interrupts(self):
        return struct.unpack("<I", self.read(0x1c, 4))[0]

    def kernels(self):
        """Kernels that the guest has run under"""
        return struct.unpack("<I", self.read(HEADER_KERNELS, 4))[0]

    def stop(self):
        at = self.page + HEADER_STOP
        self.memory[at:at + 4] = struct.pack("<I", 1)
