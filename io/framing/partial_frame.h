// The beginning of a frame whose end is still to come, in memory of its own.
#ifndef TROUPE_IO_FRAMING_PARTIAL_FRAME_H_
#define TROUPE_IO_FRAMING_PARTIAL_FRAME_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"
#include "io/bytes.h"

namespace troupe {

class PartialFrame {
 public:
  // The frame will not have more than `most` bytes, these included. The memory
  // doubles as it grows, but not beyond that.
  void Add(absl::string_view bytes, size_t most);

  // The frame that ends in `last`: `last` itself if there is nothing before it.
  Bytes EndWith(Bytes last, size_t most);

  // What is there, which is then gone.
  Bytes Take();

  size_t size() const { return text_.size(); }

 private:
  std::string text_;
};

}  // namespace troupe

#endif  // TROUPE_IO_FRAMING_PARTIAL_FRAME_H_
