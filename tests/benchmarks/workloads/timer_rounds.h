// W9, many timers at once; timers.h has the rest.
#ifndef TROUPE_TESTS_BENCHMARKS_WORKLOADS_TIMER_ROUNDS_H_
#define TROUPE_TESTS_BENCHMARKS_WORKLOADS_TIMER_ROUNDS_H_

#include <algorithm>
#include <cstdint>
#include <string>

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

// Calls `work` where programs arm and cancel timers: in a callback of the loop.
template <class Loop, class F>
void InLoop(Loop& loop, F work) {
  loop.CallSoon([&] {
    work();
    loop.Stop();
  });
  loop.Run();
}

// Rounds of: arm all, cancel nine of ten, let the loop look at what is left,
// cancel the rest; the last of them arms all by one look at the clock. Then
// rounds in which all are armed and fire.
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
    ArmAll(/*by_one_look=*/true);
    CancelNineOfTen();
    report.Add("arm_ns", double(arm_ns_) / (armed_ * rounds_));
    report.Add("arm_at_ns", double(arm_at_ns_) / armed_);
    report.Add("cancel_ns", double(cancel_ns_) / cancelled_);
    report.Add("allocations_per_timer",
               double(Allocations() - allocations) / (armed_ * (rounds_ + 1)));
    loop_.ForgetTimers();
    loop_.RunOnce();
    report.Add("left_kib", ResidentKib() - before);
    Fire(report);
  }

 private:
  static bool IsCancelledEarly(int64_t i) { return Scrambled(i) % 10 != 0; }

  void ArmAll(bool by_one_look = false) {
    InLoop(loop_, [&] {
      const int64_t begin = NowNs(), now = loop_.Now();
      for (int64_t i = 0; i < armed_; ++i) {
        const int64_t hours = 3600 * (1000 + Scrambled(i) % 1000);
        const int64_t delay = hours * kMillisecond;
        if (by_one_look) {
          loop_.ArmAt(i, now + delay, [this] { ++fired_; });
        } else {
          loop_.Arm(i, delay, [this] { ++fired_; });
        }
      }
      (by_one_look ? arm_at_ns_ : arm_ns_) += NowNs() - begin;
    });
  }

  // A loop that removes cancelled timers later does it in RunOnce.
  void CancelNineOfTen() {
    const int64_t begin = NowNs();
    InLoop(loop_, [this] {
      for (int64_t i = 0; i < armed_; ++i) {
        if (!IsCancelledEarly(i)) continue;
        loop_.Cancel(i);
        ++cancelled_;
      }
    });
    loop_.RunOnce();
    cancel_ns_ += NowNs() - begin;
    InLoop(loop_, [this] {
      for (int64_t i = 0; i < armed_; ++i) {
        if (!IsCancelledEarly(i)) loop_.Cancel(i);
      }
    });
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

  Loop loop_;
  const int64_t armed_;
  const int64_t rounds_;
  int64_t arm_ns_ = 0;
  int64_t arm_at_ns_ = 0;
  int64_t cancel_ns_ = 0;
  int64_t cancelled_ = 0;
  int64_t fired_ = 0;
};

}  // namespace troupe

#endif  // TROUPE_TESTS_BENCHMARKS_WORKLOADS_TIMER_ROUNDS_H_
