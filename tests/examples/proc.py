"""What /proc says of a process, and nothing if there is none."""
import os
import re


def read(pid, name):
    """A file of /proc/PID; empty when there is no such process."""
    try:
        with open(f"/proc/{pid}/{name}", "rb") as file:
            return file.read().decode("utf-8", "replace")
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return ""


def status(pid, field):
    """A line of /proc/PID/status, without its name; empty if there is none."""
    found = re.search(rf"^{field}:\s*(.*)$", read(pid, "status"), re.M)
    return found[1] if found else ""


def peak_mib(pid):
    return int(status(pid, "VmHWM").split()[0]) / 1024


def state(pid):
    return status(pid, "State")[:1]  # R, S, T, Z …; empty: gone


def group(pid):
    return int(read(pid, "stat").rpartition(")")[2].split()[2])


def pids():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def children(pid):
    return [p for p in pids() if status(p, "PPid") == str(pid)]


def listing(pid, folder):
    try:
        return sorted(os.listdir(f"/proc/{pid}/{folder}"))
    except FileNotFoundError:
        return []


def descriptors(pid):
    return listing(pid, "fd")


def threads(pid):
    return listing(pid, "task")


def switches(pid):
    """How often any thread of the process was switched in or out."""
    total = 0
    for thread in threads(pid):
        for count in re.findall(r"ctxt_switches:\s*(\d+)", read(pid, f"task/{thread}/status")):
            total += int(count)
    return total
