// W17: a callback for each time a descriptor is readable. The variant is how
// many pipes there are; each callback takes a byte out of its own and puts the
// next one in.
//
// A loop has: AddReader(fd, f), RemoveReader(fd), Run(), Stop().
#ifndef TROUPE_TESTS_BENCHMARKS_WORKLOADS_READERS_H_
#define TROUPE_TESTS_BENCHMARKS_WORKLOADS_READERS_H_

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "tests/benchmarks/allocations.h"
#include "tests/benchmarks/subject.h"

namespace troupe {

using Pipe = std::array<int, 2>;  // read end, write end

inline std::vector<Pipe> OpenPipes(size_t count) {
  std::vector<Pipe> pipes(count);
  for (Pipe& pipe : pipes) {
    if (pipe2(pipe.data(), O_CLOEXEC | O_NONBLOCK) != 0) abort();
  }
  return pipes;
}

inline void PutByte(const Pipe& pipe) {
  if (write(pipe[1], "x", 1) != 1) abort();
}
inline void TakeByte(const Pipe& pipe) {
  char byte;
  if (read(pipe[0], &byte, 1) != 1) abort();
}

template <class Loop>
void Readers(const Run& run, Report& report) {
  const std::vector<Pipe> pipes = OpenPipes(std::stoul(run.variant));
  const double count = run.count;
  int64_t events = 0;
  {
    Loop loop;
    for (const Pipe& pipe : pipes) {
      loop.AddReader(pipe[0], [&] {
        TakeByte(pipe);
        if (++events == run.count) return loop.Stop();
        PutByte(pipe);
      });
      PutByte(pipe);
    }
    const int64_t begin = NowNs(), allocations = Allocations();
    loop.Run();
    report.Add("ns_per_event", (NowNs() - begin) / count);
    report.Add("allocations_per_event", (Allocations() - allocations) / count);
    for (const Pipe& pipe : pipes) loop.RemoveReader(pipe[0]);
  }
  for (const Pipe& pipe : pipes) {
    close(pipe[0]);
    close(pipe[1]);
  }
}

}  // namespace troupe

#endif  // TROUPE_TESTS_BENCHMARKS_WORKLOADS_READERS_H_
