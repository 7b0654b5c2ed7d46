"""Acts out every scenario on asyncio and on Troupe and compares the traces.

    ./bazelw test //tests/oracle:asyncio                        all
    ./bazelw test //tests/oracle:asyncio --test_filter=Timer    whose name has Timer

Each scenario is a test case. Read scenario.py for the language, normalise.py for
what may differ, verdict.py for what is judged.
"""
import concurrent.futures
import os
import subprocess
import sys
import tempfile
import threading
import time
import xml.etree.ElementTree as ET

import normalise
import scenario
import verdict

FOLDER = "tests/oracle"
PLAYERS = {
    "asyncio": [sys.executable, "-B", FOLDER + "/asyncio_player.py"],
    "Troupe": [FOLDER + "/troupe_player"],
}
DEADLINE = 20  # seconds: a player that sleeps for ever has failed
LIMIT = 20_000  # bytes: so has one that never stops


def trace_of(player, script):
    """What the player wrote; if it did not end well, the end says how."""
    with tempfile.TemporaryFile("w+") as complaint, subprocess.Popen(
            player, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=complaint) as started:
        late = threading.Timer(DEADLINE, started.kill)
        late.start()
        started.stdin.write("\n".join(script).encode())
        started.stdin.close()
        trace = started.stdout.read(LIMIT).decode()
        if len(trace) == LIMIT:
            started.kill()
        code = started.wait()
        late.cancel()
        if code:
            complaint.seek(0)
            trace += f"\n{complaint.read()}ended with {code}; after {DEADLINE} s or {LIMIT} bytes it is killed"
    return normalise.normalised(trace)


def judge(one, known):
    with concurrent.futures.ThreadPoolExecutor() as pool:
        traces = pool.map(lambda player: trace_of(player, one.script), PLAYERS.values())
    return verdict.fault(one, *traces, known)


def main():
    only = os.environ.get("TESTBRIDGE_TEST_ONLY", "")  # bazel test --test_filter
    with open("docs/asyncio.md") as page:
        known = verdict.mapped(page.read())
    scenarios = scenario.load(FOLDER + "/scenarios")
    faults = {name: f"docs/asyncio.md lists {row} for it, and there is no such scenario"
              for row, name in known if name not in scenarios}
    suite = ET.Element("testsuite", name="asyncio")
    for name in [*faults, *(name for name in scenarios if only in name)]:
        began = time.monotonic()
        fault = faults.get(name) or judge(scenarios[name], known)
        case = ET.SubElement(suite, "testcase", classname="asyncio", name=name, status="run",
                             time=f"{time.monotonic() - began:.3f}")
        if fault:
            faults[name] = fault
            ET.SubElement(case, "failure", message=fault.splitlines()[0]).text = fault
            where = scenarios[name].file if name in scenarios else "docs/asyncio.md"
            print(f"-- {name} ({where})\n{fault}\n", flush=True)
    suite.set("tests", str(len(suite)))
    suite.set("failures", str(len(faults)))
    if "XML_OUTPUT_FILE" in os.environ:
        ET.ElementTree(suite).write(os.environ["XML_OUTPUT_FILE"])
    print(f"{len(suite)} scenarios, {len(faults)} failed")
    sys.exit(1 if faults or not len(suite) else 0)


main()
