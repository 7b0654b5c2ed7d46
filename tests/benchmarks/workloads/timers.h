// W9: timers. The variant is how many are armed at once, but not more than ten
// times COUNT; `lateness` is how long after its time one fires.
//
// A loop has: ReserveTimers(n), Arm(index, delay, f), Now() and ArmAt(index,
// when, f) on its own clock, Cancel(index), ForgetTimers() for the handles,
// CallSoon(f), RunOnce() without sleeping, Run(), Stop().
#ifndef TROUPE_TESTS_BENCHMARKS_WORKLOADS_TIMERS_H_
#define TROUPE_TESTS_BENCHMARKS_WORKLOADS_TIMERS_H_

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "tests/benchmarks/allocations.h"
#include "tests/benchmarks/subject.h"
#include "tests/benchmarks/workloads/timer_rounds.h"

namespace troupe {

// One at a time, 10,000 in each iteration, between which a loop that removes
// cancelled timers later does it.
template <class Loop>
class SingleTimer {
 public:
  explicit SingleTimer(const Run& run) : count_(run.count) {
    loop_.ReserveTimers(1);
    loop_.RunOnce();
  }

  void ArmAndCancel(Report& report) {
    const int64_t allocations = Allocations(), begin = NowNs();
    for (int64_t done = 0; done < count_; done += kTogether) {
      InLoop(loop_, [&] {
        for (int64_t i = done; i < std::min(done + kTogether, count_); ++i) {
          loop_.Arm(0, 3600 * 1000 * kMillisecond, [this] { ++fired_; });
          loop_.Cancel(0);
        }
      });
    }
    report.Add("arm_and_cancel_ns", double(NowNs() - begin) / count_);
    report.Add("allocations_per_timer",
               double(Allocations() - allocations) / count_);
  }

  // Each arms the next one, which is due at once.
  void Fire(Report& report) {
    const int64_t begin = NowNs();
    ArmNext();
    loop_.Run();
    report.Add("fire_ns", double(NowNs() - begin) / fired_);
  }

 private:
  static constexpr int64_t kTogether = 10'000;

  void ArmNext() {
    loop_.Arm(0, 0,
              [this] { ++fired_ < count_ / 10 ? ArmNext() : loop_.Stop(); });
  }

  Loop loop_;
  const int64_t count_;
  int64_t fired_ = 0;
};

// Whole milliseconds, because some know no others.
template <class Loop>
void TimerLateness(const Run& run, Report& report) {
  Loop loop;
  loop.ReserveTimers(run.count);
  std::vector<int64_t> samples;
  samples.reserve(run.count);
  loop.RunOnce();  // some count from their last look at the clock
  for (int64_t i = 0; i < run.count; ++i) {
    const int64_t delay = (1 + Scrambled(i) % 500) * kMillisecond;
    const int64_t due = NowNs() + delay;
    loop.Arm(i, delay, [&, due] {
      samples.push_back(NowNs() - due);
      if (samples.size() == size_t(run.count)) loop.Stop();
    });
  }
  loop.Run();
  report.AddSamples("lateness_ns", std::move(samples));
}

template <class Loop>
void Timers(const Run& run, Report& report) {
  if (run.variant == "lateness") return TimerLateness<Loop>(run, report);
  if (run.variant != "1") return TimerRounds<Loop>(run).Measure(report);
  SingleTimer<Loop> timer(run);
  timer.ArmAndCancel(report);
  timer.Fire(report);
}

}  // namespace troupe

#endif  // TROUPE_TESTS_BENCHMARKS_WORKLOADS_TIMERS_H_
