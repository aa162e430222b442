# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The edits of descriptions in edits/: what has to come of each, and their catalogues."""
import os
import re
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor

from images import HERE, LINUX, TOP, kstate

FLAGS = [os.environ.get("CC", "gcc"), "-std=gnu11", "-O1", "-Wall", "-Wextra",
         "-Wno-unused-parameter", "-Werror", f"-I{TOP}/shim/include", f"-I{LINUX}/include",
         f"-I{HERE}/edits", "-c"]
RANKS = ["exact", "converted", "defaulted", "function", "aside", "lossy", "object", "value",
         "blocked"]
BREAKING = {"object", "value", "blocked"}


def names():
    return sorted(f[:-2] for f in os.listdir(f"{HERE}/edits") if f.endswith(".c"))


def expected(name):
    """What the comment of an edit says: for each direction, outcomes by path."""
    with open(f"{HERE}/edits/{name}.c") as source:
        head = source.read().split("*/")[0]
    result = {}
    for direction in ("forward", "back"):
        line = re.search(rf"\* {direction}: (.*)", head)[1]
        items = [] if line == "exact" else line.split(", ")
        result[direction] = {item.split()[1]: item.split()[0].split("|") for item in items}
        for outcomes in result[direction].values():
            assert set(outcomes) <= set(RANKS), f"{name}: no such outcome in '{line}'"
    return result


def locked(name):
    """What an edit breaks for kstate lock only: direction and path."""
    with open(f"{HERE}/edits/{name}.c") as source:
        line = re.search(r"\* lock: (.*)", source.read().split("*/")[0])
    return {tuple(item.split()) for item in line[1].split(", ")} if line else set()


def worst(outcomes):
    return max(outcomes, key=RANKS.index, default="exact")


def catalogue(source, where, release, *defines):
    """Compile a file and collect its descriptions."""
    done = subprocess.run([*FLAGS, *defines, "-o", f"{where}.o", source],
                          stderr=subprocess.PIPE, text=True)
    assert done.returncode == 0, done.stderr
    status, _, text = kstate("collect", "--release", release, "--image", "edit",
                             "-o", f"{where}.kstate", f"{where}.o")
    assert status == 0, text
    return f"{where}.kstate"


def catalogue_of(text, where, release):
    """The same for a source that is at hand."""
    with open(f"{where}.c", "w") as source:
        source.write(f'#include "edit.h"\n{text}')
    return catalogue(f"{where}.c", where, release)


def both(name, directory):
    """The catalogues before and after an edit; several tests of one run share them."""
    source = f"{HERE}/edits/{name}.c"
    where = f"{os.environ.get('EDITS', directory)}/{name}"
    made = f"{where}.before.kstate", f"{where}.after.kstate"
    if not all(map(os.path.exists, made)):
        catalogue(source, f"{where}.before", "7.2")
        catalogue(source, f"{where}.after", "7.3", "-DAFTER")
    return made


def try_all(try_edit, which):
    """Call try_edit(name, directory) for each edit, several at a time; what they return."""
    def attempt(name):
        try:
            return try_edit(name, directory), None
        except (AssertionError, OSError) as error:
            return None, str(error).strip().replace("\n", "; ")

    with tempfile.TemporaryDirectory(prefix="kstate-") as directory, \
            ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(attempt, which))
