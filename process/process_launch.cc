#include <algorithm>
#include <utility>

#include "caf/actor_cast.hpp"
#include "caf/send.hpp"
#include "io/owed.h"
#include "io/status_error.h"
#include "process/child_streams.h"
#include "process/process_state.h"

namespace troupe {
namespace {

// Output that is in the pipe when the process is stopped by a timeout is read;
// then whoever else holds the stream is not waited for.
constexpr absl::Duration kSilenceAfterStop = absl::Milliseconds(100);

bool IsPositive(absl::Duration time) { return time > absl::ZeroDuration(); }

}  // namespace

void ProcessState::Init(const ProcessServices& services) {
  host_ = services.host;
  subprocess_ = SpawnSubprocess(services);
  timers_.emplace(host_, caf::weak_actor_ptr(self_->ctrl()));
}

ProcessState::~ProcessState() {
  FailWaiters(absl::CancelledError("the process was ended"));
}

absl::Status ProcessState::CheckLaunch(const LaunchProcess& request) const {
  if (launched_) {
    return absl::FailedPreconditionError("the process was launched already");
  }
  if (!IsPositive(request.timeout) || !IsPositive(request.quiet_timeout)) {
    return absl::InvalidArgumentError("a timeout must be more than nothing");
  }
  if (request.quiet_timeout < absl::InfiniteDuration() &&
      !request.command.stdout_to.IsStream() &&
      !request.command.stderr_to.IsStream()) {
    return absl::InvalidArgumentError(
        "a quiet timeout needs output that is a pipe");
  }
  return absl::OkStatus();
}

caf::result<ProcessStarted> ProcessState::Launch(LaunchProcess& request) {
  absl::Status possible = CheckLaunch(request);
  if (!possible.ok()) return MakeError(possible);
  launching_ = self_->make_response_promise<ProcessStarted>();
  BeginLaunch(request);
  return launching_;
}

void ProcessState::BeginLaunch(LaunchProcess& request) {
  launched_ = true;
  stdin_piped_ = request.command.stdin_from.IsStream();
  if (request.command.stdout_to.IsStream()) {
    outputs_[0].store.emplace(request.out);
  }
  if (request.command.stderr_to.IsStream()) {
    outputs_[1].store.emplace(request.err);
  }
  owner_ = request.owner;
  timeout_ =
      timers_->After(request.timeout, [this] { EndFor(EndedBy::kTimeout); });
  quiet_timeout_ = request.quiet_timeout;
  self_
      ->request(subprocess_, caf::infinite,
                StartProcess{.command = std::move(request.command),
                             .observer = ProcessObserver(self_),
                             .stop_plan = std::move(request.stop_plan),
                             .spawn_deadline = request.spawn_deadline,
                             .window = request.window,
                             .owner = owner_})
      .then(
          [this](const ProcessStarted& started) {
            std::exchange(launching_, {}).deliver(started);
            last_output_ns_ = host_->clock().NowNs();
            WatchQuiet(quiet_timeout_);
          },
          [this](const caf::error& why) { LaunchFailed(why); });
  if (!owner_) return;
  auto owner = caf::actor_cast<caf::strong_actor_ptr>(owner_);
  if (owner == nullptr) return EndFor(EndedBy::kOwnersEnd);
  Mind(owner);
}

void ProcessState::LaunchFailed(const caf::error& why) {
  failed_ = StatusOf(why);
  timers_->Cancel(timeout_);
  FailWaiters(*failed_);
}

caf::result<Communicated> ProcessState::Run(RunProcess& request) {
  absl::Status possible = CheckLaunch(request.launch);
  if (!possible.ok()) return MakeError(possible);
  if (request.input.has_value() &&
      !request.launch.command.stdin_from.IsStream()) {
    return MakeError(absl::FailedPreconditionError("stdin is not a pipe"));
  }
  const caf::actor_addr asker = MindAsker();
  if (!request.launch.owner) request.launch.owner = asker;
  auto promise = self_->make_response_promise<Communicated>();
  BeginLaunch(request.launch);
  possible = BeginGathering(
      Communicate{std::move(request.input)},
      Gathering{
          .promise = promise, .grace = request.grace, .close_after = true});
  if (!possible.ok()) promise.deliver(MakeError(possible));
  return promise;
}

// The subprocess's plan: a process that is being made is stopped when it runs.
// One that has exited may have left a group that holds its streams.
void ProcessState::EndFor(EndedBy cause) {
  const bool keep_output = cause != EndedBy::kOwnersEnd;
  if (failed_.has_value() || (keep_output && drained())) return;
  if (ended_by_ == EndedBy::kItself && !drained()) ended_by_ = cause;
  self_->request(subprocess_, caf::infinite, StopProcess{})
      .then(
          [=, this](const ProcessExited&) {
            StartGraces();
            if (keep_output) {
              caf::anon_send(subprocess_,
                             CloseStreamsWhenSilent{kSilenceAfterStop});
            } else {
              caf::anon_send(subprocess_, CloseStreams{});
            }
          },
          [this](const caf::error& why) { StopFailed(StatusOf(why)); });
}

// When its plan gave up it runs on, and its output is still to be read; a
// RunProcess leaves nothing behind, and is answered then.
void ProcessState::StopFailed(const absl::Status& why) {
  if (failed_.has_value() || !absl::IsDeadlineExceeded(why)) {
    return FailWaiters(why);
  }
  FailDrainWaiters(why);
  if (!gathering_.has_value() || !gathering_->close_after) {
    return FailGathering(why);
  }
  auto answer = ShareOwed(std::move(gathering_->promise));
  StopGathering();
  KillAndClose([=] { answer->Refuse(MakeError(why)); });
}

caf::result<ProcessExited> ProcessState::Stop(StopProcess& request) {
  if (!exit_.has_value() && ended_by_ == EndedBy::kItself) {
    ended_by_ = EndedBy::kRequest;
  }
  return self_->delegate(subprocess_, std::move(request));
}

// All its streams are given up at once: what is left of stdin cannot reach a
// process that is killed.
caf::result<ProcessEnded> ProcessState::Close() {
  if (!exit_.has_value() && ended_by_ == EndedBy::kItself) {
    ended_by_ = EndedBy::kRequest;
  }
  if (!launched_) {
    return MakeError(
        absl::FailedPreconditionError("the process was not launched"));
  }
  auto promise = self_->make_response_promise<ProcessEnded>();
  caf::result<ProcessEnded> result = promise;
  KillAndClose(
      [answer = ShareOwed(promise)] { answer->Deliver(ProcessEnded{}); });
  return result;
}

void ProcessState::KillAndClose(std::function<void()> done) {
  caf::anon_send(subprocess_, StopProcess{StopPlan{{{SIGKILL}}}});
  caf::anon_send(subprocess_, CloseStreams{});
  if (!done) return;
  self_->request(subprocess_, caf::infinite, WaitForEnd{})
      .then([=](const ProcessEnded&) { done(); },
            // It did not come into being: nothing is left of it either.
            [=](const caf::error&) { done(); });
}

void ProcessState::OnExit(const ProcessExited& exit) {
  exit_ = exit;
  StartGraces();
  MaybeDrained();
}

// -- no output for a time -----------------------------------------------------

void ProcessState::WatchQuiet(absl::Duration after) {
  timers_->After(after, [this] { OnQuiet(); });
}

// Output that waits for us, or that we have not let go, is no silence of the
// child's.
void ProcessState::OnQuiet() {
  if (drained()) return;
  const absl::Duration silent =
      absl::Nanoseconds(host_->clock().NowNs() - last_output_ns_);
  if (silent < quiet_timeout_) return WatchQuiet(quiet_timeout_ - silent);
  self_->request(subprocess_, caf::infinite, GetProcessInfo{})
      .then(
          [this](const ProcessInfo& info) {
            for (const auto& stream : {info.out, info.err}) {
              if (!stream.has_value() || stream->closed) continue;
              const ReadingInfo& reading = stream->reading;
              if (reading.in_flight > 0 || reading.unread > 0) {
                return WatchQuiet(quiet_timeout_);
              }
            }
            EndFor(EndedBy::kSilence);
          },
          [](const caf::error&) {});
}

// -- those who ask and own ----------------------------------------------------

caf::actor_addr ProcessState::MindAsker() {
  Mind(self_->current_sender());
  return caf::actor_cast<caf::actor_addr>(self_->current_sender());
}

void ProcessState::Mind(const caf::strong_actor_ptr& who) {
  if (who == nullptr) return;
  auto [mind, is_new] =
      minded_.try_emplace(caf::actor_cast<caf::actor_addr>(who));
  if (!is_new) return;
  mind->second.Begin(host_->monitors(), who, self_);
}

void ProcessState::OnDown(const caf::actor_addr& who) {
  minded_.erase(who);
  DropReads(who);
  DropObserver(who);
  DropWaiters(who);
  if (owner_ && owner_ == who) EndFor(EndedBy::kOwnersEnd);
}

}  // namespace troupe
