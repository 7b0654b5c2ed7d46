#include "process/pipeline_state.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "absl/status/statusor.h"
#include "caf/actor_cast.hpp"
#include "io/check_local.h"
#include "io/os_error.h"
#include "io/status_error.h"
#include "process/child_stop.h"
#include "process/pipeline.h"
#include "process/stdio_ends.h"

namespace troupe {
namespace {

using SharedEnd = std::shared_ptr<const OwnedFd>;

absl::StatusOr<SharedEnd> Share(OwnedFd end) {
  auto moved = MovedAboveStdio(std::move(end));
  if (!moved.ok()) return moved.status();
  return std::make_shared<const OwnedFd>(*std::move(moved));
}

absl::Status NotRunning() {
  return absl::NotFoundError("the pipeline is not running");
}

// One that ends: nothing may be left of a start that failed.
StopPlan Ending(const StopPlan& plan) {
  return TimeUntilKill(plan).has_value() ? plan : StopPlan{{{SIGKILL}}};
}

template <class T>
void Refuse(std::vector<Owed<T>>* waiters, const caf::error& why) {
  for (auto& waiter : std::exchange(*waiters, {})) waiter.Refuse(why);
}

}  // namespace

// -- the start ----------------------------------------------------------------

caf::result<PipelineStarted> PipelineState::Start(StartPipeline& request) {
  if (phase_ != Phase::kIdle) {
    return MakeError(
        absl::FailedPreconditionError("the pipeline was started already"));
  }
  absl::Status valid = Validate(request.pipeline);
  if (valid.ok()) valid = Validate(request.stop_plan);
  if (valid.ok()) {
    valid = CheckLocal(request.observer, self_->node(), "a pipeline");
  }
  if (!valid.ok()) return MakeError(valid);
  phase_ = Phase::kStarting;
  observer_ = std::exchange(request.observer, {});
  request_ = std::move(request);
  exits_.resize(request_.pipeline.commands.size());
  monitor_.Begin(services_.host->monitors(), observer_, self_);
  auto promise = self_->make_response_promise<PipelineStarted>();
  starting_ = Owed<PipelineStarted>(promise);
  StartNext();
  return promise;
}

void PipelineState::StartNext() {
  const size_t index = children_.size();
  if (index == exits_.size()) return Started();
  if (stopping_) {
    return Failed(index, absl::CancelledError("stopped before it was started"));
  }
  Command command = std::move(request_.pipeline.commands[index]);
  absl::Status connected = ConnectPipes(index, &command);
  if (!connected.ok()) return Failed(index, connected);
  children_.push_back(SpawnSubprocess(services_));
  self_
      ->request(children_.back(), caf::infinite,
                StartProcess{.command = std::move(command),
                             .observer = ProcessObserver(self_),
                             .stop_plan = request_.stop_plan,
                             .spawn_deadline = request_.spawn_deadline,
                             .window = request_.window,
                             .together = exits_.size()})
      .then(
          [this](const ProcessStarted& started) {
            pids_.push_back(started.pid);
            StartNext();
          },
          [=, this](const caf::error& why) {
            children_.pop_back();  // it has ended
            Failed(index, StatusOf(why));
          });
}

// The ends live in the commands, and so go with the spawner's requests: a pipe
// is there from the start of its writer to that of its reader.
absl::Status PipelineState::ConnectPipes(size_t index, Command* command) {
  if (index > 0) {
    command->stdin_from = Stdio::Descriptor(std::exchange(next_stdin_, {}));
  }
  if (index + 1 == exits_.size()) return absl::OkStatus();
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) != 0) return OsError(errno, "pipe2");
  OwnedFd read_end(fds[0]), write_end(fds[1]);
  auto reader = Share(std::move(read_end));
  if (!reader.ok()) return reader.status();
  auto writer = Share(std::move(write_end));
  if (!writer.ok()) return writer.status();
  next_stdin_ = *std::move(reader);
  command->stdout_to = Stdio::Descriptor(*std::move(writer));
  return absl::OkStatus();
}

void PipelineState::Started() {
  phase_ = Phase::kRunning;
  Tell(PipelineStarted{pids_});
  starting_.Deliver(PipelineStarted{pids_});
  for (const auto& tell : std::exchange(held_, {})) tell();
  MaybeExited();
  MaybeEnded();
}

void PipelineState::Failed(size_t index, const absl::Status& why) {
  phase_ = Phase::kFailed;
  held_.clear();
  next_stdin_.reset();
  const caf::error error = MakeError(InCommand(index, exits_.size(), why));
  StopAll(Ending(request_.stop_plan), [=, this](const absl::Status&) {
    starting_.Refuse(error);
    for (auto& [stop, waiter] : std::exchange(stop_waiters_, {})) {
      waiter.Refuse(error);
    }
    Refuse(&exit_waiters_, error);
    Refuse(&end_waiters_, error);
    self_->quit(error);
  });
}

// -- the stop -----------------------------------------------------------------

caf::result<PipelineExited> PipelineState::Stop(const StopPipeline& request) {
  StopPlan plan = request.plan.value_or(request_.stop_plan);
  absl::Status valid = Validate(plan);
  if (!valid.ok()) return MakeError(valid);
  if (phase_ == Phase::kIdle) return MakeError(NotRunning());
  auto promise = self_->make_response_promise<PipelineExited>();
  const size_t stop = ++last_stop_;
  stop_waiters_.emplace(stop, Owed<PipelineExited>(promise));
  if (phase_ == Phase::kFailed) return promise;  // answered with the start
  stopping_ = true;
  StopAll(plan, [=, this](const absl::Status& stopped) {
    auto waiter = stop_waiters_.extract(stop);
    // A start that fails answers it.
    if (waiter.empty()) return;
    if (phase_ != Phase::kRunning) {
      stop_waiters_.insert(std::move(waiter));
    } else if (stopped.ok()) {
      waiter.mapped().Deliver(exit_);
    } else {
      waiter.mapped().Refuse(MakeError(stopped));
    }
  });
  return promise;
}

// Calls `done` when every child has answered, with the first refusal.
void PipelineState::StopAll(const StopPlan& plan, Done done) {
  struct Round {
    size_t left;
    absl::Status result;
    Done done;
  };
  auto round = std::make_shared<Round>(
      Round{children_.size(), absl::OkStatus(), std::move(done)});
  if (round->left == 0) return round->done(round->result);
  for (size_t i = 0; i < children_.size(); ++i) {
    self_->request(children_[i], caf::infinite, StopProcess{plan})
        .then(
            [=](const ProcessExited&) {
              if (--round->left == 0) round->done(round->result);
            },
            [=, this](const caf::error& why) {
              round->result.Update(InCommand(i, exits_.size(), StatusOf(why)));
              if (--round->left == 0) round->done(round->result);
            });
  }
}

// What comes meanwhile is kept from being read, as a subprocess does it.
void PipelineState::OnObserverDown() {
  observer_ = PipelineObserver();
  orphaned_ = true;
  stopping_ = true;
  held_.clear();
  if (phase_ == Phase::kFailed) return;
  StopAll(request_.stop_plan, [this](const absl::Status&) {
    if (exited_) ToAll(CloseStreams{});
  });
}

void PipelineState::Signal(const SendSignal& signal) {
  for (size_t i = 0; i < children_.size(); ++i) {
    if (!exits_[i].has_value()) self_->send(children_[i], signal);
  }
}

// -- streams ------------------------------------------------------------------

caf::result<Drained> PipelineState::WriteStdin(Write& write) {
  if (children_.empty()) return MakeError(NotRunning());
  return self_->delegate(children_[0], std::move(write));
}

void PipelineState::CloseStdin(const troupe::CloseStdin& close) {
  if (!children_.empty()) self_->send(children_[0], close);
}

void PipelineState::OnOutput(ProcessOutput& output) {
  if (orphaned_ || phase_ == Phase::kFailed) {
    return unread_.push_back(std::move(output.credit));
  }
  Tell(PipelineOutput{IndexOfSender(), output.stream, std::move(output.bytes),
                      std::move(output.credit)});
}

void PipelineState::OnStreamClosed(const StreamClosed& closed) {
  Tell(PipelineStreamClosed{IndexOfSender(), closed.stream, closed.why});
}

// -- the end ------------------------------------------------------------------

void PipelineState::OnExit(const ProcessExited& exited) {
  const size_t index = IndexOfSender();
  if (index == children_.size()) return;
  exits_[index] = exited;
  ++exit_count_;
  Tell(CommandExited{index, exited});
  MaybeExited();
}

void PipelineState::OnEnd() {
  ++end_count_;
  MaybeEnded();
}

void PipelineState::MaybeExited() {
  if (phase_ != Phase::kRunning || exited_ || exit_count_ < exits_.size()) {
    return;
  }
  exited_ = true;
  for (const auto& exit : exits_) exit_.commands.push_back(*exit);
  Tell(exit_);
  for (auto& waiter : std::exchange(exit_waiters_, {})) waiter.Deliver(exit_);
  if (orphaned_) ToAll(CloseStreams{});
}

void PipelineState::MaybeEnded() {
  if (!exited_ || ended_ || end_count_ < exits_.size()) return;
  ended_ = true;
  unread_.clear();
  Tell(PipelineEnded{});
  // Two that hold each other would live for ever.
  monitor_.End();
  observer_ = PipelineObserver();
  for (auto& waiter : std::exchange(end_waiters_, {})) {
    waiter.Deliver(PipelineEnded{});
  }
}

caf::result<PipelineExited> PipelineState::WaitForExit() {
  if (exited_) return exit_;
  auto promise = self_->make_response_promise<PipelineExited>();
  exit_waiters_.emplace_back(promise);
  return promise;
}

caf::result<PipelineEnded> PipelineState::WaitForEnd() {
  if (ended_) return PipelineEnded{};
  auto promise = self_->make_response_promise<PipelineEnded>();
  end_waiters_.emplace_back(promise);
  return promise;
}

size_t PipelineState::IndexOfSender() const {
  const auto sender = caf::actor_cast<caf::actor_addr>(self_->current_sender());
  return std::find_if(children_.begin(), children_.end(),
                      [&](const Subprocess& child) {
                        return child.address() == sender;
                      }) -
         children_.begin();
}

}  // namespace troupe
