"""The examples with sockets, and programs that others wrote at their other end."""
import asyncio
import os
import select
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import unittest

import program

MEBIBYTE = os.urandom(1 << 20)


def example(name):
    return os.path.abspath(f"examples/{name}")


def installed(name):
    return unittest.skipUnless(shutil.which(name), f"{name} is not installed")


class SocketTest(program.TestCase):
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


class StopTest(SocketTest):
    """Those that serve until they are told to stop, with a client in the middle."""

    def stop(self, name, *arguments):
        server = self.run_example(name, *arguments)
        self.addCleanup(server.wait)
        self.addCleanup(server.send, signal.SIGKILL)
        client = self.connect()
        caught = 1 << (signal.SIGTERM - 1)
        program.until(lambda: int(program.status(server.pid, "SigCgt"), 16) & caught, "the handler")
        server.send(signal.SIGTERM)
        self.assertEqual((server.wait(), server.err), (0, ""))
        self.assertFalse(os.path.exists(self.path("socket")))
        return client

    def test_the_file_server(self):
        client = self.stop("file_server", self.path("socket"), self.sockets)
        self.assertEqual(client.recv(1), b"")

    def test_the_chat(self):
        self.stop("chat", self.path("socket"))

    def test_what_passes_descriptors(self):
        self.stop("pass_descriptor", "serve", self.path("socket"), self.write("file", "x"))


class EchoTest(SocketTest):
    def setUp(self):
        super().setUp()
        self.server = self.run_example("echo_server", self.path("socket"))
        self.server.wait_out("serving")
        self.stopping = False

    def stop(self):
        self.stopping = True
        self.server.send(signal.SIGTERM)

    def tearDown(self):
        if not self.stopping:
            self.server.send(signal.SIGTERM)
        self.assertEqual(self.server.wait(), 0)
        self.assertFalse(os.path.exists(self.path("socket")))

    def test_answers_our_own_client(self):
        client = self.run_example("echo_client", self.path("socket"), "hello", "world")
        self.assertEqual((client.wait(), client.out, client.err), (0, "hello\nworld\n", ""))

    def test_answers_asyncio(self):
        async def one():
            reader, writer = await asyncio.open_unix_connection(self.path("socket"))
            async def write():
                writer.write(MEBIBYTE)
                await writer.drain()
                writer.write_eof()
            _, echo = await asyncio.gather(write(), reader.read())
            writer.close()
            return echo

        async def many():
            return await asyncio.gather(*(one() for _ in range(20)))
        for echo in asyncio.run(many()):
            self.assertTrue(echo == MEBIBYTE)
        self.server.wait_out(rf"^pid {os.getpid()}$", 20)

    def answer_of(self, *command):
        ran = subprocess.run(command, input=MEBIBYTE, stdout=subprocess.PIPE,
                             timeout=program.DEADLINE, check=True)
        self.assertTrue(ran.stdout == MEBIBYTE)

    @installed("socat")
    def test_answers_socat(self):
        self.answer_of("socat", "-t", "30", "-", "UNIX-CONNECT:" + self.path("socket"))

    @installed("nc")
    def test_answers_netcat(self):
        self.answer_of("nc", "-N", "-U", self.path("socket"))

    def test_drains_when_it_is_told_to_stop(self):
        idle = self.connect()
        idle.sendall(b"x")
        self.assertEqual(idle.recv(1), b"x")
        self.stop()
        self.assertEqual(idle.recv(1), b"")
        self.server.wait_out("closed, 0 aborted")

    def test_aborts_a_client_that_does_not_read(self):
        client = self.connect()
        client.setblocking(False)
        while select.select([], [client], [], 0.5)[1]:  # until nobody takes any more
            client.send(MEBIBYTE)
        self.stop()
        self.server.wait_out("closed, 1 aborted")

    def test_does_not_take_the_place_of_another(self):
        second = self.run_example("echo_server", self.path("socket"))
        self.assertEqual(second.wait(), 1)
        self.assertIn("is already in use", second.err)
        self.assertIn(self.path("socket"), second.err)
        self.test_answers_our_own_client()

    def test_takes_the_place_of_one_that_was_killed(self):
        self.server.send(signal.SIGKILL)
        self.server.wait()
        self.server = self.run_example("echo_server", self.path("socket"))
        self.server.wait_out("serving")
        self.test_answers_our_own_client()


class EchoClientTest(SocketTest):
    def test_says_that_nobody_is_there(self):
        client = self.run_example("echo_client", self.path("socket"), "hello")
        self.assertEqual(client.wait(), 1)
        self.assertEqual(client.err, f'echo_client: connect "{self.path("socket")}": '
                                     "No such file or directory\n")

    def test_talks_to_asyncio(self):
        async def serve(reader, writer):
            writer.write((await reader.read()).upper())
            writer.close()

        async def both():
            async with await asyncio.start_unix_server(serve, self.path("socket")):
                client = self.run_example("echo_client", self.path("socket"), "hello")
                code = await asyncio.to_thread(client.wait)
                self.assertEqual((code, client.out), (0, "HELLO\n"))
        asyncio.run(both())

    @installed("socat")
    def test_talks_to_socat(self):
        socat = subprocess.Popen(["socat", "UNIX-LISTEN:" + self.path("socket"), "EXEC:cat"])
        program.until(lambda: os.path.exists(self.path("socket")), "socat")
        client = self.run_example("echo_client", self.path("socket"), "hello", "socat")
        self.assertEqual((client.wait(), client.out), (0, "hello\nsocat\n"))
        socat.wait(program.DEADLINE)


@installed("openssl")
class TlsTest(SocketTest):
    """Certificates of openssl's own making; a name that is ours, and one that is not."""

    def setUp(self):
        super().setUp()
        self.certificate, self.key = self.certify("server")
        self.server = self.run_example("echo_server", self.path("socket"), "--tls",
                                       self.certificate, self.key)
        self.server.wait_out("serving")

    def tearDown(self):
        self.server.send(signal.SIGTERM)
        self.assertEqual(self.server.wait(), 0)

    def certify(self, name):
        certificate, key = self.path(name + ".pem"), self.path(name + ".key")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-days", "1", "-subj", "/CN=" + name,
                        "-addext", "subjectAltName=DNS:example.org", "-out", certificate,
                        "-keyout", key], check=True, stderr=subprocess.DEVNULL)
        return certificate, key

    def client(self, authority, name):
        return self.run_example("echo_client", "--tls", authority, name, self.path("socket"), "hello")

    def test_answers_our_own_client(self):
        client = self.client(self.certificate, "example.org")
        self.assertEqual((client.wait(), client.out, client.err), (0, "hello\n", ""))

    def test_is_refused_by_our_own_client(self):
        other, _ = self.certify("other")
        for authority, name, reason in ((self.certificate, "example.com", "hostname mismatch"),
                                        (other, "example.org", "certificate verify failed")):
            client = self.client(authority, name)
            self.assertEqual(client.wait(), 1)
            self.assertIn(f'TLS handshake with "{name}"', client.err)
            self.assertIn(reason, client.err)

    def test_refuses_clients_that_others_certified(self):
        ours, key = self.certify("client")
        other, other_key = self.certify("other")
        server = self.run_example("echo_server", self.path("mutual"), "--tls", self.certificate,
                                  self.key, ours)
        self.addCleanup(server.wait)
        self.addCleanup(server.send, signal.SIGTERM)
        server.wait_out("serving")

        def ask(*arguments):
            client = self.run_example("echo_client", "--tls", self.certificate, "example.org",
                                      *arguments, self.path("mutual"), "hello")
            return client.wait(), client.out, client.err
        self.assertEqual(ask("--as", self.join(ours, key)), (0, "hello\n", ""))
        self.assertIn("certificate required", ask()[2])
        refused = ask("--as", self.join(other, other_key))
        self.assertEqual(refused[:2], (1, ""))
        self.assertIn("alert", refused[2])
        server.wait_err("certificate verify failed")
        self.assertEqual(ask("--as", self.join(ours, key)), (0, "hello\n", ""))

        def talk(chain):
            context = ssl.create_default_context(cafile=self.certificate)
            context.load_cert_chain(chain)
            with socket.socket(socket.AF_UNIX) as plain:
                plain.connect(self.path("mutual"))
                with context.wrap_socket(plain, server_hostname="example.org") as client:
                    client.sendall(b"hello")
                    return client.recv(5)
        self.assertEqual(talk(self.join(ours, key)), b"hello")
        with self.assertRaises(ssl.SSLError):
            talk(self.join(other, other_key))

    def join(self, certificate, key):
        with open(certificate) as one, open(key) as other:
            return self.write(os.path.basename(certificate) + ".both", one.read() + other.read())

    # It answers nobody who has said the last word: asyncio has no half close of TLS.
    def test_our_own_client_talks_to_asyncio(self):
        async def both(authority):
            heard = asyncio.get_running_loop().create_future()

            async def serve(reader, writer):
                heard.set_result(await reader.readline())
                writer.close()
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(self.certificate, self.key)
            async with await asyncio.start_unix_server(serve, self.path("asyncio"), ssl=context):
                client = self.run_example("echo_client", "--tls", authority, "example.org",
                                          self.path("asyncio"), "hello")
                code = await asyncio.to_thread(client.wait)
                return code, client.err, heard.done() and heard.result()
        self.assertEqual(asyncio.run(both(self.certificate)), (0, "", b"hello\n"))
        code, error, heard = asyncio.run(both(self.certify("other")[0]))
        self.assertEqual((code, heard), (1, False))
        self.assertIn("certificate verify failed", error)

    def test_answers_asyncio(self):
        async def talk(name):
            context = ssl.create_default_context(cafile=self.certificate)
            reader, writer = await asyncio.open_unix_connection(
                self.path("socket"), ssl=context, server_hostname=name)
            writer.write(MEBIBYTE)
            echo, _ = await asyncio.gather(reader.readexactly(len(MEBIBYTE)), writer.drain())
            writer.close()
            await writer.wait_closed()
            return echo
        self.assertTrue(asyncio.run(talk("example.org")) == MEBIBYTE)
        with self.assertRaises(ssl.SSLCertVerificationError):
            asyncio.run(talk("example.com"))
        self.test_answers_our_own_client()

    def test_answers_openssl(self):
        for version in ("-tls1_2", "-tls1_3"):
            with subprocess.Popen(["openssl", "s_client", "-quiet", version, "-unix",
                                   self.path("socket"), "-CAfile", self.certificate,
                                   "-verify_return_error", "-servername", "example.org"],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL) as client:
                client.stdin.write(b"hello\n")
                client.stdin.flush()
                self.assertEqual(client.stdout.readline(), b"hello\n")
                client.kill()

    def test_is_not_disturbed_by_garbage(self):
        idle = self.connect()
        garbage = self.connect()
        garbage.sendall(b"GET / HTTP/1.1\r\n\r\n")
        while garbage.recv(4096):  # the alert
            pass
        self.test_answers_our_own_client()
        idle.close()

    def test_our_own_client_talks_to_openssl(self):
        peer = subprocess.Popen(["openssl", "s_server", "-quiet", "-rev", "-unix",
                                 self.path("other"), "-cert", self.certificate, "-key", self.key],
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(peer.wait)
        self.addCleanup(peer.kill)
        program.until(lambda: os.path.exists(self.path("other")), "openssl")
        client = self.run_example("echo_client", "--tls", self.certificate, "example.org",
                                  self.path("other"), "hello")
        client.wait_out("olleh")
        self.assertEqual(client.wait(), 0)


class ChatTest(SocketTest):
    def setUp(self):
        super().setUp()
        self.room = self.run_example("chat", self.path("socket"))

    def tearDown(self):
        self.room.send(signal.SIGKILL)
        self.room.wait()

    def hears(self, guest, text):
        got = b""
        while not got.endswith(text.encode()):
            chunk = guest.recv(4096)
            self.assertTrue(chunk, got)
            got += chunk

    def test_tells_everybody_what_one_says(self):
        first = self.connect()
        self.hears(first, "guest 1 comes\n")
        second = self.connect()
        for guest in (first, second):
            self.hears(guest, "guest 2 comes\n")
        second.sendall(b"hel")
        second.sendall(b"lo\r\nagain\n")
        for guest in (first, second):
            self.hears(guest, "guest 2: hello\nguest 2: again\n")
        second.close()
        self.hears(first, "guest 2 goes\n")

    def test_goes_on_when_a_line_is_too_long(self):
        guest = self.connect()
        self.hears(guest, "guest 1 comes\n")
        guest.sendall(b"x" * 3000 + b"\nshort\n")
        self.hears(guest, "guest 1: short\n")

    def test_does_not_wait_for_a_guest_that_does_not_read(self):
        deaf = self.connect()
        self.hears(deaf, "guest 1 comes\n")
        guest = self.connect()
        self.hears(guest, "guest 2 comes\n")
        for i in range(2000):
            guest.sendall(b"x" * 900 + b"\n")
            guest.sendall(f"{i}\n".encode())
            self.hears(guest, f"guest 2: {i}\n")
        with open(f"/proc/{self.room.pid}/status", encoding="ascii") as status:
            memory = next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
        if not program.SANITIZED:
            self.assertLess(memory, 40_000)


class FileServerTest(SocketTest):
    def setUp(self):
        super().setUp()
        self.write("folder/name", "content\n")
        self.write("outside", "not yours\n")
        os.symlink(self.path("outside"), self.path("folder/link"))
        self.server = self.run_example("file_server", self.path("socket"), self.path("folder"))

    def tearDown(self):
        self.server.send(signal.SIGKILL)
        self.server.wait()

    def ask(self, request):
        """The status and the body; asked on a connection of its own."""
        client = self.connect()
        client.sendall(request)
        return self.answer(client.makefile("rb"))

    def answer(self, stream):
        status = stream.readline().decode()
        size = 0
        while (header := stream.readline().decode().strip()):
            name, _, value = header.partition(": ")
            if name == "Content-Length":
                size = int(value)
        return status.split()[1], stream.read(size)

    def get(self, path):
        return self.ask(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())

    def curl(self, *arguments):
        self.connect()
        ran = subprocess.run(["curl", "-sS", "--unix-socket", self.path("socket"), *arguments],
                             stdout=subprocess.PIPE, timeout=program.DEADLINE, check=True)
        return ran.stdout

    def code(self, path, *arguments):
        return self.curl("-o", "/dev/null", "-w", "%{http_code}", "--path-as-is", *arguments,
                         "http://localhost" + path).decode()

    @installed("curl")
    def test_serves_curl(self):
        self.assertEqual(self.curl("http://localhost/name"), b"content\n")

    @installed("curl")
    def test_serves_a_big_file(self):
        with open(self.path("folder/big"), "wb") as big:
            for _ in range(64):
                big.write(MEBIBYTE)
        self.curl("-o", self.path("got"), "http://localhost/big")
        subprocess.run(["cmp", self.path("folder/big"), self.path("got")], check=True)
        if not program.SANITIZED:
            self.assertLess(program.peak_mib(self.server.pid), 40)

    @installed("curl")
    def test_serves_two_requests_of_one_connection(self):
        out = self.curl("-w", "%{num_connects}\n", "http://localhost/name", "http://localhost/name")
        self.assertEqual(out, b"content\n1\ncontent\n0\n")

    @installed("curl")
    def test_says_what_it_does_not_serve(self):
        for path in ("/nothing", "/", "/../outside", "/./../outside", "/link", "//etc/passwd"):
            self.assertEqual(self.code(path), "404", path)
        self.assertEqual(self.code("/name", "-X", "POST"), "405")
        self.assertEqual(self.code("/name"), "200")

    def test_refuses_what_it_does_not_understand(self):
        for request in ("GET\r\n\r\n", "GET name HTTP/1.1\r\n\r\n", "GET  HTTP/1.1\r\n\r\n",
                        "GET /name FTP/1\r\n\r\n", "\r\n\r\n", "x" * 9000):
            self.assertEqual(self.ask(request.encode())[0], "400", request)

    def test_answers_in_order_what_is_asked_at_once(self):
        self.write("folder/empty", "")
        client = self.connect()
        client.sendall(b"".join(b"GET /%s HTTP/1.1\r\n\r\n" % name
                                for name in (b"name", b"nothing", b"empty", b"name")))
        stream = client.makefile("rb")
        self.assertEqual([self.answer(stream) for _ in range(4)],
                         [("200", b"content\n"), ("404", b""), ("200", b""),
                          ("200", b"content\n")])

    def test_bounds_what_is_asked_at_once(self):
        with open(self.path("folder/big"), "wb") as big:
            big.write(MEBIBYTE)
        client = self.connect()
        client.sendall(b"GET /big HTTP/1.1\r\n\r\n" * 100)
        stream = client.makefile("rb")
        answers = []
        while not answers or answers[-1][0] == "200":
            answers.append(self.answer(stream))
        self.assertEqual(answers[-1][0], "429")
        self.assertGreaterEqual(len(answers), 17)
        self.assertTrue(all(body == MEBIBYTE for _, body in answers[:-1]))


class PassDescriptorTest(SocketTest):
    def serve(self, file, **options):
        self.server = self.start("serve", self.path("socket"), file,
                                 program=example("pass_descriptor"), **options)
        self.addCleanup(self.server.wait)
        self.addCleanup(self.server.send, signal.SIGTERM)
        self.connect().close()  # it listens

    def receive(self):
        return self.run_example("pass_descriptor", "receive", self.path("socket"))

    def test_passes_a_file_to_another_process(self):
        self.serve(self.write("file", "what is in it\n"))
        for _ in range(2):
            receiver = self.receive()
            self.assertEqual((receiver.wait(), receiver.out, receiver.err),
                             (0, "what is in it\n", "a file for you\n"))

    def test_passes_the_end_of_a_pipe(self):
        out, into = os.pipe()
        self.serve("/dev/stdin", stdin=out)
        os.close(out)
        receiver = self.receive()
        os.write(into, b"by the pipe\n")
        receiver.wait_out("by the pipe")
        self.server.send(signal.SIGKILL)
        self.server.wait()
        os.write(into, b"it outlives who passed it\n")
        os.close(into)
        self.assertEqual((receiver.wait(), receiver.out),
                         (0, "by the pipe\nit outlives who passed it\n"))

    def test_passes_a_file_to_python(self):
        self.serve(self.write("file", "for a snake"))
        text, numbers, flags, _ = socket.recv_fds(self.connect(), 100, 8)
        self.assertEqual((text, len(numbers), flags), (b"a file for you\n", 1, 0))
        with os.fdopen(numbers[0]) as file:
            self.assertEqual(file.read(), "for a snake")

    def test_takes_a_file_from_python(self):
        with socket.socket(socket.AF_UNIX) as server, open(self.write("file", "by python")) as file:
            server.bind(self.path("socket"))
            server.listen()
            server.settimeout(program.DEADLINE)
            receiver = self.receive()
            client, _ = server.accept()
            with client:
                socket.send_fds(client, [b"hiss"], [file.fileno(), file.fileno()])
            self.assertEqual((receiver.wait(), receiver.out, receiver.err), (0, "by python", "hiss"))

    def test_holds_no_descriptor_of_clients_that_are_gone(self):
        self.serve(self.write("file", "x"))
        before = program.settled(lambda: program.descriptors(self.server.pid), "the server")
        for _ in range(20):
            self.connect().close()
        program.until(lambda: program.descriptors(self.server.pid) == before, "the server")

    def test_says_what_it_cannot_do(self):
        receiver = self.receive()
        self.assertEqual(receiver.wait(), 1)
        self.assertIn("No such file or directory", receiver.err)
        self.serve(self.path("nothing"))
        self.server.wait_err("cannot open .*/nothing")


if __name__ == "__main__":
    program.main()
