# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What the tests of collect and of images share: objects, catalogues, images."""
import fnmatch
import json
import os
import random
import struct
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
KSTATE = os.environ.get("KSTATE", f"{TOP}/build/kstate")
LINUX = os.environ.get("LINUX", f"{TOP}/linux")
HEAD = "#include <linux/kstate.h>\n"
HEADER_SIZE, CRC_AT, FORMAT_AT, PAGE_SIZE_AT, ARCH_AT = 192, 8, 16, 40, 44

failed = 0


def wanted(name):
    """Whether the arguments, which are patterns, let this test run."""
    return not sys.argv[1:] or any(fnmatch.fnmatch(name, arg) for arg in sys.argv[1:])


def case(name):
    """A test, from a function that raises AssertionError."""
    def run(function):
        global failed
        if not wanted(name):
            return function
        try:
            function()
            print(f"ok {name}", flush=True)
        except (AssertionError, subprocess.CalledProcessError, OSError, ValueError) as error:
            failed += 1
            print(f"{type(error).__name__}: {error}\nnot ok {name}", flush=True)
        return function
    return run


def finish():
    sys.exit(1 if failed else 0)


def kstate(*args):
    done = subprocess.run([KSTATE, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, errors="replace")
    return done.returncode, done.stdout, done.stderr


def refused(status, *words, args):
    """That the command ends with this status and one sentence with these words."""
    found, _, text = kstate(*args)
    assert found == status, f"{args}: expected status {status}, found {found}: {text[-2000:]}"
    assert text.startswith("kstate: ") and text.count("\n") == 1, text
    for word in words:
        assert word in text, f"expected '{word}' in '{text}'"


def states(*sources):
    """What kstate catalog says of each state, by name."""
    status, out, text = kstate("catalog", "--json", *sources)
    assert status == 0, f"{sources}: {status}: {text[-2000:]}"
    return {state["name"]: state for state in json.loads(out)["states"]}


def compile_object(directory, name, source, *flags, include=None):
    path = os.path.join(directory, name)
    with open(path + ".c", "w") as file:
        file.write(HEAD + source)
    subprocess.run([os.environ.get("CC", "gcc"), "-std=gnu11", "-O2", "-Wall", "-Werror",
                    "-Wno-unused-const-variable",
                    f"-I{TOP}/shim/include", f"-I{include or LINUX + '/include'}", *flags,
                    "-c", "-o", path + ".o", path + ".c"], check=True)
    return path + ".o"


def assemble(directory, name, catalog, *flags):
    """An ELF file with a catalogue, as link-vmlinux.sh makes it; None: without."""
    path = os.path.join(directory, name)
    # What compresses like code
    code = random.Random(1)
    words = [code.randbytes(4) for _ in range(500)]
    write(path + ".code", b"".join(code.choices(words, k=15000)))
    text = f'.globl _start\n_start: .incbin "{path}.code"\n.data\n.skip 5000, 7\n'
    if catalog:
        text += f'.section .kstate_catalog, "a", %progbits\n.balign 8\n.incbin "{catalog}"\n'
    subprocess.run([os.environ.get("CC", "gcc"), "-x", "assembler", *flags, "-o", path, "-"],
                   input=text.encode(), check=True)
    return path


def read(path):
    with open(path, "rb") as file:
        return file.read()


def write(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)
    return path


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


def with_header(catalog, at, value):
    """A catalogue with another number in its header, and the right checksum."""
    data = bytearray(catalog)
    size, = struct.unpack_from("<I", data, 12)
    struct.pack_into("<I", data, at, value)
    struct.pack_into("<I", data, CRC_AT, 0)
    struct.pack_into("<I", data, CRC_AT, crc32c(data[:size]))
    return bytes(data)


# As scripts/Makefile.lib packs the kernel
PACKERS = {
    "gzip": ["gzip", "-n", "-9"],
    "bzip2": ["bzip2", "-9"],
    "lzma": ["xz", "--format=lzma", "-9"],
    "xz": ["xz", "--check=crc32", "--x86", "--lzma2=dict=32MiB"],
    "lzo": ["lzop", "-9"],
    "lz4": ["lz4", "-l", "-9", "-", "-"],
    "zstd": ["zstd", "-22", "--ultra", "-q"],
    "none": ["cat"],
}


def pack(packer, data):
    return subprocess.run(PACKERS[packer], input=data, stdout=subprocess.PIPE,
                          check=True).stdout


def payload(packer, data):
    """What piggy.S takes in; all but gzip get the size appended."""
    packed = pack(packer, data)
    return packed if packer == "gzip" else packed + struct.pack("<I", len(data))


def bzimage(packer, data, setup=None):
    """An x86 boot image: Documentation/arch/x86/boot.rst. setup: of a real one."""
    inside = payload(packer, data)
    sectors, before = 27, 0x2d4
    head = bytearray(setup or bytes((sectors + 1) * 512))
    if setup:
        sectors = head[0x1f1]
    else:
        head[0x1f1] = sectors
        struct.pack_into("<H", head, 0x1fe, 0xaa55)
        head[0x202:0x206] = b"HdrS"
        struct.pack_into("<H", head, 0x206, 0x20f)
    struct.pack_into("<II", head, 0x248, before, len(inside))
    return bytes(head) + b"\x90" * before + inside + b"\xcc" * 999


def zboot(packer, data):
    """EFI's own way to unpack: drivers/firmware/efi/libstub/zboot-header.S"""
    inside = payload(packer, data)
    head = b"MZ\0\0zimg" + struct.pack("<IIII", 4096, len(inside), 0, 0) + packer.encode()
    return head.ljust(4096, b"\0") + inside + b"\0" * 512


def temporary():
    return tempfile.TemporaryDirectory(prefix="kstate-")
