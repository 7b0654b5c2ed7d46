// W9: timers. The variant is how many are armed at once, but not more than ten
// times COUNT; `lateness` is how long after its time one fires.
//
// A loop has: ReserveTimers(n), Arm(index, delay, f), Cancel(index),
// ForgetTimers() for the handles, RunOnce() without sleeping, Run(), Stop().
#ifndef TROUPE_TESTS_BENCHMARKS_WORKLOADS_TIMERS_H_
#define TROUPE_TESTS_BENCHMARKS_WORKLOADS_TIMERS_H_

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "tests/benchmarks/allocations.h"
#include "tests/benchmarks/subject.h"

namespace troupe {

constexpr int64_t kMillisecond = 1000 * 1000;

// The same sequence for every subject, in no order.
inline uint64_t Scrambled(uint64_t index) {
  index = (index + 1) * 0x9E3779B97F4A7C15;
  index = (index ^ (index >> 30)) * 0xBF58476D1CE4E5B9;
  return index ^ (index >> 27);
}

// Rounds of: arm all, cancel nine of ten, let the loop look at what is left,
// cancel the rest. Then rounds in which all are armed and fire.
template <class Loop>
class TimerRounds {
 public:
  explicit TimerRounds(const Run& run)
      : armed_(std::min<int64_t>(std::stoll(run.variant), 10 * run.count)),
        rounds_(std::max<int64_t>(run.count / armed_, 1)) {
    loop_.ReserveTimers(armed_);
  }

  void Measure(Report& report) {
    loop_.RunOnce();
    const int64_t before = ResidentKib();
    const int64_t allocations = Allocations();
    for (int64_t round = 0; round < rounds_; ++round) {
      ArmAll();
      CancelNineOfTen();
    }
    report.Add("arm_ns", double(arm_ns_) / (armed_ * rounds_));
    report.Add("cancel_ns", double(cancel_ns_) / cancelled_);
    report.Add("allocations_per_timer",
               double(Allocations() - allocations) / (armed_ * rounds_));
    loop_.ForgetTimers();
    loop_.RunOnce();
    report.Add("left_kib", ResidentKib() - before);
    Fire(report);
  }

 private:
  bool IsCancelledEarly(int64_t i) const {
    return armed_ < 10 || Scrambled(i) % 10 != 0;
  }

  void ArmAll() {
    const int64_t begin = NowNs();
    for (int64_t i = 0; i < armed_; ++i) {
      const int64_t hours = 3600 * (1000 + Scrambled(i) % 1000);
      loop_.Arm(i, hours * kMillisecond, [this] { ++fired_; });
    }
    arm_ns_ += NowNs() - begin;
  }

  // A loop that removes cancelled timers later does it here.
  void CancelNineOfTen() {
    const int64_t before = cancelled_, begin = NowNs();
    for (int64_t i = 0; i < armed_; ++i) {
      if (!IsCancelledEarly(i)) continue;
      loop_.Cancel(i);
      ++cancelled_;
    }
    if (before / kPerLook != cancelled_ / kPerLook) loop_.RunOnce();
    cancel_ns_ += NowNs() - begin;
    for (int64_t i = 0; i < armed_; ++i) {
      if (!IsCancelledEarly(i)) loop_.Cancel(i);
    }
  }

  void Fire(Report& report) {
    const int64_t rounds = std::min<int64_t>(rounds_, 100);
    int64_t spent = 0;
    for (int64_t round = 0; round < rounds; ++round) {
      fired_ = 0;
      for (int64_t i = 0; i < armed_; ++i) {
        const int64_t delay = Scrambled(i) % kMillisecond;
        loop_.Arm(i, delay, [this] {
          if (++fired_ == armed_) loop_.Stop();
        });
      }
      for (int64_t due = NowNs() + 3 * kMillisecond; NowNs() < due;) continue;
      const int64_t begin = NowNs();
      loop_.Run();
      spent += NowNs() - begin;
    }
    report.Add("fire_ns", double(spent) / (armed_ * rounds));
  }

  // Cancellations between two looks of the loop, about as many as a busy loop
  // has; otherwise one timer at a time would measure epoll_wait.
  static constexpr int64_t kPerLook = 9000;

  Loop loop_;
  const int64_t armed_;
  const int64_t rounds_;
  int64_t arm_ns_ = 0;
  int64_t cancel_ns_ = 0;
  int64_t cancelled_ = 0;
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
  TimerRounds<Loop>(run).Measure(report);
}

}  // namespace troupe

#endif  // TROUPE_TESTS_BENCHMARKS_WORKLOADS_TIMERS_H_
