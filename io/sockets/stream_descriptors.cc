// The descriptors that go through a stream beside its bytes.
#include <memory>
#include <utility>
#include <vector>

#include "caf/actor_cast.hpp"
#include "io/owned_fd.h"
#include "io/read_buffer.h"
#include "io/sockets/descriptor_passing.h"
#include "io/sockets/descriptor_piece.h"
#include "io/sockets/stream_state.h"
#include "io/status_error.h"
#include "io/tell.h"

namespace troupe {

absl::Status StreamState::CheckPassing(int fd) const {
  return CheckPassesDescriptors(fd);
}

absl::Status StreamState::CheckDescriptorReceiver(int fd) const {
  if (descriptors_.node() != self_->node()) {
    return absl::InvalidArgumentError(
        "the receiver of descriptors lives on another machine: descriptors do "
        "not cross the network");
  }
  return CheckPassing(fd);
}

caf::result<Drained> StreamState::Accept(WriteDescriptors& write) {
  if (write.descriptors.empty()) {
    return Accept(std::move(write.bytes), std::move(write.credit));
  }
  absl::Status refusal = Refusal();
  if (refusal.ok() && fd_ < 0) {
    refusal = absl::FailedPreconditionError(
        "descriptors are passed when there is a connection, not before");
  }
  if (refusal.ok()) refusal = CheckPassing(fd_);
  if (!refusal.ok()) return MakeError(refusal);
  auto piece =
      DescriptorPiece::Create(kind_, std::move(write.bytes), write.descriptors,
                              std::move(write.credit));
  if (!piece.ok()) return MakeError(piece.status());
  caf::result<Drained> answer = waiters_.Add(self_);
  writing_->Add(*std::move(piece));
  writing_->Write();
  AnswerIfDrained();
  return answer;
}

// What comes beside the bytes is told before they are. A read stops behind
// descriptors, whatever follows.
TransferResult StreamState::Read(int fd, absl::Span<char> room,
                                 size_t delivered) {
  std::vector<OwnedFd> owned;
  ReceiveResult got = ReceiveWithDescriptors(fd, room, owned);
  if (owned.empty() && !got.descriptors_lost) return got.bytes;
  got.bytes.more = true;
  DescriptorsReceived received;
  received.position = delivered;
  received.lost = got.descriptors_lost;
  for (OwnedFd& one : owned) received.descriptors.emplace_back(std::move(one));
  received.credit = reading_->Charge(ReadBuffer::kMessageCost +
                                     owned.size() * kDescriptorCost);
  TellFrom(self_, caf::actor_cast<caf::abstract_actor*>(descriptors_),
           std::move(received), host_);
  return got.bytes;
}

}  // namespace troupe
