// A stream, cut in pieces, and what a framer makes of it.
//
//   EXPECT_EQ(FramesOf(framer, {"on", "e\ntw", "o"}),
//             Frames({{Kind::kComplete, "one"}, {Kind::kIncomplete, "two"}}));
//   ForEveryCut("abc", [](const Pieces& pieces) { ... });
//
// The parts of one frame are joined: how many there are depends on the pieces,
// what they are together and how they end does not.
#ifndef TROUPE_TESTS_IO_FRAMING_FRAMED_STREAM_H_
#define TROUPE_TESTS_IO_FRAMING_FRAMED_STREAM_H_

#include <algorithm>
#include <cstdint>
#include <ostream>
#include <random>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/escaping.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "io/bytes.h"
#include "io/framing/frame.h"

namespace troupe {

using Kind = Frame::Kind;
using Pieces = std::vector<absl::string_view>;

struct WholeFrame {
  Kind end;
  std::string bytes;
  bool in_parts = false;  // some of it was given as kTooLong

  bool operator==(const WholeFrame& other) const {
    return end == other.end && bytes == other.bytes &&
           in_parts == other.in_parts;
  }
};
using Frames = std::vector<WholeFrame>;

inline std::ostream& operator<<(std::ostream& out, const WholeFrame& frame) {
  return out << "kind " << static_cast<int>(frame.end) << " \""
             << absl::CEscape(frame.bytes.substr(0, 100)) << "\", "
             << frame.bytes.size() << " bytes"
             << (frame.in_parts ? " in parts" : "");
}

class FrameJoiner {
 public:
  void Add(const Frame& frame) {
    next_.bytes.append(frame.bytes.data(), frame.bytes.size());
    if (frame.kind == Kind::kTooLong) {
      EXPECT_FALSE(frame.bytes.empty());
      next_.in_parts = true;
      return;
    }
    next_.end = frame.kind;
    frames_.push_back(std::move(next_));
    next_ = {};
  }

  // All frames, each of which must have ended.
  Frames Take() {
    EXPECT_FALSE(next_.in_parts);
    return std::move(frames_);
  }

 private:
  WholeFrame next_ = {};
  Frames frames_;
};

// Each piece is gone before the next one is there.
template <class Framer>
Frames FramesOf(Framer& framer, const Pieces& pieces) {
  FrameJoiner joiner;
  for (absl::string_view piece : pieces) {
    Bytes rest = Bytes::Copy(piece);
    while (auto frame = framer.Next(rest)) joiner.Add(*frame);
    EXPECT_TRUE(rest.empty());
  }
  if (auto frame = framer.Finish()) joiner.Add(*frame);
  EXPECT_FALSE(framer.Finish().has_value());
  return joiner.Take();
}

// All 2^(n-1) ways to cut n bytes.
inline void ForEveryCut(absl::string_view text,
                        absl::FunctionRef<void(const Pieces&)> body) {
  for (uint32_t cuts = 0; cuts < (text.empty() ? 1 : 1u << (text.size() - 1));
       ++cuts) {
    Pieces pieces;
    size_t begin = 0;
    for (size_t i = 1; i <= text.size(); ++i) {
      if (i < text.size() && (cuts >> (i - 1) & 1) == 0) continue;
      pieces.push_back(text.substr(begin, i - begin));
      begin = i;
    }
    body(pieces);
  }
}

// Pieces of up to `longest` bytes, some of them empty.
inline Pieces RandomCut(absl::string_view text, size_t longest,
                        std::mt19937& random) {
  Pieces pieces;
  while (!text.empty()) {
    size_t size = std::min<size_t>(text.size(), random() % (longest + 1));
    pieces.push_back(text.substr(0, size));
    text.remove_prefix(size);
  }
  return pieces;
}

}  // namespace troupe

#endif  // TROUPE_TESTS_IO_FRAMING_FRAMED_STREAM_H_
