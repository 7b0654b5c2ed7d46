// A thread that waits for the end of one child.
//
//   auto waiter = ExitWaiter::Start(ChildId::ByPid(pid), [] { ... });
//   if (!waiter.ok()) ...   // no thread to be had
//
// `over` is called once, on that thread, when the child has ended or is not
// ours to wait for; the zombie stays. Ask then with PollExit how it ended.
//
// The destructor ends the wait, at once also if the child never ends: it
// cancels the thread in waitid(2), a cancellation point, and joins it. After it
// `over` is not called any more. Not to be destroyed by `over` itself.
//
// The thread takes no signals and has 256 KiB of stack.
#ifndef TROUPE_PROCESS_EXIT_WAITER_H_
#define TROUPE_PROCESS_EXIT_WAITER_H_

#include <pthread.h>

#include <functional>
#include <memory>

#include "absl/status/statusor.h"
#include "process/reap.h"

namespace troupe {

class ExitWaiter {
 public:
  static absl::StatusOr<std::unique_ptr<ExitWaiter>> Start(
      ChildId child, std::function<void()> over);
  ~ExitWaiter();
  ExitWaiter(const ExitWaiter&) = delete;
  ExitWaiter& operator=(const ExitWaiter&) = delete;

 private:
  ExitWaiter(ChildId child, std::function<void()> over);
  absl::Status StartThread();
  static void* Run(void* waiter);

  const ChildId child_;
  const std::function<void()> over_;
  bool started_ = false;
  pthread_t thread_ = {};
};

}  // namespace troupe

#endif  // TROUPE_PROCESS_EXIT_WAITER_H_
