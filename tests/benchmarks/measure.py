"""One run of one subject: pinned, on its own, and nothing left behind."""
import contextlib
import json
import os
import signal
import subprocess
import tempfile

TIME_LIMIT = 120  # seconds; for a subject that hangs


class Failed(Exception):
    """The run gave no result, or left something behind."""


def measure(command, cpus):
    """Returns what the subject printed (subject.h), read."""
    output = run_pinned(command, cpus)
    try:
        result = json.loads(output)
        left = result["left"]
    except (ValueError, KeyError, TypeError):
        raise Failed(f"{' '.join(command)}: printed {output!r}") from None
    leaked = ", ".join(f"{n} {what}" for what, n in left.items() if n)
    if leaked:
        raise Failed(f"{' '.join(command)}: left {leaked}")
    return result


def run_pinned(command, cpus):
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
        start_new_session=True,
        preexec_fn=lambda: take(cpus))
    ended = False
    try:
        output, _ = process.communicate(timeout=TIME_LIMIT)
        ended = True
    except subprocess.TimeoutExpired:
        raise Failed(f"{' '.join(command)}: no end in {TIME_LIMIT} s") from None
    finally:
        alive = kill_group(process.pid)
        process.wait()
        process.stdout.close()
    if process.returncode:
        raise Failed(f"{' '.join(command)}: exit code {process.returncode}")
    if ended and alive:
        raise Failed(f"{' '.join(command)}: left a process")
    return output


def take(cpus):
    """Before exec: only these CPUs, and first in line there if we may."""
    os.sched_setaffinity(0, cpus)
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, -20)
        # A session is a scheduling group of its own, with its own priority.
        with open("/proc/self/autogroup", "w") as autogroup:
            autogroup.write("-20")


def kill_group(group):
    """True if there was anybody in it."""
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def count_system_calls(command, cpus):
    """All that the subject makes, from exec to exit, by strace."""
    with tempfile.NamedTemporaryFile("r") as counts:
        run_pinned(["strace", "-f", "-c", "-o", counts.name] + command, cpus)
        total = [line for line in counts if line.endswith(" total\n")]
    return int(total[-1].split()[3])
