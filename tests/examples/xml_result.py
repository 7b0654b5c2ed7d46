"""The result of a run of unittest, as a test.xml with a case for each test."""
import re
import time
import traceback
import unittest
from xml.sax.saxutils import escape, quoteattr


class XmlResult(unittest.TextTestResult):
    """Also keeps one <testcase> per test, for Bazel and whoever counts."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.cases = []

    def startTest(self, test):
        self._began = time.monotonic()
        self._failure = ""
        super().startTest(test)

    def _failed(self, tag, error):
        text = "".join(traceback.format_exception(*error))
        # What XML cannot hold, such as an escape sequence, is written out.
        text = re.sub(r"[^\t\n\x20-\ud7ff\ue000-\ufffd]", lambda m: repr(m[0])[1:-1], text)
        self._failure += f"<{tag} message={quoteattr(str(error[1])[:200].encode('ascii', 'replace').decode())}>" \
            .translate({i: None for i in range(32)}) + f"{escape(text)}</{tag}>"

    def addError(self, test, error):
        super().addError(test, error)
        self._failed("error", error)

    def addFailure(self, test, error):
        super().addFailure(test, error)
        self._failed("failure", error)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self._failure = None

    def stopTest(self, test):
        super().stopTest(test)
        skipped = self._failure is None
        class_name, _, name = test.id().rpartition(".")
        took = time.monotonic() - self._began
        self.cases.append(f'<testcase name={quoteattr(name)} classname={quoteattr(class_name)} '
                          f'time="{took:.3f}"' + (' status="notrun"><skipped/>' if skipped else ' status="run">') +
                          f"{self._failure or ''}</testcase>")

    def write_xml(self, path):
        with open(path, "w", encoding="utf-8") as file:
            file.write('<?xml version="1.0" encoding="UTF-8"?>\n<testsuites><testsuite name="program" '
                       f'tests="{len(self.cases)}" failures="{len(self.failures)}" '
                       f'errors="{len(self.errors)}">\n' + "\n".join(self.cases) +
                       "\n</testsuite></testsuites>\n")
