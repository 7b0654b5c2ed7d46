#include "tests/io/sockets/send_file_fixture.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdint>
#include <future>
#include <memory>
#include <string>
#include <tuple>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "caf/send.hpp"
#include "gtest/gtest.h"
#include "io/fd_ticket.h"
#include "io/file_sender.h"
#include "io/owned_fd.h"
#include "io/sockets/stream_messages.h"
#include "io/sockets/stream_transport.h"
#include "io/sockets/tls_transport.h"
#include "io/status_error.h"
#include "io/tls/tls_context.h"
#include "tests/support/certificates.h"
#include "tests/support/descriptors.h"
#include "tests/support/planned_sendfile.h"
#include "tests/support/protocol_notes.h"

namespace troupe {

SendFileTest::SendFileTest() {
  PlannedSendfile::Reset();
  std::tie(ours_, theirs_) = MakeSocketPair();
  SetNonBlocking(ours_);
  SetNonBlocking(theirs_);
}

StreamTransport SendFileTest::NewStream() {
  if (!tls()) return SpawnStreamTransport(host(), io());
  auto context = TlsContext::Client({.ca_file = ca_.certificate_file()});
  EXPECT_TRUE(context.ok()) << context.status();
  return SpawnTlsTransport(
      host(), io(), {.context = *context, .server_hostname = "example.org"});
}

StreamTransport SendFileTest::NewPeer() {
  if (!tls()) return SpawnStreamTransport(host(), io());
  const IssuedCertificate issued =
      ca_.Issue({.name = "server", .alternative_names = {"DNS:example.org"}});
  auto context =
      TlsContext::Server({.certificate_chain_file = issued.chain_file,
                          .private_key_file = issued.key_file});
  EXPECT_TRUE(context.ok()) << context.status();
  return SpawnTlsTransport(host(), io(), {.context = *context});
}

void SendFileTest::ConnectBoth(ProtocolScript script, ProtocolScript theirs) {
  theirs.name = "peer ";
  peer_ = NewPeer();
  auto served = std::async(std::launch::async, [&] {
    return Connect(peer_, std::move(theirs_), NewStreamProtocol(theirs));
  });
  protocol_ = NewStreamProtocol(std::move(script));
  EXPECT_EQ(Connect(stream_, std::move(ours_), protocol_), "");
  EXPECT_EQ(served.get(), "");
}

void SendFileTest::Open(ProtocolScript script, ProtocolScript theirs) {
  stream_ = NewStream();
  ConnectBoth(std::move(script), std::move(theirs));
}

void SendFileTest::OpenToADeafPeer() {
  ProtocolScript deaf;
  deaf.made = [this] { caf::anon_send(peer_, PauseReading{}); };
  Open({}, deaf);
}

SendFileTest::Answer SendFileTest::SendIt(FileRange range) {
  FdTicket file(OwnedFd(fcntl(file_.get(), F_DUPFD_CLOEXEC, 3)));
  auto handle = self_->request(
      stream_, caf::infinite,
      SendFile{std::move(file), range.offset, range.count, range.fallback});
  return [handle = std::make_shared<decltype(handle)>(std::move(handle))] {
    std::string text;
    handle->receive(
        [&](const FileSent& sent) { text = absl::StrCat(sent.bytes); },
        [&](const caf::error& why) {
          const absl::Status status = StatusOf(why);
          text = absl::StrCat(absl::IsCancelled(status) ? "-" : "",
                              status.message());
        });
    return text;
  };
}

void SendFileTest::MakeItHuge() {
  file_ = MakeFile("", O_RDWR);
  ASSERT_EQ(ftruncate(file_.get(), int64_t{10} << 30), 0);
}

void SendFileTest::WaitUntilStuck() {
  for (int i = 0; i < 5; ++i) WaitForIteration(*io_);
}

}  // namespace troupe
