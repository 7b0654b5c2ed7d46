// A protocol on another node: refused, because a message with a credit arrives
// there empty and the credit is back at once. So does one with a descriptor
// (row A25): CAF asks a type that has no name across the network for none of
// its members, and a failure to write one does not come back to the sender.
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "caf/actor_cast.hpp"
#include "caf/actor_system.hpp"
#include "caf/actor_system_config.hpp"
#include "caf/event_based_actor.hpp"
#include "caf/exit_reason.hpp"
#include "caf/io/middleman.hpp"
#include "caf/scoped_actor.hpp"
#include "caf/send.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/fd_ticket.h"
#include "io/io_messages.h"
#include "io/io_thread.h"
#include "io/read_transport.h"
#include "io/sockets/stream_transport.h"
#include "io/status_error.h"
#include "io/write_transport.h"
#include "tests/support/descriptors.h"
#include "tests/support/leak_check.h"

namespace troupe {
namespace remote_test {

// A program's own message.
struct Present {
  FdTicket ticket;
};

}  // namespace remote_test
}  // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::remote_test::Present)

namespace troupe {
namespace {

using remote_test::Present;
using ::testing::HasSubstr;

struct Config : caf::actor_system_config {
  Config() {
    set("scheduler.policy", caf::atom("sharing"));
    set("scheduler.max-threads", size_t{1});
    load<caf::io::middleman>();
  }
};

// Two systems in one process are two nodes to CAF.
class RemoteProtocolTest : public LeakCheckedTest {
 protected:
  RemoteProtocolTest() {
    local_ = std::make_unique<caf::actor_system>(local_config_);
    remote_ = std::make_unique<caf::actor_system>(remote_config_);
    io_ = *IoThread::Start(*local_);
    far_ = remote_->spawn([](caf::event_based_actor* self) {
      self->set_default_handler(caf::drop);
      return caf::behavior{[](int) {}};
    });
    auto port = remote_->middleman().publish(far_, 0, "127.0.0.1");
    EXPECT_TRUE(port) << to_string(port.error());
    auto proxy =
        local_->middleman().remote_actor<caf::actor>("127.0.0.1", *port);
    EXPECT_TRUE(proxy) << to_string(proxy.error());
    proxy_ = *proxy;
  }
  ~RemoteProtocolTest() override {
    caf::anon_send_exit(far_, caf::exit_reason::user_shutdown);
    far_ = nullptr;
    proxy_ = nullptr;
    io_.reset();
    local_.reset();
    remote_.reset();
  }

  template <class Answer, class Transport, class Request>
  std::string Ask(const Transport& transport, Request request) {
    std::string text;
    caf::scoped_actor self(*local_);
    auto answer = self->request(transport, caf::infinite, std::move(request));
    if constexpr (std::is_void_v<Answer>) {
      answer.receive([] {}, [&](const caf::error& why) { text = Text(why); });
    } else {
      answer.receive([](const Answer&) {},
                     [&](const caf::error& why) { text = Text(why); });
    }
    return text;
  }
  // Whose descriptor nobody has when this returns.
  void ExpectToRefuse(const std::function<absl::Status(FdTicket)>& send) {
    auto [in, out] = MakePipe();
    const absl::Status refused = send(FdTicket(std::move(out)));
    EXPECT_EQ(refused.code(), absl::StatusCode::kUnimplemented) << refused;
    EXPECT_THAT(std::string(refused.message()), HasSubstr("descriptor"));
    WaitForHangUp(in);
  }
  template <class Handle, class Request>
  absl::Status StatusOfRequest(const Handle& actor, Request request) {
    absl::Status status;
    caf::scoped_actor self(*local_);
    self->request(actor, caf::infinite, std::move(request))
        .receive([](const Drained&) {},
                 [&](const caf::error& why) { status = StatusOf(why); });
    return status;
  }
  static std::string Text(const caf::error& why) {
    return std::string(StatusOf(why).message());
  }

  Config local_config_, remote_config_;
  std::unique_ptr<caf::actor_system> local_, remote_;
  std::unique_ptr<IoThread> io_;
  caf::actor far_, proxy_;
};

TEST_F(RemoteProtocolTest, IsRefusedByReadersAndWriters) {
  constexpr char kText[] = "the protocol lives on another machine";
  auto [in, out] = MakePipe();
  auto reader = caf::actor_cast<ReadProtocol>(proxy_);
  auto writer = caf::actor_cast<WriteProtocol>(proxy_);
  EXPECT_THAT(
      Ask<Connected>(SpawnReadTransport(io_->host(), io_->actor()),
                     ConnectReadPipe{FdTicket(std::move(in)), reader, {}}),
      HasSubstr(kText));
  EXPECT_THAT(
      Ask<Connected>(SpawnWriteTransport(io_->host(), io_->actor()),
                     ConnectWritePipe{FdTicket(std::move(out)), writer, {}}),
      HasSubstr(kText));
}

TEST_F(RemoteProtocolTest, IsRefusedLaterToo) {
  constexpr char kText[] = "the protocol lives on another machine";
  ReadTransport reader = SpawnReadTransport(io_->host(), io_->actor());
  WriteTransport writer = SpawnWriteTransport(io_->host(), io_->actor());
  EXPECT_THAT(
      Ask<void>(reader, SetReadProtocol{caf::actor_cast<ReadProtocol>(proxy_)}),
      HasSubstr(kText));
  EXPECT_THAT(
      Ask<void>(writer,
                SetWriteProtocol{caf::actor_cast<WriteProtocol>(proxy_)}),
      HasSubstr(kText));
}

TEST_F(RemoteProtocolTest, IsToldOfNoDescriptors) {
  auto [ours, theirs] = MakeSocketPair();
  StreamProtocol protocol = local_->spawn<caf::hidden>(
      [](StreamProtocol::pointer) -> StreamProtocol::behavior_type {
        return {[](const ConnectionMade&) {}, [](const DataReceived&) {},
                [](const EofReceived&) {},    [](const PauseWriting&) {},
                [](const ResumeWriting&) {},  [](const ConnectionLost&) {}};
      });
  EXPECT_THAT(
      Ask<Connected>(
          SpawnStreamTransport(io_->host(), io_->actor()),
          ConnectStream{
              .fd = FdTicket(std::move(ours)),
              .protocol = protocol,
              .descriptors = caf::actor_cast<DescriptorReceiver>(proxy_)}),
      HasSubstr("the receiver of descriptors lives on another machine"));
}

TEST_F(RemoteProtocolTest, GetsNoDescriptorThatATransportShouldWrite) {
  ExpectToRefuse([this](FdTicket ticket) {
    return StatusOfRequest(caf::actor_cast<StreamTransport>(proxy_),
                           WriteDescriptors{Bytes("x"), {ticket}});
  });
}

TEST_F(RemoteProtocolTest, GetsNoDescriptorInAMessageOfAProgram) {
  ExpectToRefuse([this](FdTicket ticket) {
    return StatusOfRequest(proxy_, Present{ticket});
  });
  // And the two nodes still talk.
  ExpectToRefuse([this](FdTicket ticket) {
    return StatusOfRequest(proxy_, Present{ticket});
  });
}

}  // namespace
}  // namespace troupe
