// W7 with epoll and nothing else: what is read is written back at once.
#ifndef TROUPE_TESTS_BENCHMARKS_LIMIT_LIMIT_ECHO_H_
#define TROUPE_TESTS_BENCHMARKS_LIMIT_LIMIT_ECHO_H_

#include <cstddef>
#include <vector>

namespace troupe {

class LimitEcho {
 public:
  explicit LimitEcho(const std::vector<int>& sockets);
  ~LimitEcho();
  LimitEcho(const LimitEcho&) = delete;
  LimitEcho& operator=(const LimitEcho&) = delete;

  void Run();

 private:
  bool Serve(int fd);

  const int epoll_;
  size_t open_;
  std::vector<char> room_;
};

}  // namespace troupe

#endif  // TROUPE_TESTS_BENCHMARKS_LIMIT_LIMIT_ECHO_H_
