"""W1, as workloads/spawns.h has it; asyncio has not all of the options."""
import asyncio
import os
import shutil
import sys
import tempfile

from frame import now_ns

NOBODY = 65534


def spawns(loop, variant, count, report):
    name, _, large = variant.partition("/")
    ballast = bytearray(b"x") * (1 << 30) if large else None
    options = {}
    if name == "place":
        options = {"cwd": "/", "env": {"HOME": "/", "LANG": "C",
                                       "NAME": "tiny"}}
    if name == "session":
        options = {"start_new_session": True}

    async def run(program, times):
        for _ in range(times):
            child = await asyncio.create_subprocess_exec(program, **options)
            assert await child.wait() == 0

    async def measure(program):
        await run(program, count // 10 + 1)
        begin = now_ns()
        await run(program, count)
        report.add("ns_per_child", (now_ns() - begin) / count)

    # Where Bazel has put both: the modules' own paths are those of the tree.
    beside = os.path.join(os.path.dirname(sys.argv[0]), "..", "tiny")
    with tempfile.TemporaryDirectory() as folder:
        loop.run_until_complete(measure(shutil.copy(beside, folder)))
    del ballast
