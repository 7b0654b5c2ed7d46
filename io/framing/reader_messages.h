// How a reader is asked for the pieces of a stream.
//
// Frame reader (frame_reader.h), the protocol of a transport
//   ReadLine       anyone -> reader   up to the next "\n", which is cut off
//   ReadUntil      anyone -> reader   up to a separator, which is cut off
//   ReadExactly    anyone -> reader   so many bytes
//   ReadAvailable  anyone -> reader   what is there, at least a byte
// Each is answered by a Frame or by the error that ended the stream;
// frame_source.h says how.
#ifndef TROUPE_IO_FRAMING_READER_MESSAGES_H_
#define TROUPE_IO_FRAMING_READER_MESSAGES_H_

#include <cstddef>
#include <string>

#include "caf/allowed_unsafe_message_type.hpp"
#include "caf/replies_to.hpp"
#include "caf/typed_actor.hpp"
#include "io/framing/frame.h"
#include "io/sockets/stream_messages.h"

namespace troupe {

struct ReadLine {};
struct ReadUntil {
  std::string separator = "\n";
};
struct ReadExactly {
  size_t size = 0;
};
struct ReadAvailable {
  size_t most = 64 * 1024;
};
// A StreamProtocol, and so a ReadProtocol, too.
using FrameReader =
    StreamProtocol::extend<caf::replies_to<ReadLine>::with<Frame>,
                           caf::replies_to<ReadUntil>::with<Frame>,
                           caf::replies_to<ReadExactly>::with<Frame>,
                           caf::replies_to<ReadAvailable>::with<Frame>>;

}  // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::Frame)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::ReadLine)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::ReadUntil)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::ReadExactly)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::ReadAvailable)

#endif  // TROUPE_IO_FRAMING_READER_MESSAGES_H_
