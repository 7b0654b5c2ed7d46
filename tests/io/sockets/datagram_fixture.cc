#include "tests/io/sockets/datagram_fixture.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstddef>
#include <future>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "caf/scoped_actor.hpp"
#include "caf/send.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "gtest/gtest.h"
#include "io/bytes.h"
#include "io/sockets/bound_socket.h"
#include "io/sockets/datagram_messages.h"
#include "io/sockets/datagram_transport.h"
#include "io/sockets/socket_address.h"
#include "io/sockets/socket_type.h"
#include "io/status_error.h"
#include "tests/support/protocol_notes.h"
#include "tests/support/trace.h"

namespace troupe {
namespace {

DatagramProtocol::behavior_type Protocol(DatagramProtocol::pointer self,
                                         std::shared_ptr<Trace> trace,
                                         DatagramScript script) {
  EndQuietly(self);
  return {
      [=](const ConnectionMade&) { trace->Add("CM"); },
      [=](DatagramReceived& got) {
        if (script) script(got);
        const size_t size = got.bytes.size();
        trace->Add(size <= 16 ? absl::StrCat("GOT ", got.bytes.view())
                              : absl::StrCat("GOT(", size, ")"));
      },
      [=](const DatagramFailed& failed) {
        trace->Add(absl::StrCat("FAILED ", failed.why.message()));
      },
      [=](const PauseWriting&) { trace->Add("PAUSE"); },
      [=](const ResumeWriting&) { trace->Add("RESUME"); },
      [=](const ConnectionLost& lost) { trace->Add(Describe(lost)); },
  };
}

}  // namespace

void DatagramFixture::Open(DatagramScript script,
                           DatagramTransportOptions options) {
  auto socket = BindSocket({.path = path_, .type = SocketType::kDatagram});
  ASSERT_TRUE(socket.ok()) << socket.status();
  address_ = socket->address;
  transport_ =
      SpawnDatagramTransport(host(), io(), *std::move(socket), options);
  protocol_ = NewDatagramProtocol(std::move(script));
  EXPECT_EQ(Begin(transport_), "");
}

DatagramProtocol DatagramFixture::NewDatagramProtocol(DatagramScript script) {
  return system_->spawn<caf::hidden>(Protocol, trace_, std::move(script));
}

std::string DatagramFixture::Begin(const DatagramTransport& transport) {
  caf::scoped_actor self(*system_);
  std::string text;
  self->request(transport, caf::infinite, OpenDatagram{protocol_, NewOwner()})
      .receive([](const Connected&) {},
               [&](const caf::error& why) {
                 text = std::string(StatusOf(why).message());
               });
  return text;
}

BoundSocket DatagramFixture::Peer() {
  auto socket = BindSocketAnywhere(SocketType::kDatagram);
  EXPECT_TRUE(socket.ok()) << socket.status();
  return *std::move(socket);
}

void DatagramFixture::SendTo(const BoundSocket& from, const std::string& text) {
  EXPECT_EQ(sendto(from.fd.get(), text.data(), text.size(), 0, address_.data(),
                   address_.size()),
            static_cast<ssize_t>(text.size()));
}

std::string DatagramFixture::Receive(const BoundSocket& at) {
  timeval patience = {20, 0};
  setsockopt(at.fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  const int flags = fcntl(at.fd.get(), F_GETFL);
  EXPECT_EQ(fcntl(at.fd.get(), F_SETFL, flags & ~O_NONBLOCK), 0);
  std::string text(1 << 20, '\0');
  ssize_t n = recv(at.fd.get(), text.data(), text.size(), 0);
  EXPECT_GE(n, 0);
  text.resize(n < 0 ? 0 : n);
  return text;
}

void DatagramFixture::Send(const std::string& text, const SocketAddress& to) {
  caf::anon_send(transport_, SendDatagram{Bytes(text), to});
}

std::future<std::string> DatagramFixture::Ask(const std::string& text,
                                              const SocketAddress& to) {
  return Later(transport_, SendDatagram{Bytes(text), to});
}

int DatagramFixture::Fill(const BoundSocket& peer) {
  BoundSocket other = Peer();
  int sent = 0;
  while (sendto(other.fd.get(), "x", 1, MSG_DONTWAIT, peer.address.data(),
                peer.address.size()) == 1) {
    ++sent;
  }
  return sent;
}

}  // namespace troupe
