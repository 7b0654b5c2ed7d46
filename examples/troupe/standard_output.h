// The program's stdout and stderr, ready to be connected to transports.
#ifndef TROUPE_EXAMPLES_TROUPE_STANDARD_OUTPUT_H_
#define TROUPE_EXAMPLES_TROUPE_STANDARD_OUTPUT_H_

#include "absl/status/statusor.h"
#include "actors/system.h"
#include "io/io_messages.h"
#include "io/standard_streams.h"

namespace troupe {

// One of our own output descriptors with a transport that is spawned and not
// yet connected.
struct OutputStream {
  InheritedStream stream;
  WriteTransport transport;

  ConnectWritePipe Connection(WriteProtocol protocol) const {
    return {stream.ticket(), std::move(protocol), {}};
  }
};

absl::StatusOr<OutputStream> OpenStandardOutput(const System& system, int fd);

// Whether both descriptors lead to one file: a terminal, or `2>&1`.
bool SameFile(int a, int b);

}  // namespace troupe

#endif  // TROUPE_EXAMPLES_TROUPE_STANDARD_OUTPUT_H_
