// Many children of one loop, tiny ones that end when their stdin does:
//
//   W2 K      K starts in flight: each that has ended is followed by the next
//   W3 N      N wait for the end of the same pipe, and end together
//   W4 N      N live, and one is killed when the one before was reaped
//
// with `/1G` in a process that has a gigabyte resident. All with the loop's
// longest stall (loop_ping.h) while that is measured.
//
// A subject has, all but the constructor and Run for the loop's thread alone:
//   Subject(program)
//   OnEnded(f)            f(code): a child has ended and was reaped; minus the
//                         signal of one that was killed
//   OnReadable(fd, f)     before Run
//   Start(stdin_fd)       the pid is in pids() at the latest when f is called
//   OnStarted(f)          f(): pids() has one more
//   Run(f)                calls f, returns when Stop was called
//   Stop()                with no child left
#ifndef TROUPE_TESTS_BENCHMARKS_WORKLOADS_CHILDREN_H_
#define TROUPE_TESTS_BENCHMARKS_WORKLOADS_CHILDREN_H_

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "tests/benchmarks/allocations.h"
#include "tests/benchmarks/subject.h"
#include "tests/benchmarks/workloads/loop_ping.h"
#include "tests/benchmarks/workloads/tiny_program.h"

namespace troupe {

// What the three have in common.
template <class Subject>
class ChildrenRun {
 public:
  explicit ChildrenRun(const Run& run)
      : number_(std::stoll(run.variant)),
        count_(run.count),
        ballast_(run.variant.ends_with("/1G") ? size_t{1} << 30 : 0, 'x') {
    rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    subject_.OnReadable(ping_.fd(), [this] {
      ping_.OnReadable();
      StopWhenOver();
    });
  }

 protected:
  // The end of what is measured; Stop when there was a ping.
  void Over() {
    over_ = true;
    if (!ping_.any()) ping_.Count(true);
    StopWhenOver();
  }
  void StopWhenOver() {
    if (!over_ || !ping_.any()) return;
    over_ = false;
    subject_.Stop();
  }

  // The gate that children wait at, and its end.
  void MakeGate() {
    if (pipe2(gate_, O_CLOEXEC) != 0) abort();
  }
  int gate() const { return gate_[0]; }
  void OpenGate() {
    close(gate_[0]);
    close(gate_[1]);
  }

  const int64_t number_;
  const int64_t count_;
  const std::vector<char> ballast_;  // written, so that it is resident
  const TinyProgram tiny_;
  LoopPing ping_;
  Subject subject_{tiny_.path()};  // goes first: its callbacks use the rest

 private:
  bool over_ = false;
  int gate_[2];
};

template <class Subject>
class SpawnsInFlight : ChildrenRun<Subject> {
  using Base = ChildrenRun<Subject>;

 public:
  using Base::Base;

  void Measure(Report& report) {
    const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int64_t started = 0, ended = 0;
    const auto start = [&] {
      ++started;
      this->subject_.Start(null);
    };
    this->subject_.OnEnded([&](int code) {
      if (code != 0) abort();
      ++ended;
      if (started < this->count_) start();
      if (ended == this->count_) this->Over();
    });
    const int64_t begin = NowNs(), allocations = Allocations();
    this->subject_.Run([&] {
      this->ping_.Count(true);
      while (started < std::min(this->number_, this->count_)) start();
    });
    const double children = this->count_;
    report.Add("ns_per_child", (NowNs() - begin) / children);
    report.Add("allocations_per_child",
               (Allocations() - allocations) / children);
    this->ping_.Report(report);
    close(null);
  }
};

// One storm after the other, as many as there are operations.
template <class Subject>
class ExitStorms : ChildrenRun<Subject> {
  using Base = ChildrenRun<Subject>;

 public:
  using Base::Base;

  void Measure(Report& report) {
    const int64_t number = std::min(this->number_, this->count_);
    const int64_t storms = std::max<int64_t>(this->count_ / number, 1);
    int64_t left = 0, storm = 0, begin = 0, total = 0;
    const auto prepare = [&] {
      left = number;
      this->MakeGate();
      this->subject_.pids().clear();
      for (int64_t i = 0; i < number; ++i) this->subject_.Start(this->gate());
    };
    this->subject_.OnStarted([&] {
      if (std::ssize(this->subject_.pids()) < number) return;
      this->ping_.Count(true);
      begin = NowNs();
      this->OpenGate();
    });
    this->subject_.OnEnded([&](int code) {
      if (code != 0) abort();
      if (--left > 0) return;
      total += NowNs() - begin;
      this->ping_.Count(false);
      ++storm < storms ? prepare() : this->Over();
    });
    this->subject_.Run(prepare);
    report.Add("ns_per_child", total / double(storms * number));
    this->ping_.Report(report);
  }
};

// A fifth of those that live.
template <class Subject>
class ExitsAmongMany : ChildrenRun<Subject> {
  using Base = ChildrenRun<Subject>;

 public:
  using Base::Base;

  void Measure(Report& report) {
    const int64_t number = std::min(this->number_, this->count_);
    const int64_t exits = std::max<int64_t>(number / 5, 1);
    int64_t left = number, begin = 0, allocations = 0;
    std::vector<int64_t> samples;
    const auto kill_one = [&] {
      begin = NowNs();
      kill(this->subject_.pids()[samples.size() * 5], SIGKILL);
    };
    this->subject_.OnStarted([&] {
      if (std::ssize(this->subject_.pids()) < number) return;
      this->ping_.Count(true);
      samples.reserve(exits);
      allocations = Allocations();
      kill_one();
    });
    this->subject_.OnEnded([&](int code) {
      if (std::ssize(samples) < exits) {
        if (code != -SIGKILL) abort();
        samples.push_back(NowNs() - begin);
        if (std::ssize(samples) < exits) {
          kill_one();
        } else {
          allocations = Allocations() - allocations;
          this->ping_.Count(false);
          this->OpenGate();
        }
      }
      if (--left == 0) this->Over();
    });
    this->subject_.Run([&] {
      this->MakeGate();
      for (int64_t i = 0; i < number; ++i) this->subject_.Start(this->gate());
    });
    report.AddSamples("ns_per_exit", std::move(samples));
    report.Add("allocations_per_exit", allocations / double(exits));
    this->ping_.Report(report);
  }
};

template <template <class> class Measured, class Subject>
void Children(const Run& run, Report& report) {
  Measured<Subject>(run).Measure(report);
}

}  // namespace troupe

#endif  // TROUPE_TESTS_BENCHMARKS_WORKLOADS_CHILDREN_H_
