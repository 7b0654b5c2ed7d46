#include "io/sockets/descriptor_piece.h"

#include <sys/uio.h>

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "io/sockets/descriptor_passing.h"

namespace troupe {
namespace {

absl::Status CheckShape(DescriptorKind kind, const Bytes& bytes, size_t count) {
  if (count == 0) {
    return absl::InvalidArgumentError("there are no descriptors to pass");
  }
  if (count > kMostDescriptors) {
    return absl::InvalidArgumentError(
        absl::StrCat("a message carries at most ", kMostDescriptors,
                     " descriptors, not ", count));
  }
  if (bytes.empty() && kind != DescriptorKind::kMessageSocket) {
    return absl::InvalidArgumentError(
        "descriptors need a byte to ride on: a stream does not carry them "
        "alone");
  }
  return absl::OkStatus();
}

// All of them or none.
absl::StatusOr<std::vector<OwnedFd>> TakeAll(absl::Span<const FdTicket> from) {
  std::vector<OwnedFd> taken;
  for (const FdTicket& ticket : from) {
    OwnedFd fd = ticket.Take();
    if (!fd.valid()) {
      for (size_t i = 0; i < taken.size(); ++i) {
        from[i].Return(std::move(taken[i]));
      }
      return absl::InvalidArgumentError(
          absl::StrCat("descriptor ", taken.size() + 1, " of ", from.size(),
                       " is in no ticket, or was taken out already"));
    }
    taken.push_back(std::move(fd));
  }
  return taken;
}

}  // namespace

absl::StatusOr<std::unique_ptr<DescriptorPiece>> DescriptorPiece::Create(
    DescriptorKind kind, Bytes bytes, absl::Span<const FdTicket> tickets,
    Credit credit) {
  absl::Status shape = CheckShape(kind, bytes, tickets.size());
  if (!shape.ok()) return shape;
  auto descriptors = TakeAll(tickets);
  if (!descriptors.ok()) return descriptors.status();
  return std::unique_ptr<DescriptorPiece>(new DescriptorPiece(
      std::move(bytes), *std::move(descriptors), std::move(credit)));
}

TransferResult DescriptorPiece::Write(int fd, DescriptorKind kind,
                                      size_t most) {
  // A message goes as a whole.
  const size_t size = kind == DescriptorKind::kMessageSocket
                          ? bytes_.size()
                          : std::min(bytes_.size(), most);
  const iovec piece = {const_cast<char*>(bytes_.data()), size};
  std::vector<int> numbers;
  for (const OwnedFd& descriptor : descriptors_) {
    numbers.push_back(descriptor.get());
  }
  const TransferResult done = SendWithDescriptors(fd, {&piece, 1}, numbers);
  if (done.ok()) {
    descriptors_.clear();
    bytes_ = bytes_.Skip(done.size);
  }
  return done;
}

size_t DescriptorPiece::size() const {
  return bytes_.size() + descriptors_.size() * kDescriptorCost;
}

}  // namespace troupe
