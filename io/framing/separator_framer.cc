#include "io/framing/separator_framer.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/status/status.h"

namespace troupe {
namespace {

using Kind = Frame::Kind;

size_t SaturatedSum(size_t a, size_t b) {
  return a + std::min(b, std::numeric_limits<size_t>::max() - a);
}

}  // namespace

absl::StatusOr<SeparatorFramer> SeparatorFramer::Create(Options options) {
  if (options.separator.empty()) {
    return absl::InvalidArgumentError(
        "Separator should be at least one-byte string");
  }
  if (options.limit == 0) {
    return absl::InvalidArgumentError("Limit cannot be <= 0");
  }
  return SeparatorFramer(std::move(options));
}

SeparatorFramer::SeparatorFramer(Options options)
    : matcher_(std::move(options.separator)),
      ending_(options.ending),
      most_(SaturatedSum(options.limit, matcher_.separator().size())) {}

std::optional<Frame> SeparatorFramer::Next(Bytes& chunk) {
  if (chunk.empty()) return std::nullopt;
  // What has been looked at is taken, so nothing is looked at again.
  size_t size = chunk.size();
  if (!too_long_) size = std::min(size, most_ - partial_.size());
  std::optional<size_t> end = matcher_.Find(chunk.view().substr(0, size));
  Bytes piece = chunk.TakeFirst(end.value_or(size));
  if (too_long_) {
    too_long_ = !end.has_value();
    return Frame{too_long_ ? Kind::kTooLong : Kind::kTooLongEnd,
                 std::move(piece)};
  }
  if (end.has_value()) {
    return Frame{Kind::kComplete,
                 WithoutEnding(partial_.EndWith(std::move(piece), most_))};
  }
  if (piece.size() == most_ - partial_.size()) {
    too_long_ = true;
    return Frame{Kind::kTooLong, partial_.EndWith(std::move(piece), most_)};
  }
  partial_.Add(piece.view(), most_);
  return std::nullopt;
}

std::optional<Frame> SeparatorFramer::Finish() {
  matcher_.Reset();
  bool parts = std::exchange(too_long_, false);
  if (!parts && partial_.size() == 0) return std::nullopt;
  return Frame{Kind::kIncomplete, partial_.Take()};
}

Bytes SeparatorFramer::WithoutEnding(Bytes frame) const {
  if (ending_ == Ending::kKept) return frame;
  size_t size = frame.size() - matcher_.separator().size();
  if (ending_ == Ending::kCutWithCr && size > 0 &&
      frame.data()[size - 1] == '\r') {
    --size;
  }
  return frame.TakeFirst(size);
}

}  // namespace troupe
