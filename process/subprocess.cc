#include "process/subprocess.h"

#include <sys/ioctl.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "caf/typed_response_promise.hpp"
#include "io/answer_requests.h"
#include "io/resident.h"
#include "io/status_error.h"
#include "process/child_stop.h"
#include "process/child_streams.h"
#include "process/process_tree.h"
#include "process/reap.h"

namespace troupe {
namespace {

using Interface = Subprocess::extend<
    caf::reacts_to<ConnectionMade>, caf::reacts_to<DataReceived>,
    caf::reacts_to<EofReceived>, caf::reacts_to<ConnectionLost>,
    caf::reacts_to<PauseWriting>, caf::reacts_to<ResumeWriting>,
    caf::reacts_to<ChildExited>, caf::reacts_to<TimerFired>>;

// Whoever is told to wait for nothing must not spin.
constexpr absl::Duration kShortestSilence = absl::Milliseconds(1);

enum class Phase {
  kIdle,
  kSpawning,  // the spawner has it, or the watcher is being told
  kRunning,
  kExited,  // a zombie while a stop plan is walked, else reaped
};

class State {
 public:
  static constexpr const char* name = "subprocess";
  using Self = Interface::stateful_base<State>;

  explicit State(Self* self) : self_(self) {}

  void Init(ProcessServices services) { services_ = std::move(services); }

  caf::result<ProcessStarted> Start(StartProcess& request);
  caf::result<Drained> WriteStdin(Write& write);
  void CloseStdin();
  caf::result<void> Signal(const SendSignal& signal);
  caf::result<ProcessExited> Stop(const StopProcess& request);
  void CloseStreams(std::optional<ProcessStream> only = std::nullopt);
  void CloseWhenSilent(absl::Duration silence);
  caf::result<ProcessExited> WaitForExit();
  caf::result<ProcessEnded> WaitForEnd();

  void OnOutput(DataReceived& data);
  void OnStreamLost(const ConnectionLost& lost);
  void OnExit(const ChildExited& exited);
  void OnTimer(TimerId timer);
  void OnObserverDown();
  template <class T>
  void Tell(T message) {
    if (observer_) self_->send(observer_, std::move(message));
  }

 private:
  template <class T>
  using Promise = caf::typed_response_promise<T>;
  using TimePoint = ChildStop::TimePoint;

  void Spawned(Promise<ProcessStarted> promise, ChildSpawned& spawned);
  void Watched(Promise<ProcessStarted> promise, ChildSpawned& spawned);
  void Failed(Promise<ProcessStarted>& promise, const caf::error& why);
  void ConnectStreams(ChildSpawned& spawned);
  void StreamFailed(ProcessStream stream, const caf::error& why);
  void CloseStream(ProcessStream stream, absl::Status why);
  void MaybeEnd();

  void StopWhenRunning(StopPlan plan);
  void BeginStop(StopPlan plan);
  void GoOn(ChildStop::Next next);
  void ListGroup();
  void GiveUpStop();
  void FinishStop();
  void Reap();
  void CheckSilence();
  void SetTimer(std::optional<TimePoint> when);
  TimerId StartTimer(absl::Duration after);

  Self* self_;
  ProcessServices services_;
  Phase phase_ = Phase::kIdle;
  bool reaped_ = false;
  bool ended_ = false;
  ProcessObserver observer_;  // until it dies or has been told all
  bool orphaned_ = false;     // it died
  bool plan_due_ = false;     // and its plan has not been walked yet
  StopPlan plan_;
  bool keep_group_ = false;
  std::shared_ptr<SpawnAttempt> attempt_;
  TimePoint spawn_deadline_;
  std::shared_ptr<ChildLease> child_;
  absl::Time started_at_;
  ChildStreams streams_;
  bool streams_given_up_ = false;
  ProcessExited exit_;  // valid in kExited

  std::optional<ChildStop> stop_;
  std::optional<StopPlan> stop_when_running_;
  TimerId timer_;  // of the spawn, then of the stop
  TimerId silence_timer_;
  absl::Duration silence_;
  size_t chunks_ = 0;  // of output, so far
  size_t chunks_at_check_ = 0;
  std::vector<Promise<ProcessExited>> stop_waiters_;
  std::vector<Promise<ProcessExited>> exit_waiters_;
  std::vector<Promise<ProcessEnded>> end_waiters_;
};

ChildStop::TimePoint Now() { return std::chrono::steady_clock::now(); }

absl::Status NotRunning() {
  return absl::NotFoundError("the process is not running");
}

// -- start --------------------------------------------------------------------

caf::result<ProcessStarted> State::Start(StartProcess& request) {
  if (phase_ != Phase::kIdle) {
    return MakeError(
        absl::FailedPreconditionError("the process was started already"));
  }
  absl::Status plan = Validate(request.stop_plan);
  if (!plan.ok()) return MakeError(plan);
  phase_ = Phase::kSpawning;
  observer_ = std::move(request.observer);
  plan_ = std::move(request.stop_plan);
  keep_group_ =
      request.keep_group && request.command.group != ProcessGroup::kInherit;
  if (observer_) self_->monitor(observer_);
  streams_.Prepare(*services_.host, services_.io, request.command,
                   request.window);
  attempt_ = std::make_shared<SpawnAttempt>();
  spawn_deadline_ = Now() + absl::ToChronoNanoseconds(std::min(
                                request.spawn_deadline, absl::Hours(24 * 365)));
  SetTimer(spawn_deadline_);
  auto promise = self_->make_response_promise<ProcessStarted>();
  self_
      ->request(services_.spawner, caf::infinite,
                SpawnChild{std::move(request.command), attempt_})
      .then([=, this](ChildSpawned& spawned) { Spawned(promise, spawned); },
            [=, this](const caf::error& why) mutable { Failed(promise, why); });
  return promise;
}

void State::Spawned(Promise<ProcessStarted> promise, ChildSpawned& spawned) {
  SetTimer(std::nullopt);
  started_at_ = absl::Now();
  child_ = spawned.child;
  auto pipes = std::make_shared<ChildSpawned>(std::move(spawned));
  self_
      ->request(
          services_.watcher, caf::infinite,
          WatchChild{child_->pid(), child_->pidfd(), ChildObserver(self_)})
      .then([=, this](const WatchingChild&) { Watched(promise, *pipes); },
            // Nobody would see its end (row P12): the lease kills and reaps it.
            [=, this](const caf::error& why) mutable { Failed(promise, why); });
}

void State::Watched(Promise<ProcessStarted> promise, ChildSpawned& spawned) {
  phase_ = Phase::kRunning;
  Tell(ProcessStarted{child_->pid()});
  promise.deliver(ProcessStarted{child_->pid()});
  ConnectStreams(spawned);
  if (stop_when_running_.has_value()) {
    BeginStop(*std::exchange(stop_when_running_, std::nullopt));
  }
}

void State::Failed(Promise<ProcessStarted>& promise, const caf::error& why) {
  SetTimer(std::nullopt);
  child_.reset();
  promise.deliver(why);
  for (auto* waiters : {&stop_waiters_, &exit_waiters_}) {
    for (auto& waiter : *waiters) waiter.deliver(why);
  }
  for (auto& waiter : end_waiters_) waiter.deliver(why);
  self_->quit(why);
}

void State::ConnectStreams(ChildSpawned& spawned) {
  if (streams_.in()) {
    self_
        ->request(
            streams_.in(), caf::infinite,
            ConnectWritePipe{spawned.stdin_pipe, WriteProtocol(self_), {}})
        .then([](const Connected&) {},
              [this](const caf::error& why) {
                StreamFailed(ProcessStream::kStdin, why);
              });
  }
  auto connect = [this](const ReadTransport& transport, const FdTicket& pipe,
                        ProcessStream stream) {
    if (!transport) return;
    self_
        ->request(transport, caf::infinite,
                  ConnectReadPipe{pipe, ReadProtocol(self_), {}})
        .then([](const Connected&) {},
              [=, this](const caf::error& why) { StreamFailed(stream, why); });
  };
  connect(streams_.out(), spawned.stdout_pipe, ProcessStream::kStdout);
  connect(streams_.err(), spawned.stderr_pipe, ProcessStream::kStderr);
}

// -- streams ------------------------------------------------------------------

caf::result<Drained> State::WriteStdin(Write& write) {
  if (!streams_.in()) {
    return MakeError(absl::FailedPreconditionError("stdin is not a pipe"));
  }
  return self_->delegate(streams_.in(), std::move(write));
}

void State::CloseStdin() {
  if (streams_.in()) self_->send(streams_.in(), WriteEof{});
}

void State::OnOutput(DataReceived& data) {
  auto stream = streams_.StreamOf(self_->current_sender());
  if (!stream.has_value()) return;
  ++chunks_;
  Tell(ProcessOutput{*stream, std::move(data.bytes), std::move(data.credit)});
}

void State::OnStreamLost(const ConnectionLost& lost) {
  auto stream = streams_.StreamOf(self_->current_sender());
  if (stream.has_value()) CloseStream(*stream, lost.why);
}

// A transport that was closed before it was connected says so here; one that
// was connected said it in ConnectionLost.
void State::StreamFailed(ProcessStream stream, const caf::error& why) {
  CloseStream(stream, streams_given_up_ ? absl::OkStatus() : StatusOf(why));
}

void State::CloseStreams(std::optional<ProcessStream> only) {
  if (only.has_value()) return streams_.Close(*only);
  streams_given_up_ = phase_ != Phase::kIdle;
  streams_.CloseAll();
}

void State::CloseStream(ProcessStream stream, absl::Status why) {
  if (!streams_.MarkClosed(stream)) return;
  Tell(StreamClosed{stream, std::move(why)});
  MaybeEnd();
}

// -- exit ---------------------------------------------------------------------

void State::OnExit(const ChildExited& exited) {
  exit_ = ProcessExited{exited.pid, exited.report, absl::Now() - started_at_};
  phase_ = Phase::kExited;
  Tell(exit_);
  for (auto& waiter : std::exchange(exit_waiters_, {})) waiter.deliver(exit_);
  // Somebody else reaped it: nothing pins its group's number any more.
  if (exited.report.status.lost()) Reap();
  if (stop_.has_value()) {
    GoOn(reaped_ ? ChildStop::Next::kDone : stop_->OnLeaderEnded());
  } else if (orphaned_) {  // the observer's plan had given up on it
    Reap();
    CloseStreams();
  } else if (!child_->own_group() || (!keep_group_ && !streams_.AnyOpen())) {
    Reap();
  }  // else a member of its group may hold a stream: the zombie pins the group
  MaybeEnd();
}

// From here on nothing may be sent to the pid or the group. It is reaped here
// and now: a message can be lost with a watcher that ends first.
void State::Reap() {
  if (reaped_) return;
  reaped_ = true;
  (void)troupe::Reap(child_->pidfd()->get());
  child_->Settle();
  self_->send(services_.watcher, ReapChild{child_->pid()});
}

void State::MaybeEnd() {
  if (ended_ || phase_ != Phase::kExited || streams_.AnyOpen()) return;
  ended_ = true;
  if (!stop_.has_value() && !keep_group_) Reap();
  self_->send(services_.io, CancelTimer{std::exchange(silence_timer_, {})});
  Tell(ProcessEnded{});
  // Two that hold each other would live for ever.
  if (observer_) self_->demonitor(observer_.address());
  observer_ = ProcessObserver();
  for (auto& waiter : std::exchange(end_waiters_, {})) {
    waiter.deliver(ProcessEnded{});
  }
}

caf::result<ProcessExited> State::WaitForExit() {
  if (phase_ == Phase::kExited) return exit_;
  auto promise = self_->make_response_promise<ProcessExited>();
  exit_waiters_.push_back(promise);
  return promise;
}

caf::result<ProcessEnded> State::WaitForEnd() {
  if (ended_) return ProcessEnded{};
  auto promise = self_->make_response_promise<ProcessEnded>();
  end_waiters_.push_back(promise);
  return promise;
}

// -- signals and stopping -----------------------------------------------------

caf::result<void> State::Signal(const SendSignal& signal) {
  if (phase_ != Phase::kRunning) return MakeError(NotRunning());
  absl::Status sent =
      signal.to_group && child_->own_group()
          ? SignalGroup(child_->pid(), signal.number)
          : SignalProcess(child_->pidfd()->get(), signal.number);
  if (!sent.ok()) return MakeError(sent);
  return caf::unit;
}

caf::result<ProcessExited> State::Stop(const StopProcess& request) {
  StopPlan plan = request.plan.value_or(plan_);
  absl::Status valid = Validate(plan);
  if (!valid.ok()) return MakeError(valid);
  if (phase_ == Phase::kIdle) return MakeError(NotRunning());
  if (reaped_) return exit_;
  auto promise = self_->make_response_promise<ProcessExited>();
  stop_waiters_.push_back(promise);
  if (phase_ == Phase::kSpawning) {
    StopWhenRunning(std::move(plan));
  } else {
    BeginStop(std::move(plan));
  }
  return promise;
}

// An exec that hangs does not get more time than the plan gives the process.
void State::StopWhenRunning(StopPlan plan) {
  auto until_kill = TimeUntilKill(plan);
  stop_when_running_ = std::move(plan);
  if (child_ != nullptr) return;
  TimePoint deadline = spawn_deadline_;
  if (until_kill.has_value())
    deadline = std::min(deadline, Now() + *until_kill);
  SetTimer(deadline);
}

void State::BeginStop(StopPlan plan) {
  stop_.emplace(child_, std::move(plan));
  GoOn(stop_->Begin(Now(), phase_ == Phase::kExited));
}

void State::GoOn(ChildStop::Next next) {
  switch (next) {
    case ChildStop::Next::kWait:
      return SetTimer(stop_->wake_at());
    case ChildStop::Next::kListGroup:
      return ListGroup();
    case ChildStop::Next::kDone:
      return FinishStop();
    case ChildStop::Next::kGaveUp:
      return GiveUpStop();
  }
}

void State::ListGroup() {
  auto answered = [this](std::optional<size_t> members) {
    if (stop_.has_value()) GoOn(stop_->OnGroup(Now(), members));
  };
  self_
      ->request(services_.spawner, caf::infinite,
                troupe::ListGroup{child_->pid()})
      .then([=](const GroupListed& group) { answered(group.members.size()); },
            [=](const caf::error&) { answered(std::nullopt); });
}

void State::GiveUpStop() {
  stop_.reset();
  SetTimer(std::nullopt);
  for (auto& waiter : std::exchange(stop_waiters_, {})) {
    waiter.deliver(MakeError(absl::DeadlineExceededError(absl::StrCat(
        "process ", child_->pid(), " did not end by its stop plan"))));
  }
  if (std::exchange(plan_due_, false)) BeginStop(plan_);
}

void State::FinishStop() {
  stop_.reset();
  SetTimer(std::nullopt);
  Reap();
  for (auto& waiter : std::exchange(stop_waiters_, {})) waiter.deliver(exit_);
  if (!observer_) CloseStreams();
}

void State::OnTimer(TimerId timer) {
  if (timer == silence_timer_) {
    silence_timer_ = TimerId();
    return CheckSilence();
  }
  if (!(timer == timer_)) return;
  timer_ = TimerId();
  if (phase_ == Phase::kSpawning) {
    attempt_->Abort();
  } else if (stop_.has_value()) {
    GoOn(stop_->OnTime(Now()));
  }
}

// -- silence ------------------------------------------------------------------

void State::CloseWhenSilent(absl::Duration silence) {
  if (ended_) return;
  silence_ = std::max(silence, kShortestSilence);
  chunks_at_check_ = chunks_;
  self_->send(services_.io, CancelTimer{std::exchange(silence_timer_, {})});
  silence_timer_ = StartTimer(silence_);
}

// Silent means that nothing came since the last look, nothing is on its way to
// the observer and nothing waits in the pipe (a transport that was just given
// its credit back has not read on yet): then nothing is lost by closing.
void State::CheckSilence() {
  if (ended_) return;
  if (chunks_ != chunks_at_check_) return CloseWhenSilent(silence_);
  auto busy = std::make_shared<bool>(false);
  auto left = std::make_shared<int>(0);
  for (const ReadTransport& output : {streams_.out(), streams_.err()}) {
    if (!output) continue;
    ++*left;
    auto answered = [=, this] {
      if (--*left > 0) return;
      if (*busy || chunks_ != chunks_at_check_) {
        CloseWhenSilent(silence_);
      } else {
        CloseStreams();
      }
    };
    self_->request(output, caf::infinite, GetTransportInfo{})
        .then(
            [=](const TransportInfo& info) {
              const bool connected = info.fd >= 0;
              int unread = 0;
              if (ioctl(info.fd, FIONREAD, &unread) != 0) unread = 0;
              if (!connected || info.buffered > 0 || unread > 0) *busy = true;
              answered();
            },
            [=](const caf::error&) { answered(); });
  }
  if (*left == 0) CloseStreams();
}

// Its output is read no more, so that nothing is read into nothing.
void State::OnObserverDown() {
  observer_ = ProcessObserver();
  orphaned_ = true;
  streams_.PauseOutputs();
  if (reaped_) {
    CloseStreams();
  } else if (phase_ == Phase::kSpawning) {
    if (!stop_when_running_.has_value()) StopWhenRunning(plan_);
  } else if (stop_.has_value()) {
    plan_due_ = true;
  } else {
    BeginStop(plan_);
  }
}

void State::SetTimer(std::optional<TimePoint> when) {
  self_->send(services_.io, CancelTimer{std::exchange(timer_, {})});
  if (when.has_value()) timer_ = StartTimer(absl::FromChrono(*when - Now()));
}

TimerId State::StartTimer(absl::Duration after) {
  TimerId timer = TimerId::Next();
  self_->send(services_.io,
              troupe::StartTimer{timer, after, TimerObserver(self_)});
  return timer;
}

Interface::behavior_type Behavior(StatefulResident<Interface, State>* self,
                                  ProcessServices services) {
  State* state = &self->state;
  state->Init(std::move(services));
  self->set_down_handler(
      [=](const caf::down_msg&) { state->OnObserverDown(); });
  auto asked = [=] { AnswerRequestsOnly(self); };
  return {
      [=](StartProcess& request) {
        asked();
        return state->Start(request);
      },
      [=](Write& write) {
        asked();
        return state->WriteStdin(write);
      },
      [=](const CloseStdin&) { state->CloseStdin(); },
      [=](const SendSignal& signal) {
        asked();
        return state->Signal(signal);
      },
      [=](const StopProcess& stop) {
        asked();
        return state->Stop(stop);
      },
      [=](const CloseStreams& close) { state->CloseStreams(close.only); },
      [=](const CloseStreamsWhenSilent& close) {
        state->CloseWhenSilent(close.silence);
      },
      [=](const WaitForExit&) {
        asked();
        return state->WaitForExit();
      },
      [=](const WaitForEnd&) {
        asked();
        return state->WaitForEnd();
      },
      [=](const ConnectionMade&) {},
      [=](DataReceived& data) { state->OnOutput(data); },
      [=](const EofReceived&) {},
      [=](const ConnectionLost& lost) { state->OnStreamLost(lost); },
      [=](const PauseWriting& pause) { state->Tell(pause); },
      [=](const ResumeWriting& resume) { state->Tell(resume); },
      [=](const ChildExited& exited) { state->OnExit(exited); },
      [=](const TimerFired& fired) { state->OnTimer(fired.timer); },
  };
}

}  // namespace

Subprocess SpawnSubprocess(const ProcessServices& services) {
  return SpawnResident<caf::hidden>(*services.host, Behavior, services);
}

}  // namespace troupe
