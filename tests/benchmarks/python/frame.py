"""What the workloads in Python share."""
import ctypes
import os
import time


class Report(dict):

    def add(self, metric, value):
        self[metric] = {"value": value}

    def add_samples(self, metric, samples):
        samples.sort()
        self[metric] = {"value": samples[len(samples) // 2],
                        "p99_us": samples[len(samples) * 99 // 100] / 1e3}


CPUS = sorted(os.sched_getaffinity(0))
now_ns = time.monotonic_ns


def pin_this_thread(index):
    os.sched_setaffinity(0, {CPUS[min(index, len(CPUS) - 1)]})


def status_kib(name):
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) for line in lines
                    if line.startswith(name))


def resident_kib():
    ctypes.CDLL(None).malloc_trim(0)
    return status_kib("RssAnon:")


def run_once(loop):
    loop.call_soon(loop.stop)
    loop.run_forever()


def descriptors():
    return len(os.listdir("/proc/self/fd"))


def children():
    try:
        os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return 0
    return 1
