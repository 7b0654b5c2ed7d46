"""The part of the asyncio player that has to do with child watchers."""
import asyncio
import os
import signal
import warnings

from asyncio_subprocess import told
from asyncio_system import signal_number
from asyncio_trace import trace


class SerialMultiLoopChildWatcher(asyncio.MultiLoopChildWatcher):
    """Its handler is not entered again while it runs. Else a second exit between a waitpid and what is done with the
    status makes it report the first as lost (row V18): now and then, which no trace can expect."""

    def _sig_chld(self, number, frame):
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
        try:
            super()._sig_chld(number, frame)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


KINDS = {"pidfd": asyncio.PidfdChildWatcher, "safe": asyncio.SafeChildWatcher, "fast": asyncio.FastChildWatcher,
         "multi-loop": SerialMultiLoopChildWatcher, "threaded": asyncio.ThreadedChildWatcher}


class Operations:
    """Beside those of asyncio_subprocess."""

    def __init__(self):
        self.pids = {}
        warnings.simplefilter("ignore", RuntimeWarning)  # not in the trace; row C3
        super().__init__()

    def do_watcher(self, kind):
        watcher = KINDS[kind]()
        asyncio.set_child_watcher(watcher)
        watcher.attach_loop(self.loop)

    # -- children that nobody but the scenario knows

    def do_child(self, name, *words):
        self.pids[name] = os.posix_spawn("/bin/sh", ["sh", "-c", " ".join(words)], os.environ)

    def do_until_ended(self, name):
        """Leaves the zombie."""
        os.waitid(os.P_PID, self.pids[name], os.WEXITED | os.WNOWAIT)

    @told
    def do_take_status(self, name):
        return os.waitstatus_to_exitcode(os.waitpid(self.pids[name], 0)[1])

    def do_kill_child(self, name, number):
        os.kill(self.pids[name], signal_number(number))

    def do_stranger(self, name, number):
        self.pids[name] = int(number)

    # -- the watcher; on a running loop, as some of its kinds want it

    def on_loop(self, what):
        async def run():
            return what(asyncio.get_child_watcher())

        return self.loop.run_until_complete(run())

    @told
    def do_watch(self, child, name):
        def exited(pid, code):
            def tell():
                trace(f"{name} exit {code}")
                self.happened(name, "exit")
            self.loop.call_soon_threadsafe(tell)

        def add(watcher):
            with watcher:
                watcher.add_child_handler(self.pids[child], exited)

        self.on_loop(add)

    def do_unwatch(self, child):
        return self.on_loop(lambda watcher: watcher.remove_child_handler(self.pids[child]))

    def do_active(self):
        return self.on_loop(lambda watcher: watcher.is_active())

    def do_attach(self):
        self.on_loop(lambda watcher: watcher.attach_loop(self.loop))

    def do_detach(self):
        self.on_loop(lambda watcher: watcher.attach_loop(None))

    def do_close_watcher(self):
        self.on_loop(lambda watcher: watcher.close())
