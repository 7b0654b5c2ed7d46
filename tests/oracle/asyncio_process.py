"""The part of the asyncio player that has to do with child processes as the
high level has them: asyncio.create_subprocess_exec."""
import asyncio

from asyncio_subprocess import told
from asyncio_trace import bytes_of, shown


class Operations:
    """Beside those of asyncio_subprocess."""

    def launch(self, name, make, words):
        self.processes[name] = self.loop.run_until_complete(make(*words, **self.options.pop(name, {})))

    @told
    def do_launch(self, name, *words):
        self.launch(name, asyncio.create_subprocess_exec, [bytes_of([word]).decode() for word in words])

    @told
    def do_launch_shell(self, name, *words):
        self.launch(name, asyncio.create_subprocess_shell, [" ".join(words)])

    def do_limit(self, name, count):
        self.options_of(name)["limit"] = int(count)

    @told
    def do_launch_cancelled(self, name, *words):
        """Given up by who asked, once the child is being made."""
        async def give_up():
            task = asyncio.ensure_future(asyncio.create_subprocess_exec(*words, **self.options.pop(name, {})))
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])

        self.loop.run_until_complete(give_up())

    def answer(self, question, ms=None):
        if ms is not None:
            question = asyncio.wait_for(question, int(ms) / 1000)
        return self.loop.run_until_complete(question)

    # -- waiting

    @told
    def do_wait(self, name):
        return self.answer(self.processes[name].wait())

    @told
    def do_wait_within(self, ms, name):
        return self.answer(self.processes[name].wait(), ms)

    @told
    def do_wait_thrice(self, name):
        async def wait():
            return await asyncio.gather(*[self.processes[name].wait() for _ in range(3)])

        return " ".join(map(str, self.answer(wait())))

    def gathered(self, name, parts):
        process = self.processes[name]
        texts = [part if part is None else shown(part, process.pid) for part in parts]
        return f"{texts[0]} {texts[1]} {process.returncode}"

    @told
    def do_communicate(self, name, *words):
        given = bytes_of(words) if words else None
        return self.gathered(name, self.answer(self.processes[name].communicate(given)))

    @told
    def do_communicate_bytes(self, name, count):
        return self.gathered(name, self.answer(self.processes[name].communicate(b"x" * int(count))))

    @told
    def do_communicate_within(self, ms, name):
        return self.gathered(name, self.answer(self.processes[name].communicate(), ms))

    # -- reading

    def stream(self, name, number):
        return self.processes[name].stdout if number == "1" else self.processes[name].stderr

    def taken(self, name, question, ms=None):
        try:
            return shown(self.answer(question, ms), self.processes[name].pid)
        except asyncio.IncompleteReadError as error:
            return "incomplete " + shown(error.partial, self.processes[name].pid)

    @told
    def do_line(self, name, stream):
        return self.taken(name, self.stream(name, stream).readline())

    @told
    def do_line_within(self, ms, name, stream):
        return self.taken(name, self.stream(name, stream).readline(), ms)

    @told
    def do_upto(self, name, stream, separator):
        return self.taken(name, self.stream(name, stream).readuntil(bytes_of([separator])))

    @told
    def do_exactly(self, name, stream, count):
        return self.taken(name, self.stream(name, stream).readexactly(int(count)))

    @told
    def do_some(self, name, stream, count):
        return self.taken(name, self.stream(name, stream).read(int(count)))

    @told
    def do_rest(self, name, stream):
        return self.taken(name, self.stream(name, stream).read())

    # -- writing

    @told
    def do_drain(self, name, *words):
        async def drain():
            self.processes[name].stdin.write(bytes_of(words))
            await self.processes[name].stdin.drain()

        self.answer(drain())
        return "done"

    @told
    def do_wait_closed(self, name):
        self.answer(self.processes[name].stdin.wait_closed())
        return "done"
