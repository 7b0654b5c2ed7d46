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
]


def normalised(trace):
    lines = []
    for line in trace.splitlines():
        for pattern, replacement, _ in RULES:
            line = re.sub(pattern, replacement, line)
        lines.append(line)
    return lines
