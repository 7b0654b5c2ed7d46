// W2 to W4 with libuv.
#ifndef TROUPE_TESTS_BENCHMARKS_LIBUV_UV_CHILDREN_H_
#define TROUPE_TESTS_BENCHMARKS_LIBUV_UV_CHILDREN_H_

#include <uv.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/benchmarks/workloads/children_subject.h"

namespace troupe {

class UvChildren : public ChildrenSubject {
 public:
  explicit UvChildren(std::string program);
  ~UvChildren();

  void OnReadable(int fd, std::function<void()> f);
  void Start(int stdin_fd);
  void Run(const std::function<void()>& begin);
  void Stop();

 private:
  uv_loop_t loop_;
  uv_poll_t poll_;
  std::function<void()> readable_;
  std::vector<std::unique_ptr<uv_process_t>> free_;
};

}  // namespace troupe

#endif  // TROUPE_TESTS_BENCHMARKS_LIBUV_UV_CHILDREN_H_
