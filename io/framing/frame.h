// What a framer cuts out of a stream: a frame, or a part of one.
//
//   for (Bytes rest = data.bytes; auto frame = framer.Next(rest);) {
//     if (frame->kind == Frame::Kind::kComplete) Handle(frame->bytes);
//   }
//
// The rules of every framer:
//   * Next takes from the front of the chunk. When it gives nothing, it has
//     taken all and waits for the next chunk: the message's credit is not
//     needed any more. What the caller has not had taken is the caller's: it
//     may stop there, or go on with another framer or another limit after any
//     frame that is not a kTooLong.
//   * A frame within one chunk is a slice of it. The beginning of a frame that
//     is still to end is copied: a framer never holds a chunk, and its own
//     memory is bounded by its limit, which counts a frame without separator
//     or length. It grows as bytes come, so a high limit costs nothing; while
//     it grows it is there twice.
//   * Nothing is lost (row A4). A frame over the limit comes in parts and the
//     one behind it is found. Only kComplete is without its separator or
//     length; everything else is as it came.
//   * Each byte is looked at once, however the stream is cut.
//   * Finish, at the end of the stream, gives the frame it ended in, if any.
//
// A framer belongs to one thread.
#ifndef TROUPE_IO_FRAMING_FRAME_H_
#define TROUPE_IO_FRAMING_FRAME_H_

#include <cstddef>

#include "io/bytes.h"

namespace troupe {

// asyncio's (row H13).
inline constexpr size_t kDefaultFrameLimit = 64 * 1024;

struct Frame {
  enum class Kind {
    kComplete,
    kTooLong,     // a part of a frame over the limit; more of it follows
    kTooLongEnd,  // its last part
    kIncomplete,  // the stream ended in the frame; what came of it and was not
                  // given as kTooLong: maybe nothing
    kMalformed,   // a length that cannot be; what follows cannot be trusted
  };

  Kind kind;
  Bytes bytes;
};

}  // namespace troupe

#endif  // TROUPE_IO_FRAMING_FRAME_H_
