"""What the two traces may differ in without anybody calling it a difference.

All of it is here, each with its reason. Else no time, descriptor number or address
is in a trace: the language has no operation that writes one.
"""
import re

PLACE = r"\S+:\d+"
RULES = [
    # (pattern, replacement, reason)
    (r"<_UnixSelectorEventLoop ", "<Loop ",
     "the name of the class"),
    (r"\[Errno \d+\] ", "",
     "Python writes the number before the text of errno"),
    (r'(?<= ! )\w+ "fd \d+": ', "",
     "Troupe says which call failed, on which descriptor"),
    (rf"<(Timer)?Handle (when=\S+ )?(\w+\(\) at {PLACE})?( ?created at {PLACE})?>", "<Handle>",
     "asyncio writes the function and where it is defined; C++ has no names for functions, "
     "and Troupe writes where the call was scheduled, as asyncio's debug mode does; when is a time"),
    (rf"(?<=Exception in callback )(<Handle>|\w+\(\) at {PLACE})", "<Handle>",
     "in this message, asyncio writes the function alone"),
    (r"(?<=> took )\d+\.\d{3}(?= seconds)", "T",
     "a time"),
    (r"<_Unix(Subprocess|ReadPipe|WritePipe)Transport ",
     lambda found: {"Subprocess": "<Subprocess ", "ReadPipe": "<ReadTransport ",
                    "WritePipe": "<WriteTransport "}[found[1]],
     "the name of the class"),
    (r"\b(fd=|pid=|pid:? |process )\d+", r"\1N",
     "the number of a descriptor or a process"),
]

# What a child tells: first `made`, last `lost`, and between them on channels.
EVENT = re.compile(r"(?P<name>\w+) (?:made$|lost\b|(?P<channel>[012]|exit) (?:data|closed|paused|resumed|-?\d+$))")


def grouped(lines):
    """Of each child, what its streams and its exit told, channel by channel, before
    `lost`; else at the end. No order is promised between them (row P13), nor between
    children. What came before `made` or after `lost` stays there, and is seen.
    """
    result, blocks, told = [], [], {}

    def settle():
        for _, block in sorted(blocks, key=lambda block: block[0]):
            result.extend(block)
        blocks.clear()

    def block_of(name, last=()):
        channels = sorted(told.pop(name, []), key=lambda event: event[0])
        blocks.append((name, [line for _, line in channels] + list(last)))

    for line in lines:
        event = EVENT.match(line)
        if event and event["channel"]:
            told.setdefault(event["name"], []).append((event["channel"], line))
        elif event:
            block_of(event["name"], [line])
        else:
            settle()
            if line == "end":
                for name in list(told):
                    block_of(name)
                settle()
            result.append(line)
    settle()
    for name in list(told):
        block_of(name)
    settle()
    return result


def normalised(trace):
    lines = []
    for line in trace.splitlines():
        for pattern, replacement, _ in RULES:
            line = re.sub(pattern, replacement, line)
        lines.append(line)
    return grouped(lines)
