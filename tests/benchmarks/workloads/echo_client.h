// The other end of W7: a child process that sends messages, waits for each to
// come back, and measures.
#ifndef TROUPE_TESTS_BENCHMARKS_WORKLOADS_ECHO_CLIENT_H_
#define TROUPE_TESTS_BENCHMARKS_WORKLOADS_ECHO_CLIENT_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace troupe {

class EchoClient {
 public:
  // About `messages` in all, the same number on each connection.
  EchoClient(size_t size, size_t connections, int64_t messages);

  int64_t messages() const { return rounds_ * connections_; }

  // Forks the child, before the caller has threads; the server's sockets.
  std::vector<int> Start();
  // Lets it begin; it closes its ends when it has done.
  void Go();
  // When it has ended: the nanoseconds between its first and its last message.
  int64_t Join();

 private:
  [[noreturn]] void Play(const std::vector<int>& sockets);
  void Exchange(const std::vector<int>& sockets);

  const size_t size_;
  const size_t connections_;
  const int64_t rounds_;
  int go_[2] = {-1, -1};
  int result_[2] = {-1, -1};
  pid_t child_ = -1;
};

}  // namespace troupe

#endif  // TROUPE_TESTS_BENCHMARKS_WORKLOADS_ECHO_CLIENT_H_
