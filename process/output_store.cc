#include "process/output_store.h"

#include <utility>

namespace troupe {
namespace {

CaptureLimits LimitsOf(const OutputOptions& options) {
  if (options.unread == UnreadOutput::kDiscard) return {.head = 0, .tail = 0};
  return options.capture;
}

}  // namespace

OutputStore::OutputStore(OutputOptions options)
    : source_(options.line_limit),
      captured_(LimitsOf(options)),
      always_captured_(options.unread != UnreadOutput::kHold),
      gathering_(always_captured_) {}

void OutputStore::Add(Bytes bytes, Credit credit) {
  if (gathering_) {
    captured_.Add(bytes.view());
  } else {
    source_.Add(std::move(bytes), std::move(credit));
  }
}

void OutputStore::Finish(absl::Status why) {
  if (finished()) return;
  end_ = why;
  source_.Finish(std::move(why));
}

absl::StatusOr<OutputStore::ReadId> OutputStore::Read(
    FrameSource::Request request, FrameSource::Answer answer) {
  if (gathering_) {
    return absl::FailedPreconditionError(
        "the output is captured: Communicate gives it");
  }
  if (!captured_.empty()) {
    return absl::FailedPreconditionError(
        "a Communicate that was given up has output: another one gives it");
  }
  return source_.Read(std::move(request), std::move(answer));
}

absl::Status OutputStore::Gather() {
  if (source_.has_readers()) {
    return absl::FailedPreconditionError("a read is waiting for this output");
  }
  gathering_ = true;
  for (const Bytes& bytes : source_.TakeHeld()) captured_.Add(bytes.view());
  return absl::OkStatus();
}

void OutputStore::StopGathering() { gathering_ = always_captured_; }

}  // namespace troupe
