// What the subjects of W2 to W4 have in common: whom they tell, and the pids.
#ifndef TROUPE_TESTS_BENCHMARKS_WORKLOADS_CHILDREN_SUBJECT_H_
#define TROUPE_TESTS_BENCHMARKS_WORKLOADS_CHILDREN_SUBJECT_H_

#include <sys/types.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace troupe {

class ChildrenSubject {
 public:
  explicit ChildrenSubject(std::string program)
      : program_(std::move(program)) {}
  ChildrenSubject(const ChildrenSubject&) = delete;
  ChildrenSubject& operator=(const ChildrenSubject&) = delete;

  void OnStarted(std::function<void()> f) { started_ = std::move(f); }
  void OnEnded(std::function<void(int)> f) { ended_ = std::move(f); }
  std::vector<pid_t>& pids() { return pids_; }

 protected:
  ~ChildrenSubject() = default;

  const std::string program_;
  std::function<void()> started_;
  std::function<void(int)> ended_;
  std::vector<pid_t> pids_;
};

}  // namespace troupe

#endif  // TROUPE_TESTS_BENCHMARKS_WORKLOADS_CHILDREN_SUBJECT_H_
