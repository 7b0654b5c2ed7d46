// The program's stdout and stderr, ready to be connected to transports.
#ifndef TROUPE_EXAMPLES_TROUPE_STANDARD_OUTPUT_H_
#define TROUPE_EXAMPLES_TROUPE_STANDARD_OUTPUT_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "actors/system.h"
#include "io/io_messages.h"
#include "io/standard_streams.h"

namespace troupe {

// One of our own output descriptors with a transport that is spawned and not
// yet connected.
struct OutputStream {
  std::string name;  // "stdout"
  InheritedStream stream;
  WriteTransport transport;

  ConnectWritePipe Connection(WriteProtocol protocol) const {
    return {stream.ticket(), std::move(protocol), {}};
  }
};

// The error's text is for the user; EBADF (OsFailureOf) when it is closed.
absl::StatusOr<OutputStream> OpenStandardOutput(const System& system, int fd);

// What the user is told when the stream was lost: `stdout: No space left on
// device`; nothing when we closed it, or when nobody reads it any more.
std::optional<std::string> LossText(const OutputStream& stream,
                                    const absl::Status& why);

// Whether both descriptors lead to one file: a terminal, or `2>&1`.
bool SameFile(int a, int b);

}  // namespace troupe

#endif  // TROUPE_EXAMPLES_TROUPE_STANDARD_OUTPUT_H_
