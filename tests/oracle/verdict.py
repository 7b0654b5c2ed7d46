"""Judges two traces of a scenario: equal, or different as it and the map say."""
import difflib
import re

HEADING = "## Oracle"


def difference(asyncio, troupe):
    """The lines that only one trace has: `- line` of asyncio's, `+ line` of Troupe's."""
    return [line[0] + " " + line[1:]
            for line in difflib.unified_diff(asyncio, troupe, n=0, lineterm="")
            if not line.startswith(("---", "+++", "@@"))]


def mapped(page):
    """The (row, scenario) pairs of the list of differences in docs/asyncio.md."""
    section = page.partition("\n" + HEADING + "\n")[2].partition("\n## ")[0]
    return {(row, name) for row, name in re.findall(r"^\| (\w+) \| `(\w+)` \|", section, re.MULTILINE)}


def fault(scenario, asyncio, troupe, known):
    """What is wrong, as a text to print; empty if nothing is."""
    faults = []
    for subject, trace in (("asyncio", asyncio), ("Troupe", troupe)):
        if trace[-1:] != ["end"]:
            faults.append(f"{subject} did not come to the end:\n" + "\n".join(trace))
    found = difference(asyncio, troupe)
    if found != scenario.diff:
        faults.append("- only asyncio's trace has it, + only Troupe's\n" + "\n".join(found or ["no difference"])
                      + "\nthe scenario expects\n" + "\n".join(scenario.diff or ["no difference"]))
    expected = {(row, scenario.name) for row, _ in scenario.differences}
    faults += [f"docs/asyncio.md does not list this difference of row {row}"
               for row, _ in sorted(expected - known)]
    faults += [f"docs/asyncio.md lists a difference of row {row} that the scenario does not expect"
               for row, name in sorted(known - expected) if name == scenario.name]
    return "\n".join(faults)
