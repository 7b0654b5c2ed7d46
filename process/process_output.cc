#include <algorithm>
#include <limits>
#include <utility>
#include <variant>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "caf/actor_cast.hpp"
#include "io/check_local.h"
#include "io/status_error.h"
#include "process/process_state.h"

namespace troupe {
namespace {

FrameSource::Request RequestOf(ReadFrom::What& what) {
  if (auto* until = std::get_if<ReadUntil>(&what)) {
    return UntilSeparator{std::move(until->separator)};
  }
  if (auto* exactly = std::get_if<ReadExactly>(&what)) {
    return ExactBytes{exactly->size};
  }
  if (auto* available = std::get_if<ReadAvailable>(&what)) {
    return AvailableBytes{available->most};
  }
  if (std::holds_alternative<ReadAll>(what)) {
    return ExactBytes{std::numeric_limits<size_t>::max()};
  }
  return UntilSeparator{};
}

absl::Status NoPipe(ProcessStream stream) {
  constexpr const char* kNames[] = {"stdin", "stdout", "stderr"};
  return absl::FailedPreconditionError(
      absl::StrCat(kNames[static_cast<int>(stream)], " is not a pipe"));
}

}  // namespace

ProcessState::Output* ProcessState::OutputOf(ProcessStream stream) {
  if (stream == ProcessStream::kStdin) return nullptr;
  Output& output = outputs_[stream == ProcessStream::kStderr];
  return output.store.has_value() ? &output : nullptr;
}

caf::result<Frame> ProcessState::Read(ReadFrom& request) {
  // To a plain message nobody could be told, and the bytes would be gone.
  if (!self_->current_mailbox_element()->mid.is_request()) {
    return MakeError(absl::InvalidArgumentError("a read is a request"));
  }
  if (failed_.has_value()) return MakeError(*failed_);
  Output* output = OutputOf(request.stream);
  if (output == nullptr) return MakeError(NoPipe(request.stream));
  const bool all = std::holds_alternative<ReadAll>(request.what);
  const uint64_t number = ++last_number_;
  const caf::actor_addr asker = MindAsker();  // a promise takes the sender
  auto promise = self_->make_response_promise<Frame>();
  caf::result<Frame> result = promise;
  reads_[number].stream = request.stream;
  auto id = output->store->Read(
      RequestOf(request.what), [=, this](absl::StatusOr<Frame> frame) mutable {
        FinishRead(number);
        if (!frame.ok())
          return (void)promise.deliver(MakeError(frame.status()));
        if (all) frame->kind = Frame::Kind::kComplete;
        promise.deliver(*std::move(frame));
      });
  if (!id.ok()) {
    reads_.erase(number);
    promise.deliver(MakeError(id.status()));
    return result;
  }
  auto waiting = reads_.find(number);
  if (waiting == reads_.end()) return result;  // it was there
  waiting->second.id = *id;
  waiting->second.asker = asker;
  waiting->second.timer = timers_->After(request.timeout, [=, this]() mutable {
    const WaitingRead read = reads_.at(number);
    FinishRead(number);
    OutputOf(read.stream)->store->Cancel(read.id);
    promise.deliver(MakeError(
        absl::DeadlineExceededError("the time to wait for output is over")));
  });
  return result;
}

void ProcessState::FinishRead(uint64_t number) {
  auto read = reads_.find(number);
  if (read == reads_.end()) return;
  timers_->Cancel(read->second.timer);
  reads_.erase(read);
}

void ProcessState::DropReads(const caf::actor_addr& asker) {
  for (auto next = reads_.begin(); next != reads_.end();) {
    auto [number, read] = *next++;
    if (read.asker != asker) continue;
    FinishRead(number);
    OutputOf(read.stream)->store->Cancel(read.id);
    // Others may have been answered by that, and be gone.
    next = reads_.upper_bound(number);
  }
}

// -- those who are told of every chunk ----------------------------------------

caf::result<void> ProcessState::Observe(ObserveOutput& request) {
  absl::Status valid =
      request.observer
          ? CheckLocal(request.observer, self_->node(), "a process")
          : absl::InvalidArgumentError("no observer");
  if (!valid.ok()) return MakeError(valid);
  for (ProcessStream stream :
       {ProcessStream::kStdout, ProcessStream::kStderr}) {
    if (request.only.value_or(stream) != stream) continue;
    Output* output = OutputOf(stream);
    if (output == nullptr) continue;
    const auto& closed = closed_[static_cast<int>(stream)];
    if (closed.has_value()) {
      self_->send(request.observer, *closed);
    } else {
      output->observers.push_back(request.observer);
    }
  }
  Mind(caf::actor_cast<caf::strong_actor_ptr>(request.observer));
  return caf::unit;
}

void ProcessState::DropObserver(const caf::actor_addr& observer) {
  for (Output& output : outputs_) {
    auto& observers = output.observers;
    observers.erase(std::remove_if(observers.begin(), observers.end(),
                                   [&](const OutputObserver& o) {
                                     return o.address() == observer;
                                   }),
                    observers.end());
  }
}

void ProcessState::OnOutput(ProcessOutput& output) {
  Output* stream = OutputOf(output.stream);
  if (stream == nullptr) return;
  if (quiet_timeout_ < absl::InfiniteDuration()) {
    last_output_ns_ = host_->clock().NowNs();
  }
  for (const OutputObserver& observer : stream->observers) {
    self_->send(observer, output);
  }
  stream->store->Add(std::move(output.bytes), std::move(output.credit));
}

void ProcessState::OnClosed(const StreamClosed& closed) {
  const int index = static_cast<int>(closed.stream);
  closed_[index] = closed;
  if (closed.stream == ProcessStream::kStdin) input_lost_ += closed.bytes_lost;
  if (Output* stream = OutputOf(closed.stream)) {
    for (const OutputObserver& observer :
         std::exchange(stream->observers, {})) {
      self_->send(observer, closed);
    }
    stream->store->Finish(closed.why);
  }
  for (auto& waiter : std::exchange(close_waiters_[index], {})) {
    waiter.deliver(closed);
  }
  MaybeDrained();
}

caf::result<StreamClosed> ProcessState::WaitForClose(ProcessStream stream) {
  if (failed_.has_value()) return MakeError(*failed_);
  const bool piped = stream == ProcessStream::kStdin
                         ? stdin_piped_
                         : OutputOf(stream) != nullptr;
  if (!piped) return MakeError(NoPipe(stream));
  const int index = static_cast<int>(stream);
  if (closed_[index].has_value()) return *closed_[index];
  auto promise = self_->make_response_promise<StreamClosed>();
  close_waiters_[index].push_back(promise);
  return promise;
}

}  // namespace troupe
