"""W8, as workloads/signals.h has it. asyncio has one handler for a signal, so
subscribers are functions that it calls.
"""
import os
import signal

from frame import now_ns


def signals(loop, variant, count, report):
    kind, subscribers = variant.split("/")
    burst = 32 if kind == "burst" else 1
    number = signal.SIGUSR1 if burst == 1 else signal.SIGRTMIN
    bursts = max(count // burst, 1)
    samples = []
    pid = os.getpid()
    told = sent = 0
    all_told = burst * int(subscribers)

    def send():
        nonlocal told, sent
        told, sent = 0, now_ns()
        for _ in range(burst):
            os.kill(pid, number)

    def subscriber():
        nonlocal told
        told += 1
        if told == all_told:
            samples.append(now_ns() - sent)
            loop.stop() if len(samples) == bursts else send()

    functions = [subscriber] * int(subscribers)

    def handler():
        for function in functions:
            function()

    loop.add_signal_handler(number, handler)
    begin = now_ns()
    loop.call_soon(send)  # uvloop hears of signals only while it runs
    loop.run_forever()
    report.add("ns_per_signal", (now_ns() - begin) / (bursts * burst))
    loop.remove_signal_handler(number)
    if burst == 1:
        report.add_samples("latency_ns", samples)
