// W2 to W4 with subprocesses, each an actor, and one observer for all, which
// lives on the I/O thread.
#ifndef TROUPE_TESTS_BENCHMARKS_TROUPE_SUBPROCESS_CHILDREN_H_
#define TROUPE_TESTS_BENCHMARKS_TROUPE_SUBPROCESS_CHILDREN_H_

#include <functional>
#include <memory>
#include <semaphore>
#include <string>
#include <utility>

#include "actors/config.h"
#include "actors/system.h"
#include "caf/actor_system.hpp"
#include "io/io_messages.h"
#include "process/process_messages.h"
#include "tests/benchmarks/workloads/children_subject.h"

namespace troupe {

class SubprocessChildren : public ChildrenSubject {
 public:
  explicit SubprocessChildren(std::string program);

  void OnReadable(int fd, std::function<void()> f) {
    fd_ = fd;
    readable_ = std::move(f);
  }
  void Start(int stdin_fd);
  void Run(const std::function<void()>& begin);
  void Stop();

 private:
  using Observer = ProcessObserver::extend<caf::reacts_to<FdReady>,
                                           caf::reacts_to<WatchEnded>>;

  static Observer::behavior_type Observe(Resident<Observer::base>* self,
                                         SubprocessChildren* children,
                                         const std::function<void()>* begin);

  Config config_;
  caf::actor_system actors_{config_};
  const std::unique_ptr<System> system_;
  std::binary_semaphore stopped_{0};
  Resident<Observer::base>* observer_ = nullptr;  // while it runs
  int code_ = 0;                                  // of the last exit
  int fd_ = -1;
  std::function<void()> readable_;
};

}  // namespace troupe

#endif  // TROUPE_TESTS_BENCHMARKS_TROUPE_SUBPROCESS_CHILDREN_H_
