#include "tests/benchmarks/subject.h"

#include <dirent.h>
#include <malloc.h>
#include <poll.h>
#include <sched.h>
#include <sys/wait.h>
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>

namespace troupe {
namespace {

int Entries(const char* folder) {
  std::unique_ptr<DIR, int (*)(DIR*)> dir(opendir(folder), closedir);
  int count = 0;
  while (dir != nullptr && readdir(dir.get()) != nullptr) ++count;
  return count;
}

int Threads() { return Entries("/proc/self/task"); }
int Descriptors() { return Entries("/proc/self/fd"); }
int Children() { return waitpid(-1, nullptr, WNOHANG | __WALL) == -1 ? 0 : 1; }

// getrusage counts the peak of who called exec, too; this line does not.
int64_t StatusKib(const std::string& name) {
  std::ifstream in("/proc/self/status");
  std::string word;
  int64_t value = 0;
  while (in >> word) {
    if (word == name && in >> value) return value;
  }
  return 0;
}

}  // namespace

void Report::Add(const std::string& metric, double value) {
  char buffer[128];
  snprintf(buffer, sizeof buffer, "\"%s\": {\"value\": %.3f}", metric.c_str(),
           value);
  text_ += (text_.empty() ? "" : ", ") + std::string(buffer);
}

void Report::AddSamples(const std::string& metric,
                        std::vector<int64_t> samples) {
  std::sort(samples.begin(), samples.end());
  char buffer[128];
  snprintf(buffer, sizeof buffer, "\"%s\": {\"value\": %.3f, \"p99_us\": %.3f}",
           metric.c_str(), static_cast<double>(samples[samples.size() / 2]),
           samples[samples.size() * 99 / 100] / 1e3);
  text_ += (text_.empty() ? "" : ", ") + std::string(buffer);
}

std::string Report::ToJson() const { return "{" + text_ + "}"; }

int RunSubject(int argc, char** argv,
               const std::map<std::string, Workload>& workloads) {
  if (argc != 5) {
    fprintf(stderr, "usage: %s SUBJECT WORKLOAD VARIANT COUNT\n", argv[0]);
    return 2;
  }
  auto found = workloads.find(std::string(argv[1]) + " " + argv[2]);
  if (found == workloads.end()) {
    fprintf(stderr, "%s: no %s by %s here\n", argv[0], argv[2], argv[1]);
    return 2;
  }
  const int descriptors = Descriptors(), threads = Threads();
  Report report;
  found->second({argv[3], atoll(argv[4])}, report);
  // A thread that has been joined may be listed for a moment more.
  for (int tries = 0; Threads() > threads && tries < 1000; ++tries) {
    poll(nullptr, 0, 1);
  }
  printf(
      "{\"metrics\": %s, \"peak_kib\": %lld, \"left\": {\"descriptors\": %d, "
      "\"threads\": %d, \"children\": %d}}\n",
      report.ToJson().c_str(), static_cast<long long>(StatusKib("VmHWM:")),
      Descriptors() - descriptors, Threads() - threads, Children());
  return 0;
}

int64_t NowNs() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * int64_t{1000000000} + now.tv_nsec;
}

void PinThisThread(int index) {
  // A thread that is pinned passes its CPU on; the first caller knows them all.
  static const cpu_set_t allowed = [] {
    cpu_set_t set;
    sched_getaffinity(0, sizeof set, &set);
    return set;
  }();
  cpu_set_t one;
  for (int cpu = 0, seen = 0; cpu < CPU_SETSIZE && seen <= index; ++cpu) {
    if (!CPU_ISSET(cpu, &allowed)) continue;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    ++seen;
  }
  sched_setaffinity(0, sizeof one, &one);
}

int64_t ResidentKib() {
  malloc_trim(0);
  return StatusKib("RssAnon:");
}

}  // namespace troupe
