# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A run as a picture: for the terminal, and as a page that needs nothing else."""
import html

import judge

BEFORE, AFTER = 1.0, 1.5  # seconds around a pause
COLUMNS = 64
BARS = " ▁▂▃▄▅▆▇█"


def window(run, jump):
    return jump["old"]["freeze"] - BEFORE, jump["new"]["running"] + AFTER


def level(run, when, column):
    """A count at that time, between samples"""
    before = after = run.samples[0]
    for after in run.samples:
        if after[0] >= when:
            break
        before = after
    if after[0] <= before[0] or when >= after[0]:
        return after[column]
    return before[column] + (after[column] - before[column]) * (when - before[0]) / (after[0] - before[0])


def terminal(run):
    """Lines"""
    for n, jump in enumerate(judge.jumps(run), 1):
        old, new = jump["old"], jump["new"]
        start, end = window(run, jump)
        step = (end - start) / COLUMNS
        times = [start + i * step for i in range(COLUMNS + 1)]

        def bars(column):
            full = run.rate * run.rings * step * 1.6
            rises = (level(run, b, column) - level(run, a, column) for a, b in zip(times, times[1:]))
            return "".join(BARS[0 if rise < full / 50 else max(1, min(8, round(8 * rise / full)))] for rise in rises)

        def row(*spans):
            return "".join(next((mark for mark, a, b in spans if a <= t < b), " ") for t in times[:-1])

        yield f"jump {n}: {old['first what']} is replaced by {new['first what']}"
        yield ""
        kernel = row(("░", start, old["jump"]), ("▓", new["first"], end))
        mid = [round((t - start) / step) for t in (old["jump"], new["first"])]
        for text, at, room in ((old["first what"], 1, mid[0]), ("none", mid[0] + 1, mid[1] - mid[0]),
                               (new["first what"], mid[1] + 1, COLUMNS - mid[1])):
            if len(text) + 2 <= room:
                kernel = kernel[:at] + text + kernel[at + len(text):]
        yield f"  kernel  {kernel}"
        yield f"  sent    {bars(1)}"
        yield f"  landed  {bars(2)}"
        yield f"  seen    {bars(3)}"
        scale = [" "] * (COLUMNS + 4)
        for second in range(int(end - start) + 1):
            at = round(second / step)
            scale[at:at + 3] = f"{second - BEFORE:+.0f} s".removeprefix("+").ljust(3)[:4]
        yield f"          {''.join(scale).rstrip()}"
        yield ""
        paused = judge.pause(run, jump)
        yield (f"  the guest saw no frame for {paused[1] - paused[0]:.2f} s; meanwhile "
               f"{judge.count_at(run, paused[1], 2) - judge.count_at(run, paused[0], 2)} landed in its memory, "
               f"{judge.count_at(run, new['first'], 2) - judge.count_at(run, old['jump'], 2)} of them "
               "when there was no kernel")
        yield "  " + ", ".join(f"{name} {seconds:.2f} s" for name, seconds in judge.parts(jump).items())
        fact = judge.facts(run)["jumps"][n - 1]
        yield (f"  of it KSTATE in the kernel: saved in {fact.get('KSTATE saved, us', '?')} us, "
               f"restored in {fact.get('KSTATE restored, us', '?')} us")
        yield ""


STYLE = """
:root{--ink:#1d2433;--dim:#667085;--back:#fff;--old:#dbe7fb;--new:#d9f2e0;--none:#f4c7c3;--sent:#98a2b3;--landed:#1764d8;--seen:#d9480f}
@media(prefers-color-scheme:dark){:root{--ink:#e6e9ef;--dim:#98a2b3;--back:#12161f;--old:#1d3357;--new:#1b4029;--none:#5c2320;--sent:#7c8698;--landed:#6ba6ff;--seen:#ff9254}}
body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--back);max-width:46rem;margin:0 auto;padding:1rem}
h1{font-size:1.4rem;line-height:1.25}h2{font-size:1.1rem;margin:2rem 0 .5rem}
svg{width:100%;height:auto;display:block}svg text{font:11px system-ui,sans-serif;fill:var(--ink)}svg .dim{fill:var(--dim)}
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.2rem .4rem .2rem 0;border-bottom:1px solid var(--old);font-weight:400}
td{text-align:right;white-space:nowrap}.key{display:inline-block;width:1.4em;height:.25em;vertical-align:middle;margin:0 .3em 0 .8em}
.key:first-child{margin-left:0}p.verdict{font-weight:600}
"""

LEFT, WIDTH, TOP, HEIGHT = 34, 356, 38, 170


def chart(run, jump):
    old, new = jump["old"], jump["new"]
    start, end = window(run, jump)
    first = level(run, start, 2)
    most = max(level(run, end, column) for column in (1, 2, 3)) - first or 1

    def x(when):
        return round(LEFT + WIDTH * (min(max(when, start), end) - start) / (end - start), 1)

    def y(count):
        return round(TOP + HEIGHT - HEIGHT * max(0, count - first) / most, 1)

    def band(name, a, b, colour, anchor):
        yield f'<rect x="{x(a)}" y="{TOP}" width="{x(b) - x(a):.1f}" height="{HEIGHT}" fill="var(--{colour})"/>'
        at = {"end": x(b) - 3, "start": x(a) + 3, "middle": (x(a) + x(b)) / 2}[anchor]
        if anchor != "middle" or x(b) - x(a) > 6.2 * len(name):
            yield f'<text x="{at:.1f}" y="{TOP - 8}" text-anchor="{anchor}">{html.escape(name)}</text>'

    label = f"Frames sent, landed and seen by the guest while {old['first what']} is replaced by {new['first what']}"
    yield f'<svg viewBox="0 0 400 252" role="img" aria-label="{html.escape(label)}">'
    yield from band(old["first what"], start, old["jump"], "old", "end")
    yield from band("none", old["jump"], new["first"], "none", "middle")
    yield from band(new["first what"], new["first"], end, "new", "start")
    paused = judge.pause(run, jump)
    yield (f'<path d="M{x(paused[0])} 14H{x(paused[1])}M{x(paused[0])} 10v8M{x(paused[1])} 10v8" '
           'stroke="var(--seen)" fill="none"/>')
    yield (f'<text x="{(x(paused[0]) + x(paused[1])) / 2:.1f}" y="9" text-anchor="middle">'
           f'guest paused {paused[1] - paused[0]:.1f} s</text>')
    for second in range(int(end - start) + 1):
        yield f'<text class="dim" x="{x(start + second)}" y="{TOP + HEIGHT + 14}" text-anchor="middle">{second - 1:.0f} s</text>'
    unit = next(u for u in (200, 500, 1000, 2000, 5000, 10000, 1 << 60) if most / u <= 5)
    for count in range(0, int(most) + 1, unit):
        yield f'<text class="dim" x="{LEFT - 4}" y="{y(first + count) + 4}" text-anchor="end">{count}</text>'
    inside = [sample for sample in run.samples if start <= sample[0] <= end]
    for column, name, width in ((1, "sent", 5), (2, "landed", 2), (3, "seen", 2)):
        points = " ".join(f"{x(sample[0])},{y(sample[column])}" for sample in inside)
        yield f'<polyline points="{points}" fill="none" stroke="var(--{name})" stroke-width="{width}" stroke-linejoin="round"/>'
    at = 0
    for name, (one, begin), (other, finish) in judge.PARTS:
        a, b = jump[one][begin], jump[other][finish]
        yield f'<path d="M{x(a)} {TOP + HEIGHT + 24}H{x(b)}" stroke="var(--{"landed" if at % 2 else "dim"})" stroke-width="5"/>'
        if x(b) - x(a) > 6 * len(name):
            yield (f'<text class="dim" x="{(x(a) + x(b)) / 2:.1f}" y="{TOP + HEIGHT + 40}" text-anchor="middle">'
                   f'{name}</text>')
        at += 1
    yield "</svg>"


def page(run, verdict):
    yield '<!doctype html><html lang="en"><meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width,initial-scale=1">'
    yield f"<title>A host's kernel is replaced under a VM</title><style>{STYLE}</style>"
    yield "<h1>A host's kernel is replaced under a VM, whose device goes on</h1>"
    yield ("<p>A network card that is passed through to a guest writes each frame into the guest's memory. "
           "The host's kernel is replaced by another one, and back. All counts were taken from outside of the "
           "machine, from its memory, every 20 ms, also while there was no kernel.</p>")
    yield f'<p class="verdict">{html.escape(verdict)}</p>'
    yield ('<p><span class="key" style="background:var(--sent)"></span>sent'
           '<span class="key" style="background:var(--landed)"></span>landed in memory'
           '<span class="key" style="background:var(--seen)"></span>seen by the guest</p>')
    for n, jump in enumerate(judge.jumps(run), 1):
        yield f"<h2>Jump {n}: {html.escape(jump['old']['first what'])} to {html.escape(jump['new']['first what'])}</h2>"
        yield from chart(run, jump)
        fact = judge.facts(run)["jumps"][n - 1]
        yield "<table>"
        for name, value in (("the guest was paused", f"{fact['paused']:.2f} s"),
                            *((f"– {part}", f"{seconds:.2f} s") for part, seconds in fact["parts"].items()),
                            ("of it KSTATE in the kernel, saving", f"{fact.get('KSTATE saved, us', '?')} µs"),
                            ("– restoring", f"{fact.get('KSTATE restored, us', '?')} µs"),
                            ("frames that landed while it was", fact["landed while paused"]),
                            ("frames that landed without a kernel", fact["landed without a kernel"]),
                            ("most frames sent and not landed", fact["lag"])):
            yield f"<tr><th>{html.escape(name)}</th><td>{value}</td></tr>"
        yield "</table>"
    yield "</html>"
