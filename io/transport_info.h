// How a transport stands, for whoever asks with GetTransportInfo.
#ifndef TROUPE_IO_TRANSPORT_INFO_H_
#define TROUPE_IO_TRANSPORT_INFO_H_

#include <cstddef>

namespace troupe {

struct ReadingInfo {
  bool paused = false;   // by PauseReading
  size_t in_flight = 0;  // charged for what was delivered and not let go
  size_t delivered = 0;  // bytes sent to protocols so far
  size_t unread = 0;     // bytes that wait in the kernel
};

struct WritingInfo {
  bool paused = false;  // by the high mark
  size_t buffered = 0;  // bytes to be written
  size_t high = 0;      // the water marks
  size_t low = 0;
};

struct TransportInfo {
  int fd = -1;
  bool closing = false;
  ReadingInfo reading;  // of a transport that reads
  WritingInfo writing;  // of one that writes
};

}  // namespace troupe

#endif  // TROUPE_IO_TRANSPORT_INFO_H_
