#include <algorithm>
#include <utility>

#include "caf/actor_cast.hpp"
#include "caf/send.hpp"
#include "io/os_error.h"
#include "io/status_error.h"
#include "process/process_state.h"

namespace troupe {
namespace {

// What a process that we stopped leaves behind is not waited for without end.
constexpr absl::Duration kGraceAfterStop = absl::Seconds(1);

absl::Status NotLaunched() {
  return absl::FailedPreconditionError("the process was not launched");
}

// Not accepted at all, unlike what was accepted and lost with the pipe.
bool WasRefused(const absl::Status& status) {
  return absl::IsUnavailable(status) || (absl::IsFailedPrecondition(status) &&
                                         !OsFailureOf(status).has_value());
}

}  // namespace

caf::result<Communicated> ProcessState::Gather(Communicate& request) {
  const caf::actor_addr asker = MindAsker();
  auto promise = self_->make_response_promise<Communicated>();
  caf::result<Communicated> result = promise;
  absl::Status begun = BeginGathering(
      request,
      Gathering{.promise = promise, .asker = asker, .grace = request.grace});
  if (!begun.ok()) promise.deliver(MakeError(begun));
  return result;
}

absl::Status ProcessState::BeginGathering(const Communicate& request,
                                          Gathering gathering) {
  if (!launched_) return NotLaunched();
  if (failed_.has_value()) return *failed_;
  if (gathering_.has_value()) {
    return absl::FailedPreconditionError("another Communicate is waiting");
  }
  const bool has_input = request.input.has_value() && !request.input->empty();
  if (request.input.has_value() && !stdin_piped_) {
    return absl::FailedPreconditionError("stdin is not a pipe");
  }
  if (has_input && stdin_fed_) {
    return absl::FailedPreconditionError(
        "stdin was closed by an earlier Communicate");
  }
  for (Output& output : outputs_) {
    if (!output.store.has_value()) continue;
    absl::Status gathers = output.store->Gather();
    if (gathers.ok()) continue;
    StopGathering();
    return gathers;
  }
  if (has_input) Feed(*request.input);
  if (stdin_piped_) caf::anon_send(subprocess_, CloseStdin{});
  stdin_fed_ = stdin_piped_;
  gathering.number = ++last_number_;
  gathering.timeout = timers_->After(request.timeout, [this] {
    FailGathering(absl::DeadlineExceededError(
        "the time to wait for the process is over"));
  });
  gathering_ = std::move(gathering);
  StartGraces();
  MaybeDrained();
  return absl::OkStatus();
}

// What the pipe has lost StreamClosed says; a write that comes too late for
// that is refused.
void ProcessState::Feed(const Bytes& input) {
  has_input_ = true;
  feeding_ = true;
  auto answered = [this](size_t refused) {
    feeding_ = false;
    input_lost_ += refused;
    if (gathering_.has_value() && gathering_->awaits_feeding) {
      CountLostInput(gathering_->number, std::move(gathering_->holders));
    }
  };
  self_->request(subprocess_, caf::infinite, Write{input, {}})
      .then([=](const Drained&) { answered(0); },
            [=, size = input.size()](const caf::error& why) {
              answered(WasRefused(StatusOf(why)) ? size : 0);
            });
}

// Nobody gathers any more; what was gathered stays.
void ProcessState::StopGathering() {
  for (Output& output : outputs_) {
    if (output.store.has_value()) output.store->StopGathering();
  }
  if (!gathering_.has_value()) return;
  timers_->Cancel(gathering_->timeout);
  timers_->Cancel(gathering_->grace_timer);
  gathering_.reset();
}

void ProcessState::FailGathering(const absl::Status& why) {
  if (!gathering_.has_value()) return;
  auto promise = std::move(gathering_->promise);
  StopGathering();
  promise.deliver(MakeError(why));
}

void ProcessState::FailDrainWaiters(const absl::Status& why) {
  for (auto& [number, waiter] : std::exchange(drain_waiters_, {})) {
    timers_->Cancel(waiter.timer);
    waiter.promise.deliver(MakeError(why));
  }
}

void ProcessState::FailWaiters(const absl::Status& why) {
  std::exchange(launching_, {}).deliver(MakeError(why));
  FailGathering(why);
  FailDrainWaiters(why);
  for (auto& waiters : close_waiters_) {
    for (auto& waiter : std::exchange(waiters, {})) {
      waiter.deliver(MakeError(why));
    }
  }
  for (Output& output : outputs_) {
    if (output.store.has_value()) output.store->Finish(why);
  }
}

bool ProcessState::drained() const {
  if (!exit_.has_value()) return false;
  return std::all_of(outputs_.begin(), outputs_.end(), [](const Output& o) {
    return !o.store.has_value() || o.store->finished();
  });
}

caf::result<ProcessDrained> ProcessState::WaitForDrained(
    const troupe::WaitForDrained& request) {
  if (failed_.has_value()) return MakeError(*failed_);
  if (drained()) return ProcessDrained{*exit_, ended_by_};
  const caf::actor_addr asker = MindAsker();  // a promise takes the sender
  auto promise = self_->make_response_promise<ProcessDrained>();
  drain_waiters_.emplace(
      ++last_number_,
      DrainWaiter{.promise = promise, .asker = asker, .grace = request.grace});
  StartGraces();
  return promise;
}

absl::Duration ProcessState::GraceOf(absl::Duration asked) const {
  const bool stopped =
      ended_by_ != EndedBy::kItself && ended_by_ != EndedBy::kRequest;
  return stopped ? std::min(asked, kGraceAfterStop) : asked;
}

// For those who have none yet.
void ProcessState::StartGraces() {
  if (!exit_.has_value()) return;
  if (gathering_.has_value() && !gathering_->grace_timer) {
    gathering_->grace_timer =
        timers_->After(GraceOf(gathering_->grace),
                       [this, n = gathering_->number] { Conclude(n); });
  }
  for (auto& [number, waiter] : drain_waiters_) {
    if (waiter.timer) continue;
    waiter.timer = timers_->After(GraceOf(waiter.grace), [=, this, n = number] {
      self_->request(subprocess_, caf::infinite, ListHolders{})
          .then(
              [=, this](StreamHolders& found) {
                AnswerDrained(n, std::move(found.holders));
              },
              [=, this](const caf::error&) { AnswerDrained(n, {}); });
    });
  }
}

void ProcessState::MaybeDrained() {
  if (!drained()) return;
  timers_->Cancel(timeout_);
  if (gathering_.has_value()) Conclude(gathering_->number);
  while (!drain_waiters_.empty()) {
    AnswerDrained(drain_waiters_.begin()->first, {});
  }
}

void ProcessState::AnswerDrained(uint64_t number,
                                 std::vector<StreamHolder> holders) {
  auto found = drain_waiters_.find(number);
  if (found == drain_waiters_.end()) return;
  DrainWaiter waiter = std::move(found->second);
  drain_waiters_.erase(found);
  timers_->Cancel(waiter.timer);
  ProcessDrained answer{*exit_, ended_by_, drained()};
  if (!answer.drained) answer.holders = std::move(holders);
  waiter.promise.deliver(std::move(answer));
}

// -- the end of a Communicate, in steps ---------------------------------------

// It has exited, and its output has ended or the grace is over: asks who holds
// it then.
void ProcessState::Conclude(uint64_t number) {
  if (gathering_->concluding) return;
  gathering_->concluding = true;
  if (drained()) return CountLostInput(number, {});
  self_->request(subprocess_, caf::infinite, ListHolders{})
      .then(
          [=, this](StreamHolders& found) {
            CountLostInput(number, std::move(found.holders));
          },
          [=, this](const caf::error&) { CountLostInput(number, {}); });
}

// A stdin that is still open, because a grandchild holds it, says what waits
// for that.
void ProcessState::CountLostInput(uint64_t number,
                                  std::vector<StreamHolder> holders) {
  if (!gathering_.has_value() || gathering_->number != number) return;
  if (!has_input_ || (closed_[0].has_value() && !feeding_)) {
    return AnswerGathering(number, std::move(holders));
  }
  if (closed_[0].has_value()) {  // the answer to the write is on its way
    gathering_->awaits_feeding = true;
    gathering_->holders = std::move(holders);
    return;
  }
  self_->request(subprocess_, caf::infinite, GetProcessInfo{})
      .then(
          [=, this](const ProcessInfo& info) {
            size_t waiting = 0;
            if (!closed_[0].has_value() && info.in.has_value()) {
              waiting = info.in->writing.buffered;
            }
            AnswerGathering(number, holders, waiting);
          },
          [=, this](const caf::error&) { AnswerGathering(number, holders); });
}

void ProcessState::AnswerGathering(uint64_t number,
                                   std::vector<StreamHolder> holders,
                                   size_t input_waiting) {
  if (!gathering_.has_value() || gathering_->number != number) return;
  Communicated answer{.exit = *exit_, .ended_by = ended_by_};
  answer.input_lost = input_lost_ + input_waiting;
  answer.drained = drained();
  if (!answer.drained) answer.holders = std::move(holders);
  if (outputs_[0].store.has_value()) answer.out = outputs_[0].store->Take();
  if (outputs_[1].store.has_value()) answer.err = outputs_[1].store->Take();
  const bool close_after = gathering_->close_after;
  auto promise = std::move(gathering_->promise);
  StopGathering();
  promise.deliver(std::move(answer));
  if (close_after) KillAndClose();
}

void ProcessState::DropWaiters(const caf::actor_addr& asker) {
  if (gathering_.has_value() && gathering_->asker == asker) StopGathering();
  for (auto next = drain_waiters_.begin(); next != drain_waiters_.end();) {
    if (next->second.asker == asker) {
      timers_->Cancel(next->second.timer);
      next = drain_waiters_.erase(next);
    } else {
      ++next;
    }
  }
}

}  // namespace troupe
