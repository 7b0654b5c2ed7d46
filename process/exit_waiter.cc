#include "process/exit_waiter.h"

#include <signal.h>
#include <sys/wait.h>

#include <cerrno>
#include <utility>

#include "io/os_error.h"
#include "io/thread_mask.h"

namespace troupe {
namespace {

constexpr size_t kStackSize = 256 * 1024;

}  // namespace

ExitWaiter::ExitWaiter(ChildId child, std::function<void()> over)
    : child_(child), over_(std::move(over)) {}

ExitWaiter::~ExitWaiter() {
  if (!started_) return;
  pthread_cancel(thread_);
  pthread_join(thread_, nullptr);
}

absl::StatusOr<std::unique_ptr<ExitWaiter>> ExitWaiter::Start(
    ChildId child, std::function<void()> over) {
  std::unique_ptr<ExitWaiter> waiter(new ExitWaiter(child, std::move(over)));
  absl::Status started = waiter->StartThread();
  if (!started.ok()) return started;
  return waiter;
}

absl::Status ExitWaiter::StartThread() {
  BlockAllSignals mask;  // the thread inherits it
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, kStackSize);
  const int error = pthread_create(&thread_, &attributes, Run, this);
  pthread_attr_destroy(&attributes);
  if (error != 0) return OsError(error, "pthread_create");
  started_ = true;
  pthread_setname_np(thread_, "troupe.wait");
  return absl::OkStatus();
}

// Nothing here has a destructor: a cancelled thread unwinds from waitid. It is
// libc's waitid because only that one can be cancelled.
void* ExitWaiter::Run(void* waiter) {
  auto* self = static_cast<ExitWaiter*>(waiter);
  siginfo_t info;
  while (waitid(self->child_.type, self->child_.id, &info, WEXITED | WNOWAIT) !=
             0 &&
         errno == EINTR) {
  }
  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, nullptr);
  self->over_();
  return nullptr;
}

}  // namespace troupe
