// The next `size` bytes of a stream as one frame: asyncio's readexactly (row
// H17), or the body behind a header that names its size.
//
//   ExactFramer body(content_length);
//   while (auto part = body.Next(rest)) ...
//
// Gives one frame, then nothing, and leaves the rest of the chunk alone. A size
// over the limit is no error: the bytes come as they are, in parts, and none of
// them is kept. A size of 0 is a frame at once, whatever the chunk. Own memory:
// at most `size` bytes, and none over the limit.
//
// Finish, if that frame is still to end, gives what is there of it.
#ifndef TROUPE_IO_FRAMING_EXACT_FRAMER_H_
#define TROUPE_IO_FRAMING_EXACT_FRAMER_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "io/bytes.h"
#include "io/framing/frame.h"
#include "io/framing/partial_frame.h"

namespace troupe {

class ExactFramer {
 public:
  explicit ExactFramer(uint64_t size, size_t limit = kDefaultFrameLimit)
      : size_(size), missing_(size), limit_(limit) {}

  std::optional<Frame> Next(Bytes& chunk);
  std::optional<Frame> Finish();

 private:
  uint64_t size_;
  uint64_t missing_;
  size_t limit_;
  bool done_ = false;
  PartialFrame partial_;
};

}  // namespace troupe

#endif  // TROUPE_IO_FRAMING_EXACT_FRAMER_H_
