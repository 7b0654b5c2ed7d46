#include "tests/io/sockets/tls_transport_fixture.h"

#include <future>
#include <memory>
#include <string>
#include <utility>

#include "caf/event_based_actor.hpp"
#include "gtest/gtest.h"
#include "io/fd_ticket.h"
#include "io/sockets/stream_messages.h"
#include "io/sockets/stream_transport.h"
#include "io/sockets/tls_transport.h"
#include "io/status_error.h"
#include "io/tls/tls_context.h"
#include "tests/support/certificates.h"
#include "tests/support/echo_protocol.h"
#include "tests/support/protocol_notes.h"

namespace troupe {

TlsContext::Shared TlsTransportFixture::ServerContext(TlsOptions options) {
  const IssuedCertificate issued =
      ca_.Issue({.name = "server", .alternative_names = {"DNS:example.org"}});
  options.certificate_chain_file = issued.chain_file;
  options.private_key_file = issued.key_file;
  auto context = TlsContext::Server(options);
  EXPECT_TRUE(context.ok()) << context.status();
  return *context;
}

TlsContext::Shared TlsTransportFixture::ClientContext(TlsOptions options) {
  if (options.ca_file.empty()) options.ca_file = ca_.certificate_file();
  options.minimum_version = options.maximum_version = GetParam();
  auto context = TlsContext::Client(options);
  EXPECT_TRUE(context.ok()) << context.status();
  return *context;
}

StreamTransport TlsTransportFixture::NewClient(std::string hostname,
                                               TlsOptions options) {
  return SpawnTlsTransport(host(), io(),
                           {.context = ClientContext(std::move(options)),
                            .server_hostname = std::move(hostname)});
}

StreamTransport TlsTransportFixture::NewServer(TlsOptions options) {
  return SpawnTlsTransport(host(), io(), {.context = ServerContext(options)});
}

std::future<std::string> TlsTransportFixture::Serve(StreamTransport server,
                                                    StreamProtocol protocol) {
  if (!protocol) protocol = SpawnEcho(host(), server);
  auto text = std::make_shared<std::promise<std::string>>();
  ConnectStream request{FdTicket(std::move(theirs_)), std::move(protocol)};
  system_->spawn<caf::hidden>([=](caf::event_based_actor* self) {
    self->request(server, caf::infinite, request)
        .then([=](const Connected&) { text->set_value(""); },
              [=](const caf::error& why) {
                text->set_value(std::string(StatusOf(why).message()));
              });
  });
  return text->get_future();
}

void TlsTransportFixture::Open(ProtocolScript script) {
  client_ = NewClient();
  auto served = Serve(NewServer());
  ASSERT_EQ(
      Connect(client_, std::move(ours_), NewStreamProtocol(std::move(script))),
      "");
  ASSERT_EQ(served.get(), "");
}

}  // namespace troupe
