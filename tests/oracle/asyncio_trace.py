"""What the operations of the asyncio player write, and in which words."""
import asyncio
import errno
import os
import zlib

SHOWN = 60  # bytes; longer data is traced as its size and its sum
# Where an error has no errno: what is said, and whether its text is asyncio's
# to compare.
WORDS = [(BrokenPipeError, "EPIPE", False), (ConnectionResetError, "ECONNRESET", False),
         (ProcessLookupError, "NOT_FOUND", False), (asyncio.TimeoutError, "DEADLINE_EXCEEDED", False),
         (ValueError, "INVALID_ARGUMENT", True), (RuntimeError, "FAILED_PRECONDITION", False)]


def trace(line):
    os.write(1, (line + "\n").encode())


def words_of(error):
    """ENOENT, or a code and a text."""
    if isinstance(error, OSError) and error.errno:
        return errno.errorcode[error.errno]
    for kind, word, with_text in WORDS:
        if isinstance(error, kind):
            return f"{word} {error}" if with_text else word
    return repr(error)


def shown(data, pid=None):
    """Bytes as a word of a trace; in them, the child's own pid is PID."""
    if len(data) > SHOWN:
        return f"{len(data)} bytes, sum {zlib.adler32(data)}"
    text = "".join(chr(byte) if 32 <= byte < 127 else "\\n" if byte == 10 else f"\\x{byte:02x}" for byte in data)
    return "'" + text.replace(str(pid), "PID") + "'"


def bytes_of(words):
    """What is meant by the words of an operation: `\\n` and `\\0` are bytes."""
    return " ".join(words).replace("\\n", "\n").replace("\\0", "\0").encode()
