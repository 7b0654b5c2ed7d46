"""The part of the asyncio player that has to do with child processes as
transports: loop.subprocess_exec, and what its protocol is told."""
import asyncio
import functools
import os
import shutil
import subprocess
import tempfile
import threading

from asyncio_system import signal_number
from asyncio_trace import bytes_of, shown, trace, words_of

STDIO = ("stdin", "stdout", "stderr")
KINDS = {"pipe": subprocess.PIPE, "null": subprocess.DEVNULL, "inherit": None, "merged": subprocess.STDOUT}


class Failed(Exception):
    """An error in the words that both players use."""


def told(operation):
    @functools.wraps(operation)
    def run(*arguments):
        try:
            return operation(*arguments)
        except (KeyError, AttributeError):  # of the player itself
            raise
        except Exception as error:
            raise Failed(words_of(error)) from error

    return run


class Protocol(asyncio.SubprocessProtocol):
    """Traces each thing it is told; `player` acts on it."""

    def __init__(self, player, name):
        self.player = player
        self.name = name
        self.data = {1: b"", 2: b""}
        self.transport = None

    def happened(self, event, line):
        trace(f"{self.name} {line}")
        self.player.happened(self.name, event)

    def connection_made(self, transport):
        self.transport = transport
        self.happened("made", "made")

    def pipe_data_received(self, fd, data):
        self.data[fd] += data
        self.player.happened(self.name, f"{fd}-data")

    def take(self, fd):
        data, self.data[fd] = self.data[fd], b""
        return shown(data, self.transport.get_pid())

    def pipe_connection_lost(self, fd, error):
        if self.data.get(fd):
            trace(f"{self.name} {fd} data {self.take(fd)}")
        self.happened(f"{fd}-closed", f"{fd} closed" + (f": {words_of(error)}" if error else ""))

    def pause_writing(self):
        self.happened("paused", "0 paused")

    def resume_writing(self):
        self.happened("resumed", "0 resumed")

    def process_exited(self):
        self.happened("exit", f"exit {self.transport.get_returncode()}")

    def connection_lost(self, error):
        self.happened("lost", "lost" + (f": {words_of(error)}" if error else ""))


class Operations:
    def __init__(self):
        self.options = {}
        self.protocols = {}
        self.processes = {}  # the high level's
        self.folder = tempfile.mkdtemp()
        self.events = set()
        self.awaited = None
        super().__init__()

    def end_watching(self):
        """A thread of a watcher may still be about to wake the loop up."""
        for thread in threading.enumerate():
            if "waitpid" in thread.name:
                thread.join(0.2)
        shutil.rmtree(self.folder)

    # -- what the next start is given

    def options_of(self, name):
        return self.options.setdefault(name, {})

    def do_stdio(self, name, stream, kind):
        self.options_of(name)[STDIO[int(stream)]] = KINDS[kind] if kind in KINDS else int(kind)

    def do_cwd(self, name, folder):
        self.options_of(name)["cwd"] = folder

    def do_env(self, name, variable=None, *value):
        environment = self.options_of(name).setdefault("env", dict(os.environ) if variable else {})
        if variable:
            environment[variable] = " ".join(value)

    def do_umask(self, name, mask):
        self.options_of(name)["umask"] = int(mask, 8)

    def do_session(self, name):
        self.options_of(name)["start_new_session"] = True

    def do_user(self, name, number):
        self.options_of(name)["user"] = int(number)

    # -- gates: a child that reads from `$G` waits until `open G`

    def do_gate(self, name):
        os.environ[name] = f"{self.folder}/{name}"
        os.mkfifo(os.environ[name])

    def do_open(self, name):
        os.close(os.open(os.environ[name], os.O_WRONLY | os.O_CLOEXEC))

    # -- the transport

    def start(self, name, make, words):
        options = {stream: subprocess.PIPE for stream in STDIO} | self.options.pop(name, {})
        protocol = self.protocols[name] = Protocol(self, name)
        self.loop.run_until_complete(make(lambda: protocol, *words, **options))

    @told
    def do_exec(self, name, *words):
        self.start(name, self.loop.subprocess_exec, [bytes_of([word]).decode() for word in words])

    @told
    def do_shell(self, name, *words):
        self.start(name, self.loop.subprocess_shell, [" ".join(words)])

    def transport(self, name):
        if name in self.processes:
            return self.processes[name]._transport
        return self.protocols[name].transport

    def do_returncode(self, name):
        return str(self.transport(name).get_returncode())

    def do_has_pipe(self, name, stream):
        return self.transport(name).get_pipe_transport(int(stream)) is not None

    def do_describe(self, name):
        return repr(self.transport(name))

    @told
    def do_send(self, name, number):
        self.transport(name).send_signal(signal_number(number))

    @told
    def do_terminate(self, name):
        self.transport(name).terminate()

    @told
    def do_kill_process(self, name):
        self.transport(name).kill()

    def do_close_process(self, name):
        self.transport(name).close()

    def do_put(self, name, *words):
        self.transport(name).get_pipe_transport(0).write(bytes_of(words))

    def do_put_bytes(self, name, count):
        self.transport(name).get_pipe_transport(0).write(b"x" * int(count))

    def do_put_end(self, name):
        self.transport(name).get_pipe_transport(0).write_eof()

    def do_close_stream(self, name, stream):
        self.transport(name).get_pipe_transport(int(stream)).close()

    # -- what has happened

    def happened(self, name, event):
        self.events.add((name, event))
        if self.awaited == (name, event):
            self.awaited = None
            self.loop.stop()
        self.perform(f"{name}-{event}")

    def do_until(self, name, event):
        if (name, event) in self.events:
            return
        self.awaited = (name, event)
        self.loop.run_forever()

    def do_until_bytes(self, name, stream, count):
        protocol = self.protocols[name]
        while len(protocol.data[int(stream)]) < int(count):
            self.events.discard((name, stream + "-data"))
            self.do_until(name, stream + "-data")
        return protocol.take(int(stream))

    def do_children(self):
        """How many there are, zombies included."""
        count = 0
        for entry in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{entry}/stat") as file:
                    count += file.read().rpartition(")")[2].split()[1] == str(os.getpid())
            except OSError:
                pass
        return count
