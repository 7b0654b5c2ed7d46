// Frames that end in a separator; lines, if nothing else is said.
//
//   auto lines = SeparatorFramer::Create({});
//   auto header = SeparatorFramer::Create({.separator = "\r\n\r\n"});
//   while (auto frame = lines->Next(rest)) ...
//
// frame.h has the rules. The separator is the first one in the frame (rows H15,
// H16); a frame is too long when more than the limit is in front of it. That is
// known when limit + separator bytes are there without one: they are the first
// part, the others are slices of the chunks. A separator may lie across parts.
// Own memory: less than limit + separator bytes. A frame that came in several
// chunks may keep twice its size.
#ifndef TROUPE_IO_FRAMING_SEPARATOR_FRAMER_H_
#define TROUPE_IO_FRAMING_SEPARATOR_FRAMER_H_

#include <cstddef>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "io/bytes.h"
#include "io/framing/frame.h"
#include "io/framing/partial_frame.h"
#include "io/framing/separator_matcher.h"

namespace troupe {

class SeparatorFramer {
 public:
  // What becomes of a complete frame's end.
  enum class Ending {
    kCut,
    kCutWithCr,  // and one \r in front of it: lines that end in \n or \r\n.
                 // The limit counts the \r.
    kKept,
  };

  struct Options {
    std::string separator = "\n";
    Ending ending = Ending::kCut;
    size_t limit = kDefaultFrameLimit;
  };

  // INVALID_ARGUMENT, in asyncio's words: `Separator should be at least
  // one-byte string`, `Limit cannot be <= 0`.
  static absl::StatusOr<SeparatorFramer> Create(Options options);

  std::optional<Frame> Next(Bytes& chunk);

  // After it the framer is as new.
  std::optional<Frame> Finish();

 private:
  explicit SeparatorFramer(Options options);
  Bytes WithoutEnding(Bytes frame) const;

  SeparatorMatcher matcher_;
  Ending ending_;
  size_t most_;  // the longest frame and its separator
  PartialFrame partial_;
  bool too_long_ = false;  // parts of the frame have been given
};

}  // namespace troupe

#endif  // TROUPE_IO_FRAMING_SEPARATOR_FRAMER_H_
