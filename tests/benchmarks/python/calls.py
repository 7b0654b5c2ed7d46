"""W15 and W16, as workloads/calls.h has them."""
import os
import threading

from frame import now_ns, pin_this_thread


def nothing():
    pass


def on_loop(loop, variant, count, report):
    batch = 1 if variant == "chain" else 1000
    left = count

    def schedule():
        nonlocal left
        now = min(batch, left)
        left -= now
        for _ in range(now - 1):
            loop.call_soon(nothing)
        loop.call_soon(schedule if left else loop.stop)

    begin = now_ns()
    schedule()
    loop.run_forever()
    report.add("ns_per_call", (now_ns() - begin) / count)


def from_thread(loop, variant, count, report):
    (flood if variant == "flood" else wake)(loop, count, report)


def flood(loop, count, report):
    ran = 0

    def call():
        nonlocal ran
        ran += 1
        if ran == count:
            loop.stop()

    def caller():
        pin_this_thread(1)
        for _ in range(count):
            loop.call_soon_threadsafe(call)

    pin_this_thread(0)
    begin = now_ns()
    thread = threading.Thread(target=caller)
    thread.start()
    loop.run_forever()
    report.add("ns_per_call", (now_ns() - begin) / count)
    thread.join()


def wake(loop, count, report):
    samples = []
    answer = os.eventfd(0)

    def call(begin):
        samples.append(now_ns() - begin)
        os.eventfd_write(answer, 1)

    def caller():
        pin_this_thread(1)
        for _ in range(count):
            loop.call_soon_threadsafe(call, now_ns())
            os.eventfd_read(answer)
        loop.call_soon_threadsafe(loop.stop)

    pin_this_thread(0)
    thread = threading.Thread(target=caller)
    thread.start()
    loop.run_forever()
    thread.join()
    os.close(answer)
    report.add_samples("latency_ns", samples)
