# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""An emulated host with an IOMMU and devices, in which a VMM runs a guest.

run() boots it, sends frames, observes the guest's memory all the time, and returns all
that was seen; judge.py says whether it is right.
"""
import os
import pathlib
import re
import secrets
import select
import signal
import subprocess
import tempfile
import time

import damage
import frames
import observer

TOP = pathlib.Path(__file__).resolve().parents[2]
SAMPLE = 0.02
MEMORY = 1 << 30
BLOCKS = 2048  # of the disk, each of 4 KiB

# What is on each kernel's command line
WORDS = ("intel_iommu=on iommu.strict=1 vfio-pci.ids=8086:10d3,1b36:0010 vfio-pci.disable_idle_d3=1 "
         "loglevel=6")
TRACES = ("vtd_dmar_fault", "vtd_err*", "vtd_dmar_enable", "e1000e_core_ctrl_sw_reset",
          "e1000e_cb_qdev_reset", "pci_nvme_pci_reset", "pci_nvme_mmio_stopped", "pci_nvme_err*")

# Moments of a kernel's life, by what the console says
MOMENTS = [(name, re.compile(words)) for name, words in (
    ("first", r"Linux version (\S+)"),
    ("init", r"init: started"),
    ("pressed", r"init: wrote"),
    ("retrieved", r"vmm: retrieved"),
    ("attached", r"vmm: attached"),
    ("running", r"vmm: (?:running|resumed), generation (\d+)"),
    ("finished", r"vmm: finished, (\d+) KiB"),
    ("preserved", r"vmm: preserved"),
    ("freeze", r"vmm: freeze"),
    ("jump", r"vmm: jump"),
    ("saved", r"kexec: saved records=\d+ bytes=\d+ ns=(\d+)"),
    ("restored", r"vmm: KSTATE restored in ns=(\d+)"),
    ("gone", r"Starting new kernel"),
    ("end", r"vmm: end: interrupts"),
    ("pass", r"KSTATE-VM: PASS"),
    ("fail", r"KSTATE-VM: FAIL (.*)"),
)]


class Kernel:
    """One of the kernels of a run, with the VMM that it starts."""

    def __init__(self, variant, vmm=1, words=""):
        self.variant, self.vmm, self.words = variant, vmm, words


def build(variants, version=None):
    """Directories of the kernels, by variant; the VMM is built too"""
    subprocess.run(["make", "-s", "-C", TOP / "demo/vm", f"BUILD={TOP}/build/vmm"], check=True)
    subprocess.run([TOP / "scripts/command", TOP / "build/vmm/kstate"], check=True)
    command = [TOP / "scripts/kernel", *(("--version", version) if version else ())]
    return {variant: pathlib.Path(subprocess.run([*command, variant], check=True, text=True,
                                                 stdout=subprocess.PIPE).stdout.strip())
            for variant in variants}


def image(kernel):
    return kernel / "arch/x86/boot/bzImage"


def make_disk(path):
    """Each block begins and ends with its number"""
    with open(path, "wb") as disk:
        for block in range(BLOCKS):
            number = block.to_bytes(8, "little")
            disk.write(number + bytes(observer.PAGE - 16) + number)


class Run:
    """What was seen of a machine, from outside."""

    def __init__(self, kernels, built, name, out, qemu=("-device", "e1000e,netdev=net0,addr=4"), rings=1,
                 iommu="", rate=1000, run_ms=2500, words="", timeout=300, flip=None):
        self.kernels, self.built, self.name, self.out = kernels, built, name, out
        self.qemu, self.rings, self.iommu, self.rate = qemu, rings, iommu, rate
        self.words = f"{WORDS} run_ms={run_ms} blocks={BLOCKS} {words}"
        self.timeout = timeout
        self.flip = flip         # the state of which a bit is flipped on the first jump
        self.damaged = 0
        self.moments = []        # of each kernel
        self.console = []        # (time, line)
        self.samples = []        # (time, sent, landed, seen), each summed over the rings; then the lag
        self.disk_samples = []   # (time, completions)
        self.guest = self.start = self.ended = None
        self.passed = False
        self.why = ""            # what the guest says of its failure
        self.id = secrets.token_hex(16)

    def lines(self):
        return [f"{self.words} run={self.id} vmm={kernel.vmm} {kernel.words}".strip() for kernel in self.kernels]

    def _initrd(self, path):
        files = [f"{TOP}/build/vmm/vmm-{n}=bin/vmm-{n}" for n in (1, 2)]
        files += [f"{image(self.built[v])}=kernels/{v}" for v in dict.fromkeys(k.variant for k in self.kernels)]
        files.append(f"{TOP}/build/vmm/kstate=bin/kstate")
        with tempfile.TemporaryDirectory() as scratch:
            for n, line in enumerate(self.lines()):
                if n:
                    pathlib.Path(scratch, str(n)).write_text(f"/kernels/{self.kernels[n].variant} {line}\n")
                    files.append(f"{scratch}/{n}=lines/{n}")
            subprocess.run([TOP / "scripts/initramfs", path, TOP / "demo/vm/init.c", *files], check=True)

    def run(self):
        initrd, disk = (self.out / f"{self.name}.{end}" for end in ("initrd", "disk"))
        self._initrd(initrd)
        if any("nvme" in word for word in self.qemu):
            make_disk(disk)
        memory = observer.Memory(MEMORY)
        generator = frames.Generator(self.rings, self.rate)
        trace = self.out / f"{self.name}.trace"
        trace.unlink(missing_ok=True)
        nets = [word for i, fd in enumerate(generator.fds()) for word in ("-netdev", f"socket,id=net{i},fd={fd}")]
        command = [
            "qemu-system-x86_64", "-M", "q35,kernel-irqchip=off", "-accel", "tcg", "-cpu", "max", "-m", "1G",
            "-smp", "2", "-no-reboot", "-nodefaults", "-display", "none", "-serial", "stdio",
            "-object", f"memory-backend-file,id=memory,size={MEMORY},mem-path=/proc/self/fd/{memory.fd},share=on",
            "-machine", "memory-backend=memory",
            "-device", "intel-iommu" + self.iommu, *nets, *(word.format(disk=disk) for word in self.qemu),
            "-msg", "timestamp=on", "-D", trace, *(word for event in TRACES for word in ("-trace", event)),
            "-kernel", image(self.built[self.kernels[0].variant]), "-initrd", initrd,
            "-append", f"console=ttyS0 kho=on panic=-1 no_timer_check liveupdate=on {self.lines()[0]}",
        ]
        self.start = time.monotonic()
        self.start_of_day = time.time()
        qemu = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                pass_fds=(memory.fd, *generator.fds()))
        try:
            self._watch(qemu, memory, generator)
        finally:
            if qemu.poll() is None:
                qemu.kill()
            self.status = qemu.wait()
            if self.guest:
                self._sample(generator)
            generator.close()
            self._last_counts()
            self.guest = None
            memory.close()
            self._moments()
            initrd.unlink()
            disk.unlink(missing_ok=True)
            with open(self.out / f"{self.name}.log", "w") as log:
                log.writelines(f"{t - self.start:8.3f} {line}\n" for t, line in self.console)
        self.traces = self._traces(trace)
        return self

    def _watch(self, qemu, memory, generator):
        rest, next_sample, next_search, since, stopped = b"", 0, 0, None, None
        os.set_blocking(qemu.stdout.fileno(), False)
        while True:
            now = time.monotonic()
            if now - self.start > self.timeout:
                self.why = f"no end after {self.timeout} s"
                return
            readable, _, _ = select.select([qemu.stdout], [], [], max(0, min(SAMPLE, next_sample - now)))
            now = time.monotonic()
            if readable:
                data = qemu.stdout.read()
                if not data:
                    self.ended = now
                    return
                *lines, rest = (rest + data).split(b"\n")
                self.console += ((now, line.decode(errors="replace").strip("\r")) for line in lines)
                if self.flip and not self.damaged and any(b"Starting new kernel" in line for line in lines):
                    qemu.send_signal(signal.SIGSTOP)
                    self.damaged = damage.flip(memory.map, self.flip)
                    qemu.send_signal(signal.SIGCONT)
            if now < next_sample:
                continue
            next_sample = now + SAMPLE
            if not self.guest:
                # Not the line that says so: it may not leave the kernel before the next one does
                if now > next_search and any("vmm: attached" in line for _, line in self.console):
                    next_search = now + 0.3
                    page = memory.find(b"KSTATEVM" + bytes.fromhex(self.id))
                    if page is not None:
                        self.guest = observer.Guest(memory, page)
                        generator.start()
                continue
            self._sample(generator)
            # The last kernel has had its time: let all arrive, then end it
            if not since and self.guest.kernels() == len(self.kernels):
                since = now
            if since and not stopped and now > since + 3:
                generator.stop()
                stopped = now
            if stopped and (self._all_seen() or now > stopped + 10):
                self.guest.stop()

    def _all_seen(self):
        _, sent, landed, seen, _ = self.samples[-1]
        return sent == landed == seen

    def _moments(self):
        """Moments of each kernel. A line says when it was written; when it arrives may be later."""
        kernels = []
        for arrived, line in self.console:
            if "Linux version " in line:
                kernels.append([])
            stamp = re.match(r"\[ *([\d.]+)\] ", line)
            if kernels:
                kernels[-1].append((arrived, float(stamp[1]) if stamp else None, line))
        self.moments = []
        for lines in kernels:
            # Only from init on: the clock that stamps is set anew while the kernel boots
            zero = min((arrived - stamp for arrived, stamp, line in lines
                        if stamp and re.search(r"\] (vmm|init): ", line)), default=None)
            moments = {}
            for arrived, stamp, line in lines:
                for name, pattern in MOMENTS:
                    match = pattern.search(line)
                    if match:
                        mine = re.search(r"\] (vmm|init): ", line)
                        moments.setdefault(name, zero + stamp if mine and stamp else arrived)
                        if match.groups():
                            moments.setdefault(name + " what", match[1])
            self.moments.append(moments)
        self.moments = self.moments or [{}]
        self.passed = "pass" in self.moments[-1]
        self.why = next((m["fail what"] for m in self.moments if "fail" in m), self.why)

    def _sample(self, generator):
        now = time.monotonic()
        sent = [generator.sent(i) for i in range(len(self.guest.rings))]
        landed = [ring.look() for ring in self.guest.rings]
        seen = [ring.counts()["seen"] for ring in self.guest.rings]
        lag = max((s - n for s, n in zip(sent, landed)), default=0)
        self.samples.append((now, sum(sent), sum(landed), sum(seen), lag))
        if self.guest.disk:
            self.disk_samples.append((now, self.guest.disk.look()))

    def _last_counts(self):
        self.counts = {"rings": [], "disk": None, "interrupts": 0}
        if self.guest:
            self.counts["rings"] = [{**ring.counts(), "landed": ring.landed, "gaps outside": ring.gaps,
                                     "bad outside": ring.bad} for ring in self.guest.rings]
            self.counts["disk"] = self.guest.disk and self.guest.disk.counts()
            self.counts["interrupts"] = self.guest.interrupts()

    def _traces(self, path):
        """(time, event, text)"""
        found = []
        for line in path.read_text(errors="replace").splitlines() if path.exists() else ():
            match = re.match(r"\d+@([\d.]+):(\w+) ?(.*)", line)
            if match:
                found.append((float(match[1]) - self.start_of_day + self.start, match[2], match[3]))
        return found
