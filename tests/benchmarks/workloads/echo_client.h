// The other end of W7: a child process that sends messages, waits for each to
// come back, and measures.
#ifndef TROUPE_TESTS_BENCHMARKS_WORKLOADS_ECHO_CLIENT_H_
#define TROUPE_TESTS_BENCHMARKS_WORKLOADS_ECHO_CLIENT_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "tests/benchmarks/subject.h"

namespace troupe {

class EchoClient {
 public:
  // `SIZE/CONNECTIONS` or `SIZE/CONNECTIONS+IDLE`; about so many messages in
  // all, the same number on each connection that is not idle.
  explicit EchoClient(const Run& run);
  EchoClient(const EchoClient&) = delete;
  EchoClient& operator=(const EchoClient&) = delete;
  virtual ~EchoClient() = default;

  int64_t messages() const { return rounds_ * connections_; }
  size_t idle() const { return idle_; }

  // Forks the child, before the caller has threads; the server's sockets.
  std::vector<int> Start();
  // Lets it begin; it closes its ends when it has done.
  void Go();
  // When it has ended: the nanoseconds between its first and its last message.
  int64_t Join();

 protected:
  // What a derived class does otherwise, in the child. A peer is the number of
  // its socket.
  virtual void Connect() {}  // before the clock starts
  virtual void Send(size_t peer, std::string_view message);
  // What has come, `size` bytes at most; 0: nothing yet.
  virtual size_t Receive(size_t peer, char* room, size_t size);
  const std::vector<int>& sockets() const { return sockets_; }

 private:
  [[noreturn]] void Play();
  void Exchange();

  const size_t size_;
  const size_t connections_;
  const size_t idle_;
  const int64_t rounds_;
  std::vector<int> sockets_;
  int go_[2] = {-1, -1};
  int result_[2] = {-1, -1};
  pid_t child_ = -1;
};

}  // namespace troupe

#endif  // TROUPE_TESTS_BENCHMARKS_WORKLOADS_ECHO_CLIENT_H_
