// Frames whose length stands in front of them.
//
//   auto framer = LengthFramer::Create({.width = 2}, 1 << 20);
//   while (auto frame = framer->Next(rest)) ...
//
// frame.h has the rules. A complete frame is the payload alone. Of a frame over
// the limit the first part is the prefix alone, at once, and the others are the
// payload, as slices of the chunks. An incomplete frame begins with its prefix,
// or with what came of it. Malformed is a prefix that counts itself and says
// less; the framer takes what follows for the next one.
// Own memory: limit + prefix bytes. A frame keeps no more than its size, or the
// chunk.
#ifndef TROUPE_IO_FRAMING_LENGTH_FRAMER_H_
#define TROUPE_IO_FRAMING_LENGTH_FRAMER_H_

#include <cstddef>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "io/bytes.h"
#include "io/framing/exact_framer.h"
#include "io/framing/frame.h"
#include "io/framing/length_prefix.h"

namespace troupe {

class LengthFramer {
 public:
  // INVALID_ARGUMENT for a width that is none, and for `Limit cannot be <= 0`.
  static absl::StatusOr<LengthFramer> Create(LengthPrefix prefix,
                                             size_t limit = kDefaultFrameLimit);

  std::optional<Frame> Next(Bytes& chunk);

  // After it the framer is as new.
  std::optional<Frame> Finish();

 private:
  LengthFramer(LengthPrefix prefix, size_t limit)
      : format_(prefix), limit_(limit) {}
  std::optional<Frame> BeginFrame();
  Bytes TakePrefix();

  LengthPrefix format_;
  size_t limit_;
  std::string prefix_;  // what came of it and was not given
  std::optional<ExactFramer> payload_;
};

}  // namespace troupe

#endif  // TROUPE_IO_FRAMING_LENGTH_FRAMER_H_
