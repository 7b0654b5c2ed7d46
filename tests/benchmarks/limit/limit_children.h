// W2 to W4 with clone, epoll on pidfds and waitid, on one thread.
#ifndef TROUPE_TESTS_BENCHMARKS_LIMIT_LIMIT_CHILDREN_H_
#define TROUPE_TESTS_BENCHMARKS_LIMIT_LIMIT_CHILDREN_H_

#include <sys/types.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace troupe {

class LimitChildren {
 public:
  explicit LimitChildren(std::string program);
  ~LimitChildren();
  LimitChildren(const LimitChildren&) = delete;
  LimitChildren& operator=(const LimitChildren&) = delete;

  void OnStarted(std::function<void()> f) { started_ = std::move(f); }
  void OnEnded(std::function<void(int)> f) { ended_ = std::move(f); }
  void OnReadable(int fd, std::function<void()> f);
  void Start(int stdin_fd);
  std::vector<pid_t>& pids() { return pids_; }
  void Run(const std::function<void()>& begin);
  void Stop() { stopped_ = true; }

 private:
  static int Child(void* self);
  void Reap(int pidfd);

  const std::string program_;
  std::vector<char> stack_;
  const int epoll_;
  int stdin_ = -1;  // of the child that is being made
  std::function<void()> started_;
  std::function<void(int)> ended_;
  std::map<int, std::function<void()>> readers_;
  std::vector<pid_t> pids_;
  bool stopped_ = false;
};

}  // namespace troupe

#endif  // TROUPE_TESTS_BENCHMARKS_LIMIT_LIMIT_CHILDREN_H_
