// W2 to W4 with clone, epoll on pidfds and waitid, on one thread.
#ifndef TROUPE_TESTS_BENCHMARKS_LIMIT_LIMIT_CHILDREN_H_
#define TROUPE_TESTS_BENCHMARKS_LIMIT_LIMIT_CHILDREN_H_

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "tests/benchmarks/workloads/children_subject.h"

namespace troupe {

class LimitChildren : public ChildrenSubject {
 public:
  explicit LimitChildren(std::string program);
  ~LimitChildren();

  void OnReadable(int fd, std::function<void()> f);
  void Start(int stdin_fd);
  void Run(const std::function<void()>& begin);
  void Stop() { stopped_ = true; }

 private:
  static int Child(void* self);
  void Reap(int pidfd);

  std::vector<char> stack_;
  const int epoll_;
  int stdin_ = -1;  // of the child that is being made
  std::map<int, std::function<void()>> readers_;
  bool stopped_ = false;
};

}  // namespace troupe

#endif  // TROUPE_TESTS_BENCHMARKS_LIMIT_LIMIT_CHILDREN_H_
