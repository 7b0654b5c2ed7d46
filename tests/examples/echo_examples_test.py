"""The echo server and client, plain and with TLS, and programs that others wrote
at their other end."""
import asyncio
import os
import select
import signal
import socket
import ssl
import subprocess

import program
import socket_program


class EchoTest(socket_program.TestCase):
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
                writer.write(socket_program.MEBIBYTE)
                await writer.drain()
                writer.write_eof()
            _, echo = await asyncio.gather(write(), reader.read())
            writer.close()
            return echo

        async def many():
            return await asyncio.gather(*(one() for _ in range(20)))
        for echo in asyncio.run(many()):
            self.assertTrue(echo == socket_program.MEBIBYTE)
        self.server.wait_out(rf"^pid {os.getpid()}$", 20)

    def answer_of(self, *command):
        ran = subprocess.run(command, input=socket_program.MEBIBYTE, stdout=subprocess.PIPE,
                             timeout=program.DEADLINE, check=True)
        self.assertTrue(ran.stdout == socket_program.MEBIBYTE)

    @socket_program.installed("socat")
    def test_answers_socat(self):
        self.answer_of("socat", "-t", "30", "-", "UNIX-CONNECT:" + self.path("socket"))

    @socket_program.installed("nc")
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
            client.send(socket_program.MEBIBYTE)
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


class EchoClientTest(socket_program.TestCase):
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

    @socket_program.installed("socat")
    def test_talks_to_socat(self):
        socat = subprocess.Popen(["socat", "UNIX-LISTEN:" + self.path("socket"), "EXEC:cat"])
        program.until(lambda: os.path.exists(self.path("socket")), "socat")
        client = self.run_example("echo_client", self.path("socket"), "hello", "socat")
        self.assertEqual((client.wait(), client.out), (0, "hello\nsocat\n"))
        socat.wait(program.DEADLINE)


@socket_program.installed("openssl")
class TlsTest(socket_program.TestCase):
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
            writer.write(socket_program.MEBIBYTE)
            echo, _ = await asyncio.gather(reader.readexactly(len(socket_program.MEBIBYTE)), writer.drain())
            writer.close()
            await writer.wait_closed()
            return echo
        self.assertTrue(asyncio.run(talk("example.org")) == socket_program.MEBIBYTE)
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


if __name__ == "__main__":
    program.main()
