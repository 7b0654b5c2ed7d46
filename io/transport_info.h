// How a transport stands, for whoever asks with GetTransportInfo, and its text.
#ifndef TROUPE_IO_TRANSPORT_INFO_H_
#define TROUPE_IO_TRANSPORT_INFO_H_

#include <cstddef>
#include <string>

namespace troupe {

struct ReadingInfo {
  bool polling = false;  // waits for input; else it is paused, has no credit
                         // left, or is at work
  bool paused = false;   // by PauseReading
  size_t in_flight = 0;  // charged for what was delivered and not let go
  size_t delivered = 0;  // bytes sent to protocols so far
  size_t unread = 0;     // bytes that wait in the kernel
};

struct WritingInfo {
  bool polling = false;  // waits for room
  bool paused = false;   // by the high mark
  size_t buffered = 0;   // bytes to be written
  size_t high = 0;       // the water marks
  size_t low = 0;
};

struct TransportInfo {
  enum class Kind { kRead, kWrite, kStream, kDatagram };

  Kind kind = Kind::kRead;
  int fd = -1;           // before it is connected; stays after the end
  bool closing = false;  // or closed
  bool closed = false;
  ReadingInfo reading;  // of a transport that reads
  WritingInfo writing;  // of one that writes
};

// As asyncio writes its transports (rows R18, W25, U25):
//   <ReadTransport fd=11 polling>
//   <WriteTransport closing fd=12 polling bufsize=4096>
//   <StreamTransport fd=7 read=polling write=<idle, bufsize=0>>
// a datagram transport like the last, and, each of them, `<ReadTransport closed
// fd=11 closed>`, without its last word for a stream, and `<ReadTransport
// unconnected>`.
std::string ToString(const TransportInfo& info);

}  // namespace troupe

#endif  // TROUPE_IO_TRANSPORT_INFO_H_
