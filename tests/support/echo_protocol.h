// A protocol that writes back what it receives, and the credit with it: a
// client that does not read is not read either.
#ifndef TROUPE_TESTS_SUPPORT_ECHO_PROTOCOL_H_
#define TROUPE_TESTS_SUPPORT_ECHO_PROTOCOL_H_

#include <functional>
#include <memory>

#include "io/io_host.h"
#include "io/io_messages.h"
#include "io/sockets/stream_messages.h"

namespace troupe {

// What else it does, in its handlers; all are optional.
struct EchoScript {
  std::function<void()> made;
  std::function<void()> data;
  std::function<void(const ConnectionLost&)> lost;
};

// Resident on `host`, hidden; for one connection, of `stream`. Many may share
// a script.
StreamProtocol SpawnEcho(IoHost& host, StreamTransport stream,
                         std::shared_ptr<const EchoScript> script = nullptr);

}  // namespace troupe

#endif  // TROUPE_TESTS_SUPPORT_ECHO_PROTOCOL_H_
