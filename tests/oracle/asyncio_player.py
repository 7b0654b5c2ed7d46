"""Acts out the scenario on stdin (scenario.py has the language) on asyncio.

Writes the trace to stdout, a line per event, as it happens.
"""
import asyncio
import logging
import os
import sys
import threading

import asyncio_process
import asyncio_subprocess
import asyncio_system
import asyncio_watcher
from asyncio_trace import trace


class Raised(Exception):
    """What `raise` throws through a callback."""


# The second comes when a drain's error is collected: some time, or never (row H11).
UNTRACED = ("Using selector", "Future exception was never retrieved")


class Logged(logging.Handler):
    def emit(self, record):
        if record.getMessage().startswith(UNTRACED):
            return
        for line in record.getMessage().splitlines():
            trace("log: " + line)
        if record.exc_info and record.exc_info[1]:
            trace(f"log: exception: {record.exc_info[1]}")


class Player(asyncio_system.Operations, asyncio_process.Operations, asyncio_watcher.Operations,
             asyncio_subprocess.Operations):
    def __init__(self, lines):
        self.bodies = {}
        for line in lines:
            if line.startswith(" "):
                self.bodies[name].append(line.split())
            else:
                name = line.strip().rstrip(":")
                self.bodies[name] = []
        self.loop = asyncio.new_event_loop()
        self.second = None
        self.handles = {}
        self.runs = {}
        self.silent = set()
        self.request = None
        self.threads = []
        super().__init__()
        self.do_base()

    def play(self):
        self.perform("main")
        for thread in self.threads:
            thread.join()
        for child in self.children:
            os.waitpid(child, 0)
        self.end_watching()
        for loop in filter(None, (self.loop, self.second)):
            loop.close()
        trace("end")

    def perform(self, name):
        self.runs[name] = run = self.runs.get(name, 0) + 1
        for operation in self.bodies.get(name, []):
            if operation[0] == "on":
                if int(operation[1]) != run:
                    continue
                operation = operation[2:]
            self.do(operation)

    def do(self, operation):
        name, *arguments = operation
        try:
            value = getattr(self, "do_" + name.replace("-", "_"))(*arguments)
        except Raised:
            raise
        except Exception as error:
            trace(f"{' '.join(operation)} ! {error}")
        else:
            if value is not None:
                trace(f"{' '.join(operation)} -> {value}")

    def callback(self, name):
        def run():
            if name not in self.silent:
                trace(name)
            self.perform(name)

        run.__name__ = run.__qualname__ = name
        return run

    # -- prefixes

    def do_do(self, name):
        self.perform(name)

    def do_repeat(self, times, *operation):
        for _ in range(int(times)):
            self.do(operation)

    def do_other(self, *operation):
        if not self.second:
            self.second = asyncio.new_event_loop()
        before, self.loop = self.loop, self.second
        try:
            self.do(operation)
        finally:
            self.loop = before

    def do_thread(self, *operation):
        thread = threading.Thread(target=self.do, args=[operation])
        thread.start()
        thread.join()

    def do_background(self, *operation):
        def run(own=threading.get_native_id()):
            asyncio_system.wait_for_sleep(f"self/task/{own}")
            self.do(operation)

        self.threads.append(threading.Thread(target=run))
        self.threads[-1].start()

    # -- callbacks and timers

    def do_soon(self, name):
        self.handles[name] = self.loop.call_soon(self.callback(name))

    def do_threadsafe(self, name):
        self.handles[name] = self.loop.call_soon_threadsafe(self.callback(name))

    def do_later(self, ms, name):
        self.handles[name] = self.loop.call_later(float(ms) / 1000, self.callback(name))

    def do_at(self, ms, name):
        self.handles[name] = self.loop.call_at(self.zero + float(ms) / 1000, self.callback(name))

    def do_cancel(self, name):
        self.handles[name].cancel()

    def do_cancelled(self, name):
        return self.handles[name].cancelled()

    def do_when(self, name):
        return round((self.handles[name].when() - self.zero) * 1000)

    def do_before(self, one, other):
        return self.handles[one] < self.handles[other]

    def do_base(self):
        self.zero = self.loop.time()

    def do_past(self, ms):
        return self.loop.time() >= self.zero + float(ms) / 1000

    def do_wait_until(self, ms):
        while not self.do_past(ms):
            pass

    def do_say(self, *text):
        trace(" ".join(text))

    def do_quiet(self, name):
        self.silent.add(name)

    def do_runs(self, name):
        return self.runs.get(name, 0)

    # -- running

    def do_run(self):
        self.loop.run_forever()
        return "done"

    def do_run_until_complete(self):
        self.request = self.loop.create_future()
        return self.loop.run_until_complete(self.request)

    def do_answer(self, *text):
        self.request.set_result(" ".join(text))

    def do_refuse(self, *text):
        self.request.set_exception(RuntimeError(" ".join(text)))

    def do_stop(self):
        self.loop.stop()

    def do_close(self):
        self.loop.close()

    def do_running(self):
        return self.loop.is_running()

    def do_closed(self):
        return self.loop.is_closed()

    def do_repr(self):
        return repr(self.loop)

    # -- exceptions and debug mode

    def do_raise(self, *text):
        raise Raised(" ".join(text))

    def do_report(self, *text):
        self.loop.call_exception_handler({"message": " ".join(text)} if text else {})

    def do_handler(self, kind):
        def handle(loop, context):
            trace(f"handler: {context.get('message', '')}, {context.get('exception', 'none')}")
            if kind == "failing":
                raise RuntimeError("the handler failed")

        self.loop.set_exception_handler(None if kind == "off" else handle)

    def do_has_handler(self):
        return self.loop.get_exception_handler() is not None

    def do_debug(self, on):
        self.loop.set_debug(on == "on")

    def do_get_debug(self):
        return self.loop.get_debug()

    def do_slow(self, ms):
        self.loop.slow_callback_duration = float(ms) / 1000


def main():
    logger = logging.getLogger("asyncio")
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    logger.addHandler(Logged())
    Player(sys.stdin).play()


main()
