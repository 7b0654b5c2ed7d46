"""The scenarios: data that two players act out, one on asyncio, one on Troupe.

    # What it is about; where Python 3.11 differs from the table of 3.9, that too.
    scenario NewCallbacksRunInTheNextIteration
    rows L3 L12
    expect-difference L3: what Troupe does instead, and why
    - a line that only asyncio's trace has
    + a line that only Troupe's trace has
    main:
      soon a
      run
    a:
      soon b
      stop

Only `scenario`, `rows` and `main` are needed. `main` is done outside the loop; every
other name is a callback: when it runs it writes its name to the trace, then does
its operations. A callback that does nothing needs no lines. Descriptor names are
`p.r` and `p.w` of `pipe p`, `s.a` and `s.b` of `socketpair s`. Times are in
milliseconds and are never written to the trace.

    soon X, threadsafe X, later MS X, at MS X     at: after the last `base` (the start)
    cancel X, cancelled X, when X, before X Y     X's last handle; timers for the last two
    run, stop, close, running, closed, repr
    run-until-complete, answer TEXT, refuse TEXT  a request that a callback answers
    wait-until MS, past MS                        blocks the thread; is it so late?
    raise TEXT, report [TEXT], handler on|off|failing, has-handler
    debug on|off, get-debug, slow MS              slow: a callback of MS is slow
    pipe P, socketpair P, file P, folder P, number P N
    reader FD X, writer FD X, remove-reader FD, remove-writer FD
    write FD COUNT, read FD [COUNT], fill FD, shut FD, shut-write FD
    signal SIG X, unsignal SIG, kill SIG          kill: this thread
    block SIG, unblock SIG, ignore SIG, disposition SIG
    child-kills SIG                               from a child, once this thread sleeps
    child-gets SIG                                a forked child signals itself
    exec P WORDS, shell P TEXT                    asyncio's loop.subprocess_exec
    launch P WORDS, launch-shell P TEXT           asyncio.create_subprocess_exec
    launch-cancelled P WORDS                      given up while the child is made
    stdio P 0|1|2 KIND                            KIND: pipe null inherit merged NUMBER
    cwd P FOLDER, env P [NAME VALUE], umask P MASK, session P, user P N, limit P N
    gate G, open G                                a child that reads $G waits for `open`
    returncode P, has-pipe P FD, describe P, children
    send P SIG, terminate P, kill-process P, close-process P
    put P TEXT, put-bytes P COUNT, put-end P, close-stream P FD
    until P made|FD-data|FD-closed|paused|resumed|exit|lost
    until-bytes P FD COUNT                        takes what came until then
    wait P, wait-thrice P, wait-within MS P
    communicate P [TEXT], communicate-bytes P COUNT, communicate-within MS P
    line P FD, line-within MS P FD, upto P FD TEXT, exactly P FD COUNT,
    some P FD COUNT, rest P FD, drain P TEXT, wait-closed P
    watcher KIND, attach, detach, close-watcher, active
    child C TEXT, stranger C PID, watch C X, unwatch C, until X exit
    until-ended C, take-status C, kill-child C SIG
    say TEXT, quiet X, runs X                     run X without a trace; how often it ran
    do X                                          X's operations, here and now

    on N OP          only in the N-th run of this callback
    repeat N OP      N times
    other OP         on a second loop
    thread OP        on another thread, which is joined
    background OP    on another thread, once this one sleeps

Each start has a name of its own. A child P writes to the trace what its protocol is
told, and then does `P-EVENT`, if there is one: `P made`, `P 1 data TEXT` when a stream
ends, `P 1 closed`, `P exit 3`, `P lost`. What its streams and its exit tell has no
order among each other: normalise.py. With `each A B` behind the rows, the scenario is
there for A and for B, which is EACH in its operations.

What an operation finds is traced as `OP -> VALUE`, and what it fails with as
`OP ! TEXT`.
"""
import dataclasses
import pathlib
import re

ROW = re.compile(r"[A-Z]+\d+\Z")


@dataclasses.dataclass
class Scenario:
    name: str
    file: str
    rows: list = dataclasses.field(default_factory=list)
    differences: list = dataclasses.field(default_factory=list)  # (row, text)
    diff: list = dataclasses.field(default_factory=list)  # "- line", "+ line"
    script: list = dataclasses.field(default_factory=list)  # what a player reads
    each: list = dataclasses.field(default_factory=list)  # what EACH stands for

    def expanded(self):
        """Itself, or one for each word of `each`."""
        return [dataclasses.replace(self, name=self.name + word.title().replace("-", ""), each=[],
                                    script=[line.replace("EACH", word) for line in self.script])
                for word in self.each] or [self]


def parse(text, file):
    """All scenarios of a file; ValueError names the line that is none of the language."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        word, _, rest = line.partition(" ")
        if not line.strip() or line.startswith("#"):
            continue
        if word == "scenario" and re.fullmatch(r"[A-Z]\w+", rest):
            found.append(Scenario(rest, file))
        elif not found:
            raise ValueError(f"{file}:{number}: before the first scenario: {line}")
        elif line.startswith("  ") or re.fullmatch(r"[\w-]+:", line):
            found[-1].script.append(line)
        elif found[-1].script:
            raise ValueError(f"{file}:{number}: after the first callback: {line}")
        elif word == "rows" and all(map(ROW.match, rest.split())):
            found[-1].rows += rest.split()
        elif word == "each" and rest:
            found[-1].each += rest.split()
        elif word == "expect-difference" and ROW.match(rest.partition(": ")[0]):
            found[-1].differences.append(tuple(rest.split(": ", 1)))
        elif word in ("-", "+") and found[-1].differences:
            found[-1].diff.append(line)
        else:
            raise ValueError(f"{file}:{number}: not understood: {line}")
    for scenario in found:
        if not scenario.rows or "main:" not in scenario.script:
            raise ValueError(f"{file}: {scenario.name} has no rows or no main")
    return [one for scenario in found for one in scenario.expanded()]


def load(folder):
    """The scenarios of all files in a folder, by name."""
    found = {}
    for path in sorted(pathlib.Path(folder).glob("*.scenario")):
        for scenario in parse(path.read_text(), path.name):
            if scenario.name in found:
                raise ValueError(f"{path.name}: {scenario.name} is there twice")
            found[scenario.name] = scenario
    return found
