// W8: signals to 1 or 100 subscribers. `single`: SIGUSR1, the next one when the
// last subscriber was told. `burst`: 32 real-time signals at a time, which
// nobody may merge; more of them to 100 subscribers than libuv has room for are
// lost there.
//
// A loop has: OnSignal(number, f), once for each subscriber; Run(), Stop(). Its
// subscribers may run on several threads.
#ifndef TROUPE_TESTS_BENCHMARKS_WORKLOADS_SIGNALS_H_
#define TROUPE_TESTS_BENCHMARKS_WORKLOADS_SIGNALS_H_

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "tests/benchmarks/subject.h"

namespace troupe {

template <class Loop>
class SignalEcho {
 public:
  explicit SignalEcho(const Run& run)
      : burst_(run.variant.starts_with("burst") ? 32 : 1),
        number_(burst_ == 1 ? SIGUSR1 : SIGRTMIN),
        subscribers_(std::stoll(run.variant.substr(run.variant.find('/') + 1))),
        bursts_(std::max<int64_t>(run.count / burst_, 1)) {
    samples_.reserve(bursts_);
    for (int64_t i = 0; i < subscribers_; ++i) {
      loop_.OnSignal(number_, [this] { Told(); });
    }
  }

  void Measure(Report& report) {
    const int64_t begin = NowNs();
    Send();
    loop_.Run();
    const double signals = bursts_ * burst_;
    report.Add("ns_per_signal", (NowNs() - begin) / signals);
    if (burst_ == 1) report.AddSamples("latency_ns", std::move(samples_));
  }

 private:
  void Send() {
    sent_ = NowNs();
    told_.store(0);
    for (int64_t i = 0; i < burst_; ++i) kill(pid_, number_);
  }

  void Told() {
    if (told_.fetch_add(1) + 1 < burst_ * subscribers_) return;
    samples_.push_back(NowNs() - sent_);
    samples_.size() < size_t(bursts_) ? Send() : loop_.Stop();
  }

  const int64_t burst_;
  const int number_;
  const int64_t subscribers_;
  const int64_t bursts_;
  const pid_t pid_ = getpid();
  std::atomic<int64_t> told_{0};
  int64_t sent_ = 0;
  std::vector<int64_t> samples_;
  Loop loop_;  // goes first: its subscribers use the rest
};

template <class Loop>
void Signals(const Run& run, Report& report) {
  SignalEcho<Loop>(run).Measure(report);
}

}  // namespace troupe

#endif  // TROUPE_TESTS_BENCHMARKS_WORKLOADS_SIGNALS_H_
