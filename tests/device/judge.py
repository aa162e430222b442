# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What a run must have been: each fault has a kind, so that controls can say how they fail."""
import re
from statistics import median

MAX_LAG = 100  # frames, at 1,000 a second
MAX_PAUSE = 5.0
MAX_GROWTH = 4096  # see growth()

# A sample that is so late, in seconds, says that the machine was busy. Samples are not judged for
# BUSY seconds from there on, but no more than half of all.
LATE, BUSY = 0.08, 0.3

SPLAT = re.compile(r"BUG: |kernel BUG at|Oops|WARNING: |INFO: .*(detected|trying to register)|"
                   r"kmemleak: [0-9]+ new")
PANIC = re.compile(r"Kernel panic|Oops|BUG: unable to handle|general protection fault")

# Parts of a pause: from one moment of the old kernel or of the new one to another
PARTS = (
    ("freeze", ("old", "freeze"), ("old", "jump")),
    ("jump to first line", ("old", "jump"), ("new", "first")),
    ("boot", ("new", "first"), ("new", "init")),
    ("retrieve", ("new", "init"), ("new", "attached")),
    ("resume", ("new", "attached"), ("new", "running")),
)


def jumps(run):
    """Of each jump, the moments of the kernel before and after it"""
    return [{"old": old, "new": new} for old, new in zip(run.moments, run.moments[1:])]


def growth(sizes):
    """KiB from the first to the last, by the median of how fast they grow from any one to any later one

    With random places of kernel and initramfs, single ones differ by 8 MiB.
    """
    pairs = [(b - a) / (j - i) for i, a in enumerate(sizes) for j, b in enumerate(sizes) if i < j]
    return median(pairs) * (len(sizes) - 1) if len(sizes) > 3 else 0


def between(run, start, end):
    return [sample for sample in run.samples if start <= sample[0] <= end]


def judged(watched):
    """Samples of a time when the machine had time for QEMU"""
    busy, good = 0, []
    for before, after in zip(watched, watched[1:]):
        if after[0] - before[0] > LATE:
            busy = after[0] + BUSY
        if after[0] > busy:
            good.append(after)
    return good if len(good) > len(watched) / 2 else watched


def pause(run, jump):
    """Longest time around a jump in which the guest took no frame: its start and end"""
    begin, end = jump["old"].get("freeze"), jump["new"].get("running")
    if begin is None or end is None:
        return None
    best = (begin, begin)
    samples = between(run, begin - 0.5, end + 1)
    since = None
    for before, after in zip(samples, samples[1:]):
        if after[3] != before[3]:
            since = None
        elif since is None:
            since = before[0]
        if since is not None and after[0] - since > best[1] - best[0]:
            best = (since, after[0])
    return best


def parts(jump):
    """Seconds of each part of a pause, as far as they are known"""
    found = {}
    for name, (one, start), (other, end) in PARTS:
        if start in jump[one] and end in jump[other]:
            found[name] = jump[other][end] - jump[one][start]
    return found


def count_at(run, when, column):
    before = [sample for sample in run.samples if sample[0] <= when]
    return before[-1][column] if before else 0


def facts(run):
    """Numbers of a run, for the report"""
    result = {"name": run.name, "kernels": [kernel.variant for kernel in run.kernels], "jumps": []}
    for jump in jumps(run):
        old, new = jump["old"], jump["new"]
        entry = {"from": old.get("first what"), "to": new.get("first what"), "parts": parts(jump)}
        for name, one, moment in (("saved", "old", "saved what"), ("restored", "new", "restored what")):
            if moment in jump[one]:
                entry[f"KSTATE {name}, us"] = round(int(jump[one][moment]) / 1000)
        paused = pause(run, jump)
        if paused:
            entry["paused"] = paused[1] - paused[0]
            entry["landed while paused"] = count_at(run, paused[1], 2) - count_at(run, paused[0], 2)
        if "jump" in old and "first" in new:
            entry["landed without a kernel"] = count_at(run, new["first"], 2) - count_at(run, old["jump"], 2)
        if "jump" in old and "attached" in new:
            watched = between(run, old["jump"], new["attached"])
            entry["lag"] = max((sample[4] for sample in watched), default=0)
            entry["samples"] = len(watched)
            entry["reads without a driver"] = sum(
                b[1] - a[1] for a, b in zip(run.disk_samples, run.disk_samples[1:])
                if old["jump"] <= a[0] <= new["attached"])
        result["jumps"].append(entry)
    result["frames"] = run.samples[-1][1] if run.samples else 0
    result["landed"] = run.samples[-1][2] if run.samples else 0
    result["seen"] = run.samples[-1][3] if run.samples else 0
    result["counts"] = run.counts
    return result


def faults(run):
    """Pairs of a kind and what was seen"""
    found = []

    def fault(kind, text):
        found.append((kind, text))

    text = [line for _, line in run.console]
    wrong = next((line for line in text if PANIC.search(line)), None)
    if wrong:
        fault("panic", wrong)
    wrong = next((line for line in text if SPLAT.search(line)), None)
    if wrong:
        fault("splat", wrong)
    for line in text:
        if "jump was refused" in line:
            fault("refused", line)
        elif "CHANGED" in line:
            fault("reset", line)
        elif re.search(r"KSTATE-VM: FAIL .*preserve", line):
            fault("preserve", line)
        elif re.search(r"KSTATE-VM: FAIL attach", line):
            fault("attach", line)
        elif re.search(r"KSTATE-VM: FAIL device", line):
            fault("device", line)
        elif re.search(r"DMAR.*fault", line, re.IGNORECASE):
            fault("fault", line)
    if run.status or not run.passed:
        fault("end", run.why or f"QEMU ended ({run.status})")
    if len(run.moments) != len(run.kernels):
        fault("jumps", f"{len(run.moments) - 1} of {len(run.kernels) - 1} jumps")

    # From outside, all the time from a jump to the moment when the device has a driver again
    for n, jump in enumerate(jumps(run), 1):
        old, new = jump["old"], jump["new"]
        if "jump" not in old:
            continue
        watched = between(run, old["jump"], new.get("attached", run.samples[-1][0]))
        late = [sample for sample in judged(watched) if sample[4] > MAX_LAG]
        if late:
            fault("lag", f"jump {n}: {max(s[4] for s in late)} frames sent and not landed, "
                         f"{late[0][0] - old['jump']:.2f} s after it; {len(late)} of {len(watched)} samples")
        slow = [b[0] - a[0] for a, b in zip(watched, watched[1:]) if b[0] - a[0] > 1]
        if slow:
            fault("observer", f"jump {n}: no sample for {max(slow):.1f} s: the machine is too busy")
        if run.disk_samples and "attached" in new:
            landed = sum(b[1] - a[1] for a, b in zip(run.disk_samples, run.disk_samples[1:])
                         if old["jump"] <= a[0] <= new["attached"])
            if not landed:
                fault("reads", f"jump {n}: no read was completed while there was no driver")

    for i, ring in enumerate(run.counts["rings"]):
        if ring["gaps"] or ring["gaps outside"]:
            fault("gap", f"ring {i}: {ring['gaps outside']} by the observer, {ring['gaps']} by the guest")
        if ring["bad"] or ring["bad outside"]:
            fault("bytes", f"ring {i}: {ring['bad outside']} frames with other bytes by the observer, "
                           f"{ring['bad']} by the guest")
        if ring["resets"]:
            fault("reset", f"ring {i}: the guest saw a device that was reset, {ring['resets']} times")
    if run.counts["disk"] and (run.counts["disk"]["failed"] or run.counts["disk"]["wrong"]):
        fault("reads", f"{run.counts['disk']['failed']} failed, {run.counts['disk']['wrong']} with other bytes")
    if run.samples and not run.samples[-1][1] == run.samples[-1][2] == run.samples[-1][3]:
        fault("lost", "{1} frames sent, {2} landed, {3} seen".format(*run.samples[-1]))
    if not run.samples or not run.samples[-1][1] and run.rings:
        fault("lost", "no frame was sent")

    # What is left behind adds up; the first kernel did not take over
    used = {}
    for kernel, moments in list(zip(run.kernels, run.moments))[1:]:
        if "finished what" in moments:
            used.setdefault(kernel.variant, []).append(int(moments["finished what"]))
    for variant, sizes in used.items():
        if growth(sizes) > MAX_GROWTH:
            fault("leak", f"{variant}: KiB in use after it took over: {', '.join(map(str, sizes))}")

    # QEMU's word for what the devices went through, while the guest had them
    begin = run.moments[0].get("running")
    end = run.moments[-1].get("end", run.ended or float("inf"))
    kinds = {"vtd_dmar_enable": "translation", "vtd_dmar_fault": "fault"}
    seen = {}
    for when, event, words in run.traces:
        if begin is not None and begin <= when <= end:
            kind = kinds.get(event, "fault" if "err" in event else "reset")
            seen.setdefault((kind, event), []).append(words)
    for (kind, event), words in seen.items():
        fault(kind, f"QEMU: {event}, {len(words)} times: {words[0]}")
    return found
