#include "signals/disposition.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <mutex>

#include "absl/strings/str_cat.h"
#include "io/os_error.h"
#include "signals/signal_name.h"

namespace troupe {
namespace {

// `handler` and `previous` are written before the handler is installed and kept
// after the restore: a run of it may be on its way still, and whoever installed
// another over ours may put ours back.
struct Entry {
  std::atomic<SignalHandler> handler{nullptr};
  struct sigaction previous {};
  bool caught = false;  // under entries_mutex
};

Entry entries[NSIG];
std::mutex entries_mutex;

struct sigaction Current(int number) {
  struct sigaction action {};
  sigaction(number, nullptr, &action);
  return action;
}

bool Runs(const struct sigaction& action, SignalHandler handler) {
  return (action.sa_flags & SA_SIGINFO) != 0 && action.sa_sigaction == handler;
}

bool Same(const struct sigaction& a, const struct sigaction& b) {
  if ((a.sa_flags & SA_SIGINFO) != (b.sa_flags & SA_SIGINFO)) return false;
  return a.sa_handler == b.sa_handler;  // shares its place with sa_sigaction
}

absl::Status RestoreLocked(int number) {
  Entry& entry = entries[number];
  if (!entry.caught) {
    return absl::NotFoundError(
        absl::StrCat(SignalName(number), " is not caught"));
  }
  entry.caught = false;
  const struct sigaction current = Current(number);
  if (Runs(current, entry.handler.load())) {
    sigaction(number, &entry.previous, nullptr);
  } else if (!Same(current, entry.previous)) {  // not a YieldFault's either
    return absl::FailedPreconditionError(
        absl::StrCat(SignalName(number),
                     ": another handler was installed meanwhile; it stays"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckSignalNumber(int number) {
  const bool standard = number >= 1 && number < __SIGRTMIN;
  const bool real_time = number >= SIGRTMIN && number <= SIGRTMAX;
  if (standard || real_time) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("invalid signal number ", number));
}

absl::Status InstallHandler(int number, SignalHandler handler) {
  absl::Status valid = CheckSignalNumber(number);
  if (!valid.ok()) return valid;
  std::lock_guard<std::mutex> lock(entries_mutex);
  Entry& entry = entries[number];
  const struct sigaction current = Current(number);
  if (Runs(current, handler)) {
    entry.caught = true;
    return absl::OkStatus();
  }
  struct sigaction action {};
  action.sa_sigaction = handler;
  action.sa_flags = SA_RESTART | SA_SIGINFO | SA_ONSTACK;
  sigfillset(&action.sa_mask);
  entry.previous = current;
  entry.handler.store(handler);
  if (sigaction(number, &action, nullptr) != 0) {
    if (errno != EINVAL) return OsError(errno, "sigaction");
    return absl::FailedPreconditionError(
        absl::StrCat("sig ", number, " cannot be caught"));
  }
  entry.caught = true;
  return absl::OkStatus();
}

absl::Status RestoreDisposition(int number) {
  absl::Status valid = CheckSignalNumber(number);
  if (!valid.ok()) return valid;
  std::lock_guard<std::mutex> lock(entries_mutex);
  return RestoreLocked(number);
}

void RestoreAllDispositions() {
  std::lock_guard<std::mutex> lock(entries_mutex);
  for (int number = 1; number < NSIG; ++number) {
    RestoreLocked(number).IgnoreError();
  }
}

void YieldFault(int number) {
  sigaction(number, &entries[number].previous, nullptr);
}

void YieldSignal(int number, siginfo_t* info) {
  const Entry& entry = entries[number];
  const struct sigaction current = Current(number);
  if (Runs(current, entry.handler.load())) {
    sigaction(number, &entry.previous, nullptr);
  } else if (!Same(current, entry.previous)) {
    return;
  }
  // Pending until the handler returns, because the handler blocks all.
  syscall(SYS_rt_tgsigqueueinfo, getpid(), syscall(SYS_gettid), number, info);
}

}  // namespace troupe
