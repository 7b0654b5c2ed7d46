// How long a loop keeps others waiting: a thread writes into a pipe every 200
// microseconds, and the loop reads it when it comes to it.
//
//   LoopPing ping;
//   subject.OnReadable(ping.fd(), [&] { ping.OnReadable(); });
//   ping.Count(true);        // from here on
//   ...
//   ping.Report(report);     // ping_ns with its p99, longest_ping_ns
//
// With a CPU of its own for the thread the longest one is the longest stall of
// the loop, and the machine's own: look at the limit's beside it.
#ifndef TROUPE_TESTS_BENCHMARKS_WORKLOADS_LOOP_PING_H_
#define TROUPE_TESTS_BENCHMARKS_WORKLOADS_LOOP_PING_H_

#include <fcntl.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <thread>
#include <utility>
#include <vector>

#include "tests/benchmarks/subject.h"

namespace troupe {

class LoopPing {
 public:
  LoopPing() {
    if (pipe2(ends_, O_CLOEXEC | O_NONBLOCK) != 0) abort();
    thread_ = std::thread([this] { Send(); });
  }
  ~LoopPing() {
    over_.store(true);
    thread_.join();
    close(ends_[0]);
    close(ends_[1]);
  }
  LoopPing(const LoopPing&) = delete;
  LoopPing& operator=(const LoopPing&) = delete;

  int fd() const { return ends_[0]; }

  // On the loop's thread.
  void OnReadable() {
    int64_t sent = 0;
    while (read(ends_[0], &sent, sizeof sent) == sizeof sent) {
      if (counts_) samples_.push_back(NowNs() - sent);
    }
  }
  bool any() const { return !samples_.empty(); }
  // What was written until now counts as before. On the loop's thread.
  void Count(bool on) {
    OnReadable();
    counts_ = on;
  }

  // When the loop has stopped.
  void Report(Report& report) {
    const auto longest = std::max_element(samples_.begin(), samples_.end());
    report.Add("longest_ping_ns", *longest);
    report.AddSamples("ping_ns", std::move(samples_));
  }

 private:
  void Send() {
    const int beat = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    const itimerspec every = {{0, 200'000}, {0, 200'000}};
    if (beat < 0 || timerfd_settime(beat, 0, &every, nullptr) != 0) abort();
    uint64_t beats;
    while (!over_.load()) {
      const int64_t now = NowNs();
      (void)!write(ends_[1], &now, sizeof now);
      (void)!read(beat, &beats, sizeof beats);
    }
    close(beat);
  }

  int ends_[2];
  std::atomic<bool> over_{false};
  bool counts_ = false;
  std::vector<int64_t> samples_;
  std::thread thread_;
};

}  // namespace troupe

#endif  // TROUPE_TESTS_BENCHMARKS_WORKLOADS_LOOP_PING_H_
