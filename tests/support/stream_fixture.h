// IoTest for streams: protocols of stream transports.
#ifndef TROUPE_TESTS_SUPPORT_STREAM_FIXTURE_H_
#define TROUPE_TESTS_SUPPORT_STREAM_FIXTURE_H_

#include <string>

#include "io/owned_fd.h"
#include "io/sockets/stream_messages.h"
#include "io/status_error.h"
#include "tests/support/io_fixture.h"

namespace troupe {

class StreamTest : public IoTest {
 protected:
  // On a worker, or on the I/O thread; hidden.
  StreamProtocol NewStreamProtocol(ProtocolScript script = {});
  StreamProtocol NewResidentStreamProtocol(ProtocolScript script = {});

  // Connects and waits for the answer; the error's text, or "".
  std::string Connect(const StreamTransport& transport, OwnedFd fd,
                      StreamProtocol protocol,
                      AfterEof after_eof = AfterEof::kClose);

  // Asks and waits for an answer of this type; the error's text, or "".
  template <class T, class Handle, class Request>
  std::string Answer(const Handle& actor, Request request) {
    caf::scoped_actor self(*system_);
    std::string text;
    self->request(actor, caf::infinite, std::move(request))
        .receive([](const T&) {},
                 [&](const caf::error& why) {
                   text = std::string(StatusOf(why).message());
                 });
    return text;
  }
};

}  // namespace troupe

#endif  // TROUPE_TESTS_SUPPORT_STREAM_FIXTURE_H_
