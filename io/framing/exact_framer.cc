#include "io/framing/exact_framer.h"

#include <algorithm>
#include <utility>

namespace troupe {

using Kind = Frame::Kind;

std::optional<Frame> ExactFramer::Next(Bytes& chunk) {
  if (done_) return std::nullopt;
  Bytes piece = chunk.TakeFirst(std::min<uint64_t>(missing_, chunk.size()));
  missing_ -= piece.size();
  done_ = missing_ == 0;
  if (size_ > limit_) {
    if (piece.empty()) return std::nullopt;
    return Frame{done_ ? Kind::kTooLongEnd : Kind::kTooLong, std::move(piece)};
  }
  if (done_) {
    return Frame{Kind::kComplete, partial_.EndWith(std::move(piece), size_)};
  }
  partial_.Add(piece.view(), size_);
  return std::nullopt;
}

std::optional<Frame> ExactFramer::Finish() {
  if (std::exchange(done_, true)) return std::nullopt;
  return Frame{missing_ == 0 ? Kind::kComplete : Kind::kIncomplete,
               partial_.Take()};
}

}  // namespace troupe
