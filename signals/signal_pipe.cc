#include "signals/signal_pipe.h"

#include <sched.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <mutex>
#include <utility>

#include "io/os_error.h"
#include "signals/block_signals.h"
#include "signals/disposition.h"

namespace troupe {
namespace {

// What a handler can reach. It counts itself in before it reads the pipe, and
// the destructor clears the pipe before it reads the count.
std::atomic<SignalPipe*> live_pipe{nullptr};
std::atomic<pid_t> live_pid{0};
std::atomic<int> running_handlers{0};
std::mutex live_mutex;

bool IsFault(int number, const siginfo_t& info) {
  return info.si_code > 0 && (number == SIGSEGV || number == SIGBUS ||
                              number == SIGFPE || number == SIGILL);
}

}  // namespace

SignalPipe::SignalPipe(Options options, OwnedFd fd,
                       std::unique_ptr<SignalTaker> taker)
    : fd_(std::move(fd)),
      queue_(options.exact, options.limit),
      taker_(std::move(taker)) {}

absl::StatusOr<std::unique_ptr<SignalPipe>> SignalPipe::Create(
    Options options) {
  std::lock_guard<std::mutex> lock(live_mutex);
  if (live_pipe.load() != nullptr) {
    if (live_pid.load() == getpid()) {
      return absl::FailedPreconditionError(
          "this process has a signal pipe already, and only one can own its "
          "signal handlers");
    }
    // The parent's, copied by fork; the threads it counted are not here.
    RestoreAllDispositions();
    live_pipe.store(nullptr);
    running_handlers.store(0);
  }
  OwnedFd fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!fd.valid()) return OsError(errno, "eventfd");
  std::unique_ptr<SignalTaker> taker;
  if (auto mask = MaskBeforeBlockSignals()) {
    auto started = SignalTaker::Start(*mask);
    if (!started.ok()) return started.status();
    taker = *std::move(started);
  }
  std::unique_ptr<SignalPipe> pipe(
      new SignalPipe(options, std::move(fd), std::move(taker)));
  live_pid.store(getpid());
  live_pipe.store(pipe.get());
  return pipe;
}

SignalPipe::~SignalPipe() {
  std::lock_guard<std::mutex> lock(live_mutex);
  if (live_pipe.load() != this) return;  // a forked child made its own
  RestoreAllDispositions();
  live_pipe.store(nullptr);
  if (live_pid.load() != getpid()) return;
  while (running_handlers.load() != 0) sched_yield();
}

absl::Status SignalPipe::Catch(int number) {
  return InstallHandler(number, &SignalPipe::OnSignal);
}

absl::Status SignalPipe::Release(int number) {
  return RestoreDisposition(number);
}

// The flag goes down before the records are taken: a handler that comes later
// finds it down and writes again.
void SignalPipe::Drain(std::vector<SignalDelivery>& out) {
  std::uint64_t wakes;
  while (read(fd_.get(), &wakes, sizeof wakes) < 0 && errno == EINTR) {
  }
  woken_.store(false);
  queue_.Take(out);
}

void SignalPipe::OnSignal(int number, siginfo_t* info, void*) {
  const int saved = errno;
  if (IsFault(number, *info)) {
    YieldFault(number);
  } else if (getpid() != live_pid.load()) {
    // Forked, or a vfork child in the parent's memory: touch nothing of it.
    YieldSignal(number, info);
  } else {
    running_handlers.fetch_add(1);
    SignalPipe* pipe = live_pipe.load();
    const SignalDelivery delivery{number,       info->si_code,  info->si_pid,
                                  info->si_uid, info->si_value, 1};
    if (pipe == nullptr || !pipe->Deliver(delivery)) YieldSignal(number, info);
    running_handlers.fetch_sub(1);
  }
  errno = saved;
}

bool SignalPipe::Deliver(const SignalDelivery& delivery) {
  while (!queue_.Push(delivery)) {
    if (live_pipe.load() != this) return false;
    WakeOwner();
    const timespec millisecond{0, 1'000'000};
    nanosleep(&millisecond, nullptr);
  }
  WakeOwner();
  return true;
}

void SignalPipe::WakeOwner() {
  if (woken_.exchange(true)) return;
  const std::uint64_t one = 1;
  // Cannot fail: the counter is far from full, and no signal interrupts.
  [[maybe_unused]] ssize_t written = write(fd_.get(), &one, sizeof one);
}

}  // namespace troupe
