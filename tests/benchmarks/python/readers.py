"""W17, as workloads/readers.h has it."""
import os

from frame import now_ns


def readers(loop, variant, count, report):
    pipes = [os.pipe() for _ in range(int(variant))]
    events = 0

    def ready(end, other):
        nonlocal events
        os.read(end, 1)
        events += 1
        if events == count:
            loop.stop()
        else:
            os.write(other, b"x")

    for end, other in pipes:
        loop.add_reader(end, ready, end, other)
        os.write(other, b"x")
    begin = now_ns()
    loop.run_forever()
    report.add("ns_per_event", (now_ns() - begin) / count)
    for end, other in pipes:
        loop.remove_reader(end)
        os.close(end)
        os.close(other)
