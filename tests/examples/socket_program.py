"""What the tests of the examples with sockets share."""
import os
import shutil
import socket
import tempfile
import unittest

import program

MEBIBYTE = os.urandom(1 << 20)


def example(name):
    return os.path.abspath(f"examples/{name}")


def installed(name):
    return unittest.skipUnless(shutil.which(name), f"{name} is not installed")


class TestCase(program.TestCase):
    def setUp(self):
        super().setUp()
        # The path of a socket is short, and the other folder's is not.
        self.sockets = tempfile.mkdtemp(prefix="troupe-")
        self.addCleanup(shutil.rmtree, self.sockets)

    def path(self, name):
        return os.path.join(self.sockets, name)

    def run_example(self, name, *arguments):
        return self.start(*arguments, program=example(name))

    def connect(self):
        """A plain client, once the server listens."""
        def try_it():
            client = socket.socket(socket.AF_UNIX)
            try:
                client.connect(self.path("socket"))
            except (FileNotFoundError, ConnectionRefusedError):
                client.close()
                return None
            return client
        client = program.until(try_it, "the server")
        client.settimeout(program.DEADLINE)
        self.addCleanup(client.close)
        return client
