#include "io/framing/length_framer.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace troupe {

using Kind = Frame::Kind;

absl::StatusOr<LengthFramer> LengthFramer::Create(LengthPrefix prefix,
                                                  size_t limit) {
  if (absl::Status status = prefix.Check(); !status.ok()) return status;
  if (limit == 0) return absl::InvalidArgumentError("Limit cannot be <= 0");
  return LengthFramer(prefix, limit);
}

std::optional<Frame> LengthFramer::Next(Bytes& chunk) {
  if (!payload_.has_value()) {
    size_t width = format_.width;
    Bytes piece =
        chunk.TakeFirst(std::min(width - prefix_.size(), chunk.size()));
    prefix_.append(piece.data(), piece.size());
    if (prefix_.size() < width) return std::nullopt;
    if (std::optional<Frame> frame = BeginFrame()) return frame;
  }
  std::optional<Frame> frame = payload_->Next(chunk);
  if (frame.has_value() && frame->kind != Kind::kTooLong) {
    payload_.reset();
    prefix_.clear();
  }
  return frame;
}

// The prefix is there. What to give because of it alone, if anything.
std::optional<Frame> LengthFramer::BeginFrame() {
  std::optional<uint64_t> size = format_.Decode(prefix_);
  if (!size.has_value()) return Frame{Kind::kMalformed, TakePrefix()};
  payload_.emplace(*size, limit_);
  if (*size > limit_) return Frame{Kind::kTooLong, TakePrefix()};
  return std::nullopt;
}

Bytes LengthFramer::TakePrefix() { return Bytes(std::exchange(prefix_, {})); }

std::optional<Frame> LengthFramer::Finish() {
  if (prefix_.empty() && !payload_.has_value()) return std::nullopt;
  std::string rest = std::exchange(prefix_, {});
  if (payload_.has_value()) {
    absl::StrAppend(&rest, payload_->Finish()->bytes.view());
    payload_.reset();
  }
  return Frame{Kind::kIncomplete, Bytes(std::move(rest))};
}

}  // namespace troupe
