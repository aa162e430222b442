# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A simulated /sys/kernel/kstate: plain files, as sysfs.c writes them."""
import json
import os
import shutil

from images import compile_object, kstate

SOURCE = """
struct s { int a; };
struct kstate_description s_state = { .name = "%s", .fields = (const struct kstate_field[]) {
	KSTATE_BASE_TYPE(a, struct s, int), KSTATE_END_OF_LIST() } };
void *use(void) { return &s_state; }
"""


def catalogue(directory, state="s", release="7.3.4-b"):
    """A catalogue with one state."""
    obj = compile_object(directory, state, SOURCE % state)
    path = f"{directory}/{state}.kstate"
    status, _, text = kstate("collect", "--release", release, "--image", "vmlinux", "-o", path,
                             obj)
    assert status == 0, text
    return path


def tally(**counts):
    names = ["exact", "converted", "defaulted", "lossy", "blocked", "allowed"]
    return {**{n: counts.get(n, 0) for n in names}, "ns": 1500000, "save_ns": 900000}


class Kernel:
    """A directory as /sys/kernel/kstate is one."""

    def __init__(self, path, catalog):
        self.path = path
        os.makedirs(path)
        self.describes(catalog)
        for name in ("target", "policy", "damage", "last_error.json"):
            self.put(name, "")
        self.put("armed", "off\n")
        self.gate("off", "")
        self.put("streams", "in kernel id=1 records=5 unclaimed=2 bytes=700 ns=12000\n"
                            "out my id=1 stream id=2 records=1 saved=1 bytes=80 ns=30000000\n")
        self.found([], exact=3)

    def put(self, name, text):
        if os.path.lexists(f"{self.path}/{name}"):
            os.unlink(f"{self.path}/{name}")
        with open(f"{self.path}/{name}", "w") as f:
            f.write(text)

    def describes(self, catalog):
        shutil.copyfile(catalog, f"{self.path}/catalog")

    def refuse(self, name, path):
        """Writes fail, and the kernel says why."""
        os.unlink(f"{self.path}/{name}")
        os.symlink("/dev/full", f"{self.path}/{name}")
        self.put("last_error.json", json.dumps(
            {"code": -22, "reason": "bad-call", "path": path, "expected": "this",
             "found": "that", "writer": ""}) + "\n")

    def get(self, name):
        with open(f"{self.path}/{name}", "rb") as f:
            return f.read()

    def gate(self, armed, target, **counts):
        self.put("gate", json.dumps({"armed": armed, "target": target,
                                     **(tally(**counts) if counts else
                                        {**tally(), "ns": 0, "save_ns": 0})}) + "\n")

    def found(self, lines, **counts):
        self.put("check", "".join(json.dumps(x) + "\n" for x in lines + [tally(**counts)]))
