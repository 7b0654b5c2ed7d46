"""The other examples with sockets, and programs that others wrote at their other
end."""
import os
import signal
import socket
import subprocess

import proc
import program
import socket_program


class StopTest(socket_program.TestCase):
    """Those that serve until they are told to stop, with a client in the middle."""

    def stop(self, name, *arguments):
        server = self.run_example(name, *arguments)
        self.addCleanup(server.wait)
        self.addCleanup(server.send, signal.SIGKILL)
        client = self.connect()
        caught = 1 << (signal.SIGTERM - 1)
        program.until(lambda: int(proc.status(server.pid, "SigCgt"), 16) & caught, "the handler")
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


class ChatTest(socket_program.TestCase):
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


class FileServerTest(socket_program.TestCase):
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

    @socket_program.installed("curl")
    def test_serves_curl(self):
        self.assertEqual(self.curl("http://localhost/name"), b"content\n")

    @socket_program.installed("curl")
    def test_serves_a_big_file(self):
        with open(self.path("folder/big"), "wb") as big:
            for _ in range(64):
                big.write(socket_program.MEBIBYTE)
        self.curl("-o", self.path("got"), "http://localhost/big")
        subprocess.run(["cmp", self.path("folder/big"), self.path("got")], check=True)
        if not program.SANITIZED:
            self.assertLess(proc.peak_mib(self.server.pid), 40)

    @socket_program.installed("curl")
    def test_serves_two_requests_of_one_connection(self):
        out = self.curl("-w", "%{num_connects}\n", "http://localhost/name", "http://localhost/name")
        self.assertEqual(out, b"content\n1\ncontent\n0\n")

    @socket_program.installed("curl")
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
            big.write(socket_program.MEBIBYTE)
        client = self.connect()
        client.sendall(b"GET /big HTTP/1.1\r\n\r\n" * 100)
        stream = client.makefile("rb")
        answers = []
        while not answers or answers[-1][0] == "200":
            answers.append(self.answer(stream))
        self.assertEqual(answers[-1][0], "429")
        self.assertGreaterEqual(len(answers), 17)
        self.assertTrue(all(body == socket_program.MEBIBYTE for _, body in answers[:-1]))


class PassDescriptorTest(socket_program.TestCase):
    def serve(self, file, **options):
        self.server = self.start("serve", self.path("socket"), file,
                                 program=socket_program.example("pass_descriptor"), **options)
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
        before = program.settled(lambda: proc.descriptors(self.server.pid), "the server")
        for _ in range(20):
            self.connect().close()
        program.until(lambda: proc.descriptors(self.server.pid) == before, "the server")

    def test_says_what_it_cannot_do(self):
        receiver = self.receive()
        self.assertEqual(receiver.wait(), 1)
        self.assertIn("No such file or directory", receiver.err)
        self.serve(self.path("nothing"))
        self.server.wait_err("cannot open .*/nothing")


if __name__ == "__main__":
    program.main()
