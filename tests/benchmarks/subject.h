// A subject of the comparison: a program that runs one workload once and prints
// what it measured. compare.py starts it as
//
//   PROGRAM SUBJECT WORKLOAD VARIANT COUNT
//
// and reads one line of JSON: the metrics, the peak of resident memory, and
// what is open or running at the end that was not at the begin.
//
//   int main(int argc, char** argv) {
//     return RunSubject(argc, argv, {{"limit W17", Readers<LimitLoop>}});
//   }
//
// COUNT is how many operations to measure; a workload divides by it, so that
// results of different counts compare.
#ifndef TROUPE_TESTS_BENCHMARKS_SUBJECT_H_
#define TROUPE_TESTS_BENCHMARKS_SUBJECT_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace troupe {

class Report {
 public:
  void Add(const std::string& metric, double value);
  // Single measurements in nanoseconds: their median, and their p99.
  void AddSamples(const std::string& metric, std::vector<int64_t> samples);

  std::string ToJson() const;  // `{"arm_ns": {"value": 61.2}, ...}`

 private:
  std::string text_;
};

struct Run {
  std::string variant;
  int64_t count = 0;
};
using Workload = void (*)(const Run& run, Report& report);

// The keys of `workloads` are `SUBJECT WORKLOAD`. Returns main's result.
int RunSubject(int argc, char** argv,
               const std::map<std::string, Workload>& workloads);

int64_t NowNs();  // CLOCK_MONOTONIC

// The calling thread's CPU: the one at `index` of those the program may use,
// or the last.
void PinThisThread(int index);

// What this process has in memory of its own, without what the allocator could
// give back.
int64_t ResidentKib();

}  // namespace troupe

#endif  // TROUPE_TESTS_BENCHMARKS_SUBJECT_H_
