"""W9, as workloads/timers.h has it."""
from frame import now_ns, resident_kib, run_once

MILLISECOND = 1000 * 1000
MASK = (1 << 64) - 1


def scrambled(index):
    index = (index + 1) * 0x9E3779B97F4A7C15 & MASK
    index = (index ^ (index >> 30)) * 0xBF58476D1CE4E5B9 & MASK
    return index ^ (index >> 27)


def nothing():
    pass


def timers(loop, variant, count, report):
    if variant == "lateness":
        return lateness(loop, count, report)
    if variant == "1":
        arm_and_cancel_one(loop, count, report)
        return fire_one(loop, count // 10, report)
    armed = min(int(variant), 10 * count)
    rounds = max(count // armed, 1)
    keys = [scrambled(i) for i in range(armed)]
    arm_and_cancel(loop, keys, rounds, report)
    fire(loop, [key % MILLISECOND / 1e9 for key in keys], min(rounds, 100),
         report)


def arm_and_cancel_one(loop, count, report):
    run_once(loop)
    begin = now_ns()
    for i in range(count):
        loop.call_later(3600, nothing).cancel()
        if i % 10000 == 0:
            run_once(loop)
    report.add("arm_and_cancel_ns", (now_ns() - begin) / count)


def fire_one(loop, count, report):
    fired = 0

    def call():
        nonlocal fired
        fired += 1
        if fired < count:
            loop.call_later(0, call)
        else:
            loop.stop()

    begin = now_ns()
    loop.call_later(0, call)
    loop.run_forever()
    report.add("fire_ns", (now_ns() - begin) / fired)


def arm_and_cancel(loop, keys, rounds, report):
    delays = [3.6 * (1000 + key % 1000) for key in keys]
    early = [i for i, key in enumerate(keys) if key % 10]
    late = sorted(set(range(len(keys))) - set(early))
    handles = [None] * len(keys)
    arm_ns = cancel_ns = cancelled = 0
    run_once(loop)
    before = resident_kib()
    for _ in range(rounds):
        begin = now_ns()
        for i, delay in enumerate(delays):
            handles[i] = loop.call_later(delay, nothing)
        arm_ns += now_ns() - begin
        begin = now_ns()
        for i in early:
            handles[i].cancel()
        run_once(loop)
        cancel_ns += now_ns() - begin
        cancelled += len(early)
        for i in late:
            handles[i].cancel()
    begin = now_ns()
    now = loop.time()
    for i, delay in enumerate(delays):
        handles[i] = loop.call_at(now + delay, nothing)
    report.add("arm_at_ns", (now_ns() - begin) / len(keys))
    for handle in handles:
        handle.cancel()
    report.add("arm_ns", arm_ns / (len(keys) * rounds))
    report.add("cancel_ns", cancel_ns / cancelled)
    for i in range(len(handles)):
        handles[i] = None
    run_once(loop)
    report.add("left_kib", resident_kib() - before)


def fire(loop, delays, rounds, report):
    fired = spent = 0

    def call():
        nonlocal fired
        fired += 1
        if fired == len(delays):
            loop.stop()

    for _ in range(rounds):
        fired = 0
        for delay in delays:
            loop.call_later(delay, call)
        due = now_ns() + 3 * MILLISECOND
        while now_ns() < due:
            pass
        begin = now_ns()
        loop.run_forever()
        spent += now_ns() - begin
    report.add("fire_ns", spent / (len(delays) * rounds))


def lateness(loop, count, report):
    samples = []

    def call(due):
        samples.append(now_ns() - due)
        if len(samples) == count:
            loop.stop()

    run_once(loop)
    for i in range(count):
        delay = 1 + scrambled(i) % 500
        loop.call_later(delay / 1e3, call, now_ns() + delay * MILLISECOND)
    loop.run_forever()
    report.add_samples("lateness_ns", samples)
