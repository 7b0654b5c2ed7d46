#include "signals/signal_pipe.h"

#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <mutex>
#include <utility>

#include "signals/block_signals.h"
#include "signals/disposition.h"

namespace troupe {
namespace {

// What a handler can reach. It counts itself in before it reads the pipe and a
// route, and whoever clears or replaces these does so before it reads the
// count.
std::atomic<SignalPipe*> live_pipe{nullptr};
std::atomic<pid_t> live_pid{0};
std::atomic<int> running_handlers{0};
std::mutex live_mutex;

bool IsFault(int number, const siginfo_t& info) {
  return info.si_code > 0 && (number == SIGSEGV || number == SIGBUS ||
                              number == SIGFPE || number == SIGILL);
}

}  // namespace

SignalPipe::SignalPipe(std::unique_ptr<SignalBuffer> own,
                       std::unique_ptr<SignalTaker> taker)
    : own_(std::move(own)), taker_(std::move(taker)) {}

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
  auto own = SignalBuffer::Create(options);
  if (!own.ok()) return own.status();
  std::unique_ptr<SignalTaker> taker;
  if (auto mask = MaskBeforeBlockSignals()) {
    auto started = SignalTaker::Start(*mask);
    if (!started.ok()) return started.status();
    taker = *std::move(started);
  }
  std::unique_ptr<SignalPipe> pipe(
      new SignalPipe(*std::move(own), std::move(taker)));
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

void SignalPipe::SetRoute(int number, bool to_owner, Taps taps) {
  const bool at_first = to_owner && taps.empty();
  if (!at_first) {
    kept_.emplace_back(new Route{number, to_owner, std::move(taps)});
  }
  routes_[number].store(at_first ? nullptr : kept_.back().get());
  if (running_handlers.load() != 0) return;
  std::erase_if(kept_, [this](const std::unique_ptr<const Route>& route) {
    return routes_[route->number].load() != route.get();
  });
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
  const Route* route = routes_[delivery.number].load();
  if (route == nullptr) return Put(delivery, *own_);
  if (route->to_owner && !Put(delivery, *own_)) return false;
  for (const std::shared_ptr<SignalBuffer>& tap : route->taps) {
    if (!Put(delivery, *tap)) return false;
  }
  return true;
}

bool SignalPipe::Put(const SignalDelivery& delivery, SignalBuffer& buffer) {
  while (!buffer.Push(delivery)) {
    if (live_pipe.load() != this) return false;
    const timespec millisecond{0, 1'000'000};
    nanosleep(&millisecond, nullptr);
  }
  return true;
}

}  // namespace troupe
