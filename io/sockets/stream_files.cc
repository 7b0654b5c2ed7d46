// What a stream transport does with files.
#include <utility>

#include "absl/status/status.h"
#include "caf/delegated.hpp"
#include "caf/mailbox_element.hpp"
#include "io/sockets/file_transfer.h"
#include "io/sockets/stream_state.h"
#include "io/status_error.h"

namespace troupe {

// The words for what is closing are those of row SF10.
caf::result<FileSent> StreamState::Accept(const SendFile& request) {
  absl::Status refusal = Refusal();
  if (!refusal.ok()) {
    return MakeError(closing_ || phase_ == Phase::kClosed
                         ? absl::FailedPreconditionError("Transport is closing")
                         : refusal);
  }
  refusal = CheckFile(request);
  if (!refusal.ok()) return MakeError(refusal);
  auto file = FileTransfer::Begin(
      request.file.Take(), {request.offset, request.count, request.fallback});
  if (!file.ok()) return MakeError(file.status());
  caf::result<FileSent> answer = AnswerAtEnd(**file);
  files_.Add(*file);
  Send(*std::move(file));
  return answer;
}

// A plain message gets no answer.
caf::result<FileSent> StreamState::AnswerAtEnd(FileTransfer& file) {
  if (!self_->current_mailbox_element()->mid.is_request()) {
    return caf::delegated<FileSent>();
  }
  auto promise = self_->make_response_promise<FileSent>();
  file.OnEnd([promise](absl::StatusOr<uint64_t> sent) mutable {
    if (sent.ok()) {
      promise.deliver(FileSent{*sent});
    } else {
      promise.deliver(MakeError(sent.status()));
    }
  });
  return promise;
}

// Row SF2. Before there is a descriptor its kind is not known; then the file
// finds out when its turn comes.
absl::Status StreamState::CheckFile(const SendFile&) const {
  if (kind_ != DescriptorKind::kMessageSocket) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "only SOCK_STREAM type sockets are supported");
}

void StreamState::CancelFiles() {
  files_.CancelAll();
  FilesEnded();
}

}  // namespace troupe
