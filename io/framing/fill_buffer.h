// Bytes of a stream into memory of one's own: what asyncio's BufferedProtocol
// is for (row U31).
//
//   absl::Span<char> room = absl::MakeSpan(record);
//   [&](DataReceived& data) {
//     while (FillBuffer(room, data.bytes)) {        // a record is full
//       Handle(record);
//       room = absl::MakeSpan(record);
//     }
//   }
//
// asyncio asks the protocol for a buffer (get_buffer) and reads into it. Here a
// read goes into a pooled block, because what is not read yet needs no memory
// then, and chunks are handed over without a copy; this is the one copy that
// is wanted. Nothing is lost when there is no room: the rest stays in the
// chunk, where asyncio has a fatal error (`get_buffer() returned an empty
// buffer`).
#ifndef TROUPE_IO_FRAMING_FILL_BUFFER_H_
#define TROUPE_IO_FRAMING_FILL_BUFFER_H_

#include <algorithm>
#include <cstddef>

#include "absl/types/span.h"
#include "io/bytes.h"

namespace troupe {

// Moves as much as there is and fits from the front of `chunk` to the front of
// `room`, and takes it off both. True if that filled it; false with no room.
inline bool FillBuffer(absl::Span<char>& room, Bytes& chunk) {
  if (room.empty()) return false;
  const size_t size = std::min(room.size(), chunk.size());
  std::copy_n(chunk.data(), size, room.data());
  room.remove_prefix(size);
  (void)chunk.TakeFirst(size);
  return room.empty();
}

}  // namespace troupe

#endif  // TROUPE_IO_FRAMING_FILL_BUFFER_H_
