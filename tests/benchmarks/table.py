"""What came out: medians, ratios, and how they are printed."""
import json
from statistics import median

from workloads import PEERS, SUBJECTS

COLUMNS = "{:22}{:14}{:>10}{:>20}{:>9}{:>10}" + "{:>11}" * len(PEERS)
_NO_RATIOS = [""] * len(PEERS)


class Results:
    """The runs of one variant of one workload."""

    def __init__(self, workload, variant):
        self.workload = workload
        self.variant = variant
        self.values = {}  # (metric, subject): one value for each run
        self.p99s = {}
        self.peaks = {}  # subject: one for each run

    def add(self, subject, result):
        self.peaks.setdefault(subject, []).append(result["peak_kib"])
        for metric, measured in result["metrics"].items():
            key = metric, subject
            self.values.setdefault(key, []).append(measured["value"])
            if "p99_us" in measured:
                self.p99s.setdefault(key, []).append(measured["p99_us"])

    def rows(self):
        """Grouped by metric."""
        metrics = list(dict.fromkeys(metric for metric, _ in self.values))
        return sorted(self.values, key=lambda key: metrics.index(key[0]))

    def to_json(self):
        return "".join(json.dumps({
            "workload": self.workload.number,
            "variant": self.variant,
            "subject": subject,
            "metric": metric,
            "median": median(self.values[metric, subject]),
            "p99_us": self.p99(metric, subject),
            "peak_kib": median(self.peaks.get(subject, [0])),
        }) + "\n" for metric, subject in self.rows())

    def p99(self, metric, subject):
        p99s = self.p99s.get((metric, subject))
        return median(p99s) if p99s else None

    def to_table(self):
        heading = f"{self.workload.number} {self.variant}"
        lines = [f"\n{heading}: {self.workload.title}",
                 COLUMNS.format("", "", "median", "min .. max", "p99 us",
                                "peak KiB", *(f"x {p}" for p in PEERS))]
        shown = None
        for metric, subject in self.rows():
            lines.append(self.line(metric, subject, metric == shown))
            shown = metric
        return "\n".join(lines)

    def line(self, metric, subject, known):
        values = self.values[metric, subject]
        p99 = self.p99(metric, subject)
        peaks = self.peaks.get(subject)
        return COLUMNS.format(
            "" if known else metric, subject, number(median(values)),
            f"{number(min(values))} .. {number(max(values))}",
            "" if p99 is None else number(p99),
            "" if peaks is None else number(median(peaks)),
            *(self.times_as_fast(metric, subject, peer) for peer in PEERS)
        ).rstrip()

    def times_as_fast(self, metric, subject, peer):
        """2.0: this subject takes half of the peer's time."""
        times = self.values.get((metric, peer))
        own = median(self.values.get((metric, subject), [0]))
        is_time = "ns" in metric.split("_")
        # libuv's timers come early; that is no speed.
        if subject == peer or not times or not is_time or own <= 0 \
                or median(times) <= 0:
            return ""
        return f"{median(times) / own:.2f}"

    def markdown_rows(self, subjects):
        rows = []
        for metric in dict.fromkeys(metric for metric, _ in self.rows()):
            rows.append((metric, self.by_subject(self.values, metric),
                         [self.times_as_fast(metric, "troupe", peer)
                          for peer in PEERS]))
            if p99s := self.by_subject(self.p99s, metric):
                rows.append(("p99 in us", p99s, _NO_RATIOS))
        peaks = {s: median(kib) for s, kib in self.peaks.items()}
        rows.append(("peak in KiB", peaks, _NO_RATIOS))
        return [markdown([f"{self.workload.number} {self.variant}, {name}"]
                         + [number(medians[subject]) if subject in medians
                            else "" for subject in subjects] + ratios)
                for name, medians, ratios in rows]

    def by_subject(self, measured, wanted):
        return {subject: median(values) for (metric, subject), values
                in measured.items() if metric == wanted}


def markdown_table(all_results):
    """A line for each metric, a column for each subject that ran."""
    ran = {subject for results in all_results for subject in results.peaks}
    subjects = [subject for subject in SUBJECTS if subject in ran]
    header = ["median", *subjects, *(f"x {peer}" for peer in PEERS)]
    lines = [markdown(header), markdown(["---"] + ["--:"] * (len(header) - 1))]
    for results in all_results:
        lines += results.markdown_rows(subjects)
    return "\n".join(lines) + "\n"


def markdown(cells):
    return "| " + " | ".join(cells) + " |"


def number(value):
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
