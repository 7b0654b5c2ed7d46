// W2 to W4 with libuv.
#ifndef TROUPE_TESTS_BENCHMARKS_LIBUV_UV_CHILDREN_H_
#define TROUPE_TESTS_BENCHMARKS_LIBUV_UV_CHILDREN_H_

#include <sys/types.h>
#include <uv.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace troupe {

class UvChildren {
 public:
  explicit UvChildren(std::string program);
  ~UvChildren();
  UvChildren(const UvChildren&) = delete;
  UvChildren& operator=(const UvChildren&) = delete;

  void OnStarted(std::function<void()> f) { started_ = std::move(f); }
  void OnEnded(std::function<void(int)> f) { ended_ = std::move(f); }
  void OnReadable(int fd, std::function<void()> f);
  void Start(int stdin_fd);
  std::vector<pid_t>& pids() { return pids_; }
  void Run(const std::function<void()>& begin);
  void Stop();

 private:
  const std::string program_;
  uv_loop_t loop_;
  uv_poll_t poll_;
  std::function<void()> readable_;
  std::function<void()> started_;
  std::function<void(int)> ended_;
  std::vector<std::unique_ptr<uv_process_t>> free_;
  std::vector<pid_t> pids_;
};

}  // namespace troupe

#endif  // TROUPE_TESTS_BENCHMARKS_LIBUV_UV_CHILDREN_H_
