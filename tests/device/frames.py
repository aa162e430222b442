# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Frames that can be told apart, and a process that sends them at a rate."""
import ctypes
import mmap
import os
import signal
import socket
import struct
import time

BYTES = 128  # the rest as in demo/vm/layout.h
PATTERN_AT = 32
FACTOR = 0x9e3779b1
HEAD = bytes.fromhex("ffffffffffff" "020000000001" "88b5" "0000")

# A sender that was not scheduled does not make up for it: that would look like a device that lags
BURST = 20


def pattern(seq):
    first = seq * FACTOR
    return struct.pack("<24I", *((first + i) & 0xffffffff for i in range(PATTERN_AT // 4, BYTES // 4)))


def frame(seq, now):
    return HEAD + struct.pack("<QQ", seq, now) + pattern(seq)


class _Shared(ctypes.Structure):
    _fields_ = [("go", ctypes.c_uint32), ("devices", ctypes.c_uint32), ("sent", ctypes.c_uint64 * 4)]


class Generator:
    """Sends the same frames to each of some sockets. sent[i] counts those that were due."""

    def __init__(self, devices, rate):
        self.rate = rate
        self.pairs = [socket.socketpair() for _ in range(devices)]
        self.shared = _Shared.from_buffer(mmap.mmap(-1, mmap.PAGESIZE))
        self.pid = os.fork()
        if not self.pid:
            try:
                signal.signal(signal.SIGINT, signal.SIG_IGN)
                self._send([near for near, _ in self.pairs])
            finally:
                os._exit(0)

    def fds(self):
        """QEMU's ends, each for -netdev socket,fd="""
        return [far.fileno() for _, far in self.pairs]

    def start(self):
        self.shared.go = 1

    def stop(self):
        """No frame is due any more; what is due is still sent"""
        self.shared.go = 2

    def close(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        for pair in self.pairs:
            for end in pair:
                end.close()

    def sent(self, device):
        return self.shared.sent[device]

    def _send(self, sockets):
        for s in sockets:
            s.setblocking(False)
        waiting = [bytearray() for _ in sockets]
        due, parent = 0, os.getppid()
        while not self.shared.go and os.getppid() == parent:
            time.sleep(0.005)
        start = time.monotonic()
        while os.getppid() == parent:
            now = time.monotonic()
            new = int((now - start) * self.rate) - due if self.shared.go == 1 else 0
            if new > BURST:
                start += (new - BURST) / self.rate
                new = BURST
            for seq in range(due, due + new):
                data = frame(seq, time.monotonic_ns())
                for i in range(len(sockets)):
                    waiting[i] += struct.pack(">I", len(data)) + data
            due += max(new, 0)
            for i, s in enumerate(sockets):
                self.shared.sent[i] = due
                try:
                    while waiting[i]:
                        del waiting[i][:s.send(waiting[i])]
                except BlockingIOError:
                    pass
            time.sleep(0.002)
