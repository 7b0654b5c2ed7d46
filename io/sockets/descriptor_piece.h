// Bytes that descriptors ride on, in a WriteQueue.
//
//   auto piece = DescriptorPiece::Create(kind, bytes, tickets, credit);
//   if (!piece.ok()) return piece.status();      // the tickets are untouched
//   writing.Add(*std::move(piece));
//
// It takes the descriptors out of the tickets and closes them as soon as the
// kernel has them in the message, or with itself. They go with the first byte;
// on a socket that keeps message boundaries, with the message, which may be
// empty. One thread.
#ifndef TROUPE_IO_SOCKETS_DESCRIPTOR_PIECE_H_
#define TROUPE_IO_SOCKETS_DESCRIPTOR_PIECE_H_

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "io/bytes.h"
#include "io/credit.h"
#include "io/descriptor_kind.h"
#include "io/fd_ticket.h"
#include "io/owned_fd.h"
#include "io/transfer.h"
#include "io/write_piece.h"

namespace troupe {

class DescriptorPiece : public WritePiece {
 public:
  // INVALID_ARGUMENT: more than kMostDescriptors, none, a ticket that is empty
  // or was taken (which one is said), or no byte on a stream.
  static absl::StatusOr<std::unique_ptr<DescriptorPiece>> Create(
      DescriptorKind kind, Bytes bytes, absl::Span<const FdTicket> tickets,
      Credit credit);

  TransferResult Write(int fd, DescriptorKind kind, size_t most) override;
  bool over() const override { return descriptors_.empty() && bytes_.empty(); }

  // A descriptor that waits counts kDescriptorCost.
  size_t size() const override;
  size_t unwritten() const override { return bytes_.size(); }

 private:
  DescriptorPiece(Bytes bytes, std::vector<OwnedFd> descriptors, Credit credit)
      : bytes_(std::move(bytes)),
        descriptors_(std::move(descriptors)),
        credit_(std::move(credit)) {}

  Bytes bytes_;
  std::vector<OwnedFd> descriptors_;  // none: they are under way
  Credit credit_;
};

}  // namespace troupe

#endif  // TROUPE_IO_SOCKETS_DESCRIPTOR_PIECE_H_
