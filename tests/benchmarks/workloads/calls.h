// W15 and W16: callbacks that are to run soon, scheduled on the loop's thread
// or by another one.
//
// A loop has: CallSoon(f), CallSoonThreadsafe(f), Run(), Stop(), and
// CallSoonWithHandle(f) if its CallSoon gives nothing to cancel.
#ifndef TROUPE_TESTS_BENCHMARKS_WORKLOADS_CALLS_H_
#define TROUPE_TESTS_BENCHMARKS_WORKLOADS_CALLS_H_

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <thread>
#include <utility>
#include <vector>

#include "tests/benchmarks/allocations.h"
#include "tests/benchmarks/subject.h"

namespace troupe {

// Each callback schedules the next: an iteration for every call. In batches of
// 1,000 the last callback of an iteration schedules the next thousand; with
// handles each of them could be cancelled.
template <class Loop>
class CallChain {
 public:
  CallChain(const Run& run)
      : left_(run.count),
        batch_(run.variant == "chain" ? 1 : 1000),
        handles_(run.variant == "handles") {}

  void Measure(Report& report) {
    const double count = left_;
    const int64_t allocations = Allocations(), begin = NowNs();
    Schedule();
    loop_.Run();
    report.Add("ns_per_call", (NowNs() - begin) / count);
    report.Add("allocations_per_call", (Allocations() - allocations) / count);
  }

 private:
  void Schedule() {
    const int64_t now = std::min(batch_, left_);
    left_ -= now;
    for (int64_t i = 1; i < now; ++i) Call([this] { ++ran_; });
    Call([this] { left_ > 0 ? Schedule() : loop_.Stop(); });
  }

  template <class F>
  void Call(F callback) {
    if constexpr (requires { loop_.CallSoonWithHandle(callback); }) {
      if (handles_) return loop_.CallSoonWithHandle(callback);
    }
    loop_.CallSoon(callback);
  }

  Loop loop_;
  int64_t left_;
  int64_t ran_ = 0;
  const int64_t batch_;
  const bool handles_;
};

template <class Loop>
void CallsOnLoop(const Run& run, Report& report) {
  CallChain<Loop>(run).Measure(report);
}

// As many as it can, while the loop runs them.
template <class Loop>
void FloodFromThread(const Run& run, Report& report) {
  Loop loop;
  int64_t ran = 0;
  PinThisThread(0);
  const int64_t begin = NowNs(), allocations = Allocations();
  std::thread caller([&] {
    PinThisThread(1);
    for (int64_t i = 0; i < run.count; ++i) {
      loop.CallSoonThreadsafe([&] {
        if (++ran == run.count) loop.Stop();
      });
    }
  });
  loop.Run();
  const double count = run.count;
  report.Add("ns_per_call", (NowNs() - begin) / count);
  caller.join();
  report.Add("allocations_per_call", (Allocations() - allocations) / count);
}

// One at a time, to a loop that sleeps: from the call until it runs.
template <class Loop>
void WakeFromThread(const Run& run, Report& report) {
  Loop loop;
  std::vector<int64_t> samples;
  samples.reserve(run.count);
  const int answer = eventfd(0, EFD_CLOEXEC);
  PinThisThread(0);
  std::thread caller([&] {
    PinThisThread(1);
    eventfd_t value;
    for (int64_t i = 0; i < run.count; ++i) {
      const int64_t begin = NowNs();
      loop.CallSoonThreadsafe([&, begin] {
        samples.push_back(NowNs() - begin);
        eventfd_write(answer, 1);
      });
      eventfd_read(answer, &value);
    }
    loop.CallSoonThreadsafe([&] { loop.Stop(); });
  });
  loop.Run();
  caller.join();
  close(answer);
  report.AddSamples("latency_ns", std::move(samples));
}

template <class Loop>
void CallsFromThread(const Run& run, Report& report) {
  (run.variant == "flood" ? FloodFromThread<Loop>
                          : WakeFromThread<Loop>)(run, report);
}

}  // namespace troupe

#endif  // TROUPE_TESTS_BENCHMARKS_WORKLOADS_CALLS_H_
