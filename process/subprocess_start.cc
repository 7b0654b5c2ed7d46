#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "io/check_local.h"
#include "io/status_error.h"
#include "process/subprocess_state.h"

namespace troupe {

caf::result<ProcessStarted> SubprocessState::Start(StartProcess& request) {
  if (phase_ != Phase::kIdle) {
    return MakeError(
        absl::FailedPreconditionError("the process was started already"));
  }
  absl::Status valid = Validate(request.stop_plan);
  if (valid.ok()) {
    valid = CheckLocal(request.observer, self_->node(), "a process");
  }
  if (!valid.ok()) return MakeError(valid);
  phase_ = Phase::kSpawning;
  observer_ = std::move(request.observer);
  plan_ = std::move(request.stop_plan);
  keep_group_ =
      request.keep_group && request.command.group != ProcessGroup::kInherit;
  dies_with_us_ = request.command.parent_death_signal.has_value();
  monitor_.Begin(services_.host->monitors(), observer_, self_);
  streams_.Prepare(*services_.host, services_.io, request.command,
                   request.window);
  SayExecute(request.command);
  attempt_ = std::make_shared<SpawnAttempt>();
  if (!request.owner && observer_) request.owner = observer_.address();
  spawn_deadline_ = Now() + absl::ToChronoNanoseconds(std::min(
                                request.spawn_deadline, absl::Hours(24 * 365)));
  SetTimer(spawn_deadline_);
  starting_ = self_->make_response_promise<ProcessStarted>();
  auto child = std::make_shared<SpawnChild>(
      SpawnChild{std::move(request.command), attempt_, std::move(request.owner),
                 request.together});
  self_->request(services_.watcher, caf::infinite, AskWatcher{})
      .then(
          [=, this](const WatcherInfo& watcher) {
            if (watcher.active) return Spawn(std::move(*child));
            Failed(MakeError(absl::FailedPreconditionError(
                absl::StrCat("the ", watcher.kind,
                             " child watcher is not active: nobody would see "
                             "the end of a process"))));
          },
          [this](const caf::error& why) { Failed(why); });
  return starting_;
}

// Only now, so that nothing is made that nobody would watch (row P4).
void SubprocessState::Spawn(SpawnChild child) {
  self_->request(services_.spawner, caf::infinite, std::move(child))
      .then([this](ChildSpawned& spawned) { Spawned(spawned); },
            [this](const caf::error& why) { Failed(why); });
}

void SubprocessState::Spawned(ChildSpawned& spawned) {
  SetTimer(std::nullopt);
  started_at_ = Now();
  child_ = spawned.child;
  auto pipes = std::make_shared<ChildSpawned>(std::move(spawned));
  self_
      ->request(
          services_.watcher, caf::infinite,
          WatchChild{child_->pid(), child_->pidfd(), ChildObserver(self_)})
      .then([=, this](const WatchingChild&) { Watched(*pipes); },
            // Nobody would see its end (row P12): the lease kills and reaps it.
            [this](const caf::error& why) { Failed(why); });
}

void SubprocessState::Watched(ChildSpawned& spawned) {
  phase_ = Phase::kRunning;
  SayCreated();
  Tell(ProcessStarted{child_->pid()});
  std::exchange(starting_, {}).deliver(ProcessStarted{child_->pid()});
  ConnectStreams(spawned);
  if (stop_when_running_.has_value()) {
    BeginStop(*std::exchange(stop_when_running_, std::nullopt));
  }
}

void SubprocessState::Failed(const caf::error& why) {
  SetTimer(std::nullopt);
  child_.reset();
  FailWaiters(why);
  self_->quit(why);
}

void SubprocessState::ConnectStreams(ChildSpawned& spawned) {
  if (streams_.PtyOpen()) terminal_ = spawned.terminal.Take();
  streams_.NotePipes(spawned);
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

}  // namespace troupe
