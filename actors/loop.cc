#include "actors/loop.h"

#include <pthread.h>

#include <cstdio>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "actors/debug_mode.h"
#include "actors/loop_actor.h"
#include "io/actor_sink.h"
#include "io/check_local.h"
#include "io/io_actor.h"
#include "io/thread_mask.h"

namespace troupe {
namespace {

thread_local Loop* running_here = nullptr;

// A forked child has the thread, but does not run the loop (asyncio compares
// the pid).
void ForgetInForkedChildren() {
  static const int registered =
      pthread_atfork(nullptr, nullptr, [] { running_here = nullptr; });
  (void)registered;
}

absl::Status Refused(const char* why) {
  return absl::FailedPreconditionError(why);
}

const char* PythonBool(bool value) { return value ? "True" : "False"; }

// Without overflow: infinite delays stay infinite.
int64_t AddNs(int64_t now_ns, absl::Duration delay) {
  return absl::ToInt64Nanoseconds(absl::Nanoseconds(now_ns) + delay);
}

}  // namespace

// The loop runs on this thread as long as one of these lives.
class Loop::RunScope {
 public:
  explicit RunScope(Loop& loop) : loop_(loop) {
    running_here = &loop;
    loop.host_->Enter();
    loop.calls_.Enter();
  }
  ~RunScope() {
    loop_.calls_.Leave();
    loop_.host_->Leave();
    loop_.stopping_ = false;
    running_here = nullptr;
    loop_.running_.store(false);
  }

 private:
  Loop& loop_;
  ScopedSigpipeBlock sigpipe_;
};

// -- life ---------------------------------------------------------------------

absl::StatusOr<std::unique_ptr<Loop>> Loop::Create(System& system,
                                                   Options options) {
  ForgetInForkedChildren();
  if (options.clock == nullptr) options.clock = &SystemClock::Get();
  auto host =
      IoHost::Create(system.actors(), SelectorKind::kEpoll, *options.clock);
  if (!host.ok()) return host.status();
  return std::unique_ptr<Loop>(
      new Loop(system, std::move(options), *std::move(host)));
}

Loop::Loop(System& system, Options options, std::shared_ptr<IoHost> host)
    : system_(system),
      clock_(*options.clock),
      log_(std::move(options.log)),
      host_(std::move(host)),
      calls_(clock_, *this),
      fds_(host_->watches(), calls_),
      signals_(system, calls_, *host_,
               [this](int number, const absl::Status& why) {
                 ExceptionContext context;
                 context.message = absl::StrCat("Signal handler for ", number,
                                                " lost: ", why.message());
                 CallExceptionHandler(context);
               }),
      io_(SpawnIoActor(*host_)),
      actor_(SpawnLoopActor(*this)) {
  host_->SetTurn(&calls_);
  SetDebug(DebugWanted());
}

Loop::~Loop() {
  absl::Status closed = Close();
  if (closed.ok()) return;
  absl::FPrintF(stderr, "troupe: a loop was destroyed: %s\n", closed.message());
  std::abort();
}

absl::Status Loop::Close() {
  if (running_.load()) return Refused("Cannot close a running event loop");
  if (IsClosed()) return absl::OkStatus();
  if (debug_) Log(absl::StrCat("Close ", ToString()));
  calls_.Close();  // first: what is destroyed from here on adds nothing
  signals_.Clear();
  actor_ = LoopActor();
  io_ = IoActor();
  host_->SetTurn(nullptr);
  host_->Shutdown();
  host_->SetDebugSink(nullptr);  // the host may live on
  host_.reset();
  return absl::OkStatus();
}

Loop* Loop::Running() { return running_here; }

// -- callbacks ----------------------------------------------------------------

CallHandle Loop::CallSoon(Callback callback, CodeLocation where) {
  return calls_.Soon(std::move(callback), where);
}

CallHandle Loop::CallSoonThreadsafe(Callback callback, CodeLocation where) {
  return calls_.SoonThreadsafe(std::move(callback), where);
}

CallHandle Loop::CallLater(absl::Duration delay, Callback callback,
                           CodeLocation where) {
  return calls_.At(AddNs(clock_.NowNs(), delay), std::move(callback), where);
}

CallHandle Loop::CallAt(absl::Duration when, Callback callback,
                        CodeLocation where) {
  return calls_.At(absl::ToInt64Nanoseconds(when), std::move(callback), where);
}

CallHandle Loop::CallEvery(absl::Duration period, Callback callback,
                           CodeLocation where) {
  return CallEveryFrom(Time() + period, period, std::move(callback), where);
}

CallHandle Loop::CallEveryFrom(absl::Duration first, absl::Duration period,
                               Callback callback, CodeLocation where) {
  return calls_.Every(absl::ToInt64Nanoseconds(first),
                      absl::ToInt64Nanoseconds(period), std::move(callback),
                      where);
}

// -- descriptors and signals --------------------------------------------------

CallHandle Loop::AddReader(int fd, Callback callback, CodeLocation where) {
  return fds_.Add(fd, Side::kRead, std::move(callback), where);
}

CallHandle Loop::AddWriter(int fd, Callback callback, CodeLocation where) {
  return fds_.Add(fd, Side::kWrite, std::move(callback), where);
}

absl::StatusOr<FdCallbacks::Registration> Loop::AddReader(int fd,
                                                          FdObserver observer) {
  return AddObserver(fd, Side::kRead, std::move(observer));
}

absl::StatusOr<FdCallbacks::Registration> Loop::AddWriter(int fd,
                                                          FdObserver observer) {
  return AddObserver(fd, Side::kWrite, std::move(observer));
}

absl::StatusOr<FdCallbacks::Registration> Loop::AddObserver(
    int fd, Side side, FdObserver observer) {
  if (!observer) return absl::InvalidArgumentError("a watch without observer");
  absl::Status refused =
      CheckLocal(observer, system_.actors().node(), "a descriptor");
  if (refused.ok()) refused = calls_.CheckThread();
  if (!refused.ok()) return refused;
  auto added = fds_.AddSink(fd, side, MakeActorSink(observer, *host_));
  if (added.ok()) ArmWatch(added->watch, side);
  return added;
}

bool Loop::RemoveReader(int fd) {
  return calls_.CheckThread().ok() && fds_.Remove(fd, Side::kRead);
}

bool Loop::RemoveWriter(int fd) {
  return calls_.CheckThread().ok() && fds_.Remove(fd, Side::kWrite);
}

void Loop::ArmWatch(WatchId watch, Side side) {
  if (!calls_.CheckThread().ok()) return;
  host_->watches().Arm(
      watch, side,
      side == Side::kRead ? Interest::kReadable : Interest::kWritable);
}

bool Loop::RemoveRegistration(int fd, Side side, uint64_t token) {
  return fds_.Remove(fd, side, token);
}

CallHandle Loop::AddSignalHandler(int number, Callback callback,
                                  CodeLocation where) {
  return signals_.Add(number, std::move(callback), where);
}

bool Loop::RemoveSignalHandler(int number) {
  return calls_.CheckThread().ok() && signals_.Remove(number);
}

// -- running ------------------------------------------------------------------

absl::Status Loop::CheckRunnable() const {
  if (IsClosed()) return Refused("Event loop is closed");
  if (running_.load()) return Refused("This event loop is already running");
  if (Host::AnyOnThisThread()) {
    return Refused("Cannot run the event loop while another loop is running");
  }
  return absl::OkStatus();
}

absl::Status Loop::RunForever() {
  absl::Status refused = CheckRunnable();
  if (!refused.ok()) return refused;
  if (running_.exchange(true)) {
    return Refused("This event loop is already running");
  }
  RunScope scope(*this);
  do {
    host_->RunOnce(/*may_sleep=*/!stopping_);
  } while (!stopping_);
  return absl::OkStatus();
}

absl::Status Loop::RunOnce(bool may_sleep) {
  absl::Status refused = CheckRunnable();
  if (!refused.ok()) return refused;
  if (running_.exchange(true)) {
    return Refused("This event loop is already running");
  }
  RunScope scope(*this);
  host_->RunOnce(may_sleep && !stopping_);
  return absl::OkStatus();
}

// From elsewhere it waits in line, also for a run that just begins or ends.
void Loop::Stop() {
  if (calls_.OnThread()) {
    stopping_ = true;
  } else {
    CallSoonThreadsafe([this] { stopping_ = true; });
  }
}

// -- exceptions and debugging -------------------------------------------------

void Loop::SetExceptionHandler(ExceptionHandler handler) {
  handler_ = std::move(handler);
}

void Loop::CallExceptionHandler(const ExceptionContext& context) {
  // The handler may set another one while it runs.
  const ExceptionHandler handler = handler_;
  HandleException(handler, log_, *this, context);
}

void Loop::DefaultExceptionHandler(const ExceptionContext& context) {
  LogException(log_, context);
}

void Loop::OnException(const CallHandle& call, std::exception_ptr exception) {
  ExceptionContext context;
  context.message = absl::StrCat("Exception in callback ", call.ToString());
  context.exception = std::move(exception);
  context.handle = call;
  CallExceptionHandler(context);
}

void Loop::OnSlow(const CallHandle& call, absl::Duration took) {
  Log(absl::StrFormat("Executing %s took %.3f seconds", call.ToString(),
                      absl::ToDoubleSeconds(took)));
}

void Loop::Log(const std::string& report) {
  ExceptionContext context;
  context.message = report;
  HandleException(nullptr, log_, *this, context);
}

void Loop::SetDebug(bool on) {
  debug_ = on;
  SetSlowCallbackDuration(slow_);
  if (host_ == nullptr) return;
  host_->SetDebugSink(
      on ? [this](absl::string_view line) { Log(std::string(line)); }
         : DebugSink());
}

void Loop::SetSlowCallbackDuration(absl::Duration slow) {
  slow_ = slow;
  calls_.SetSlowNs(debug_ ? absl::ToInt64Nanoseconds(slow)
                          : CallQueue::kNeverSlow);
}

LoopMetrics Loop::Metrics() {
  LoopMetrics metrics = calls_.Metrics();
  metrics.descriptors = fds_.size();
  return metrics;
}

std::string Loop::ToString() const {
  return absl::StrCat("<Loop running=", PythonBool(IsRunning()),
                      " closed=", PythonBool(IsClosed()),
                      " debug=", PythonBool(debug_), ">");
}

}  // namespace troupe
