"""The part of the asyncio player that has to do with descriptors and signals."""
import os
import signal
import socket
import time


def signal_number(name):
    base, _, offset = name.partition("+")
    return getattr(signal, base) + int(offset or 0) if base.startswith("SIG") else int(name)


def sleeps(thread):
    with open(f"/proc/{thread}/stat") as file:
        return file.read().rpartition(")")[2].split()[0] == "S"


def wait_for_sleep(thread):
    while not sleeps(thread):
        time.sleep(0.001)


class Operations:
    """For a player, which has `loop`, `handles` and `callback(name)`."""

    def __init__(self):
        self.fds = {}
        self.children = []
        super().__init__()

    # -- descriptors

    def do_pipe(self, name):
        self.fds[name + ".r"], self.fds[name + ".w"] = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def do_socketpair(self, name):
        for end, one in zip("ab", socket.socketpair()):
            one.setblocking(False)
            self.fds[f"{name}.{end}"] = one.detach()

    def do_file(self, name):
        self.fds[name] = os.memfd_create(name)

    def do_folder(self, name):
        self.fds[name] = os.open("/", os.O_RDONLY)

    def do_number(self, name, number):
        self.fds[name] = int(number)

    def do_reader(self, fd, name):
        self.loop.add_reader(self.fds[fd], self.callback(name))
        self.handles[name] = self.loop._selector.get_key(self.fds[fd]).data[0]

    def do_writer(self, fd, name):
        self.loop.add_writer(self.fds[fd], self.callback(name))
        self.handles[name] = self.loop._selector.get_key(self.fds[fd]).data[1]

    def do_remove_reader(self, fd):
        return self.loop.remove_reader(self.fds[fd])

    def do_remove_writer(self, fd):
        return self.loop.remove_writer(self.fds[fd])

    def do_write(self, fd, count):
        return os.write(self.fds[fd], b"x" * int(count))

    def do_read(self, fd, count="65536"):
        return len(os.read(self.fds[fd], int(count)))

    def do_fill(self, fd):
        try:
            while True:
                os.write(self.fds[fd], b"x" * 4096)
        except BlockingIOError:
            pass

    def do_shut(self, fd):
        os.close(self.fds[fd])

    def do_shut_write(self, fd):
        with socket.socket(fileno=os.dup(self.fds[fd])) as one:
            one.shutdown(socket.SHUT_WR)

    # -- signals

    def do_signal(self, name, callback):
        self.loop.add_signal_handler(signal_number(name), self.callback(callback))

    def do_unsignal(self, name):
        return self.loop.remove_signal_handler(signal_number(name))

    def do_kill(self, name):
        signal.raise_signal(signal_number(name))

    def do_block(self, name):
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal_number(name)])

    def do_unblock(self, name):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal_number(name)])

    def do_ignore(self, name):
        signal.signal(signal_number(name), signal.SIG_IGN)

    def do_disposition(self, name):
        with open("/proc/self/status") as file:
            sets = dict(line.split(":\t", 1) for line in file)
        bit = 1 << (signal_number(name) - 1)
        if int(sets["SigCgt"], 16) & bit:
            return "caught"
        return "ignored" if int(sets["SigIgn"], 16) & bit else "default"

    def do_child_kills(self, name):
        parent = os.getpid()
        child = os.fork()
        if child:
            self.children.append(child)
            return
        try:
            wait_for_sleep(parent)
            os.kill(parent, signal_number(name))
        finally:
            os._exit(0)

    def do_child_gets(self, name):
        child = os.fork()
        if not child:
            try:
                self.do_kill(name)
            finally:
                os._exit(0)
        os.waitpid(child, 0)
