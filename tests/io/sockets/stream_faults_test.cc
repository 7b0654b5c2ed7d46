// One life of a connection, from listen to close, again and again: with a
// system call failing at each point where it can, and with room for no more
// descriptors, for one, for two ... Each step works or says why not, whoever
// was told of the connection is told of its end, nothing is left and nothing
// hangs (rows U12, U24, V41, V51, A27).
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/config.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "caf/scoped_actor.hpp"
#include "caf/send.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "gtest/gtest.h"
#include "io/io_thread.h"
#include "io/os_error.h"
#include "io/resident.h"
#include "io/sockets/socket_address.h"
#include "io/sockets/stream_transport.h"
#include "io/sockets/tls_transport.h"
#include "io/sockets/unix_listener.h"
#include "io/sockets/unix_server.h"
#include "io/status_error.h"
#include "io/tls/tls_context.h"
#include "tests/io/sockets/call_faults.h"
#include "tests/io/sockets/full_descriptor_table.h"
#include "tests/support/certificates.h"
#include "tests/support/echo_protocol.h"
#include "tests/support/leak_check.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/stream_fixture.h"

namespace troupe {
namespace {

constexpr auto kPatience = std::chrono::seconds(20);
// A server without a descriptor left looks again after a second.
constexpr absl::Duration kHandshake = absl::Seconds(4);

StreamProtocol::behavior_type Client(Resident<StreamProtocol::base>* self,
                                     std::shared_ptr<Trace> trace) {
  auto got = std::make_shared<std::string>();
  return {
      [=](const ConnectionMade&) { trace->Add("client CM"); },
      [=](DataReceived& data) {
        got->append(data.bytes.data(), data.bytes.size());
      },
      [](const EofReceived&) {},
      [](const PauseWriting&) {},
      [](const ResumeWriting&) {},
      [=](const ConnectionLost& lost) {
        if (!got->empty()) trace->Add(absl::StrCat("client got ", *got));
        trace->Add(absl::StrCat("client CL: ",
                                lost.why.ok() ? "OK" : lost.why.message()));
        self->quit();
      },
  };
}

ServerOwner::behavior_type Owner(Resident<ServerOwner::base>*,
                                 std::shared_ptr<Trace> trace) {
  return {[=](const ServerTrouble& trouble) {
    trace->Add(absl::StrCat("trouble: ", trouble.why.message()));
  }};
}

size_t CountOf(const std::vector<std::string>& events,
               const std::string& prefix) {
  return std::count_if(events.begin(), events.end(), [&](const auto& event) {
    return absl::StartsWith(event, prefix);
  });
}

// All actors of a life are residents of its thread: nothing of it is left when
// that has ended.
class StreamFaultsTest : public StreamTest,
                         public ::testing::WithParamInterface<bool> {
 protected:
  StreamFaultsTest() {
    if (!GetParam()) return;
    const IssuedCertificate issued = ca_.Issue({.name = "server"});
    auto server =
        TlsContext::Server({.certificate_chain_file = issued.chain_file,
                            .private_key_file = issued.key_file});
    auto client = TlsContext::Client({.ca_file = ca_.certificate_file()});
    EXPECT_TRUE(server.ok() && client.ok());
    server_tls_ = *server;
    client_tls_ = *client;
  }
  ~StreamFaultsTest() override {
    EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
  }

  // What the server has no room for now it may have later, or `never`.
  enum class Room { kLater, kNever };
  // "exchanged", or what stopped it.
  std::string Live(Room room);

  void FailEachCallOnce(CallFault::Kind kind);
  std::multimap<std::string, std::string> outcomes_;

 private:
  template <class T, class Handle, class Request>
  absl::Status Asked(const Handle& actor, Request request) {
    caf::scoped_actor self(*system_);
    absl::Status status;
    self->request(actor, kPatience, std::move(request))
        .receive([](const T&) {},
                 [&](const caf::error& why) { status = StatusOf(why); });
    return status;
  }
  static std::string Typed(const absl::Status& refusal);

  UnixServer NewServer(IoThread& io, UnixListener listener);
  StreamTransport NewClient(IoThread& io);
  std::string Visit(IoThread& io, const SocketAddress& address, Room room);
  std::string Exchange(const StreamTransport& client, Room room);
  std::string Outcome() const;
  bool WaitForEnds();

  const CertificateAuthority ca_{"CA"};
  ScratchFolder folder_;
  TlsContext::Shared server_tls_, client_tls_;
};

INSTANTIATE_TEST_SUITE_P(Streams, StreamFaultsTest, ::testing::Bool(),
                         [](const auto& info) {
                           return info.param ? "Tls" : "Plain";
                         });

std::string StreamFaultsTest::Typed(const absl::Status& refusal) {
  EXPECT_TRUE(OsFailureOf(refusal).has_value() ||
              absl::StrContains(refusal.message(), "TLS"))
      << refusal;
  return std::string(refusal.message());
}

UnixServer StreamFaultsTest::NewServer(IoThread& io, UnixListener listener) {
  UnixServerOptions options;
  auto script = std::make_shared<EchoScript>();
  script->made = [trace = trace_] { trace->Add("server CM"); };
  script->lost = [trace = trace_](const ConnectionLost& lost) {
    trace->Add(
        absl::StrCat("server CL: ", lost.why.ok() ? "OK" : lost.why.message()));
  };
  options.new_protocol = [&io, script](const StreamTransport& stream) {
    return SpawnEcho(io.host(), stream, script);
  };
  options.owner = SpawnResident<caf::hidden>(io.host(), Owner, trace_);
  options.tls = server_tls_;
  options.handshake_timeout = kHandshake;
  return SpawnUnixServer(io.host(), io.actor(), std::move(listener),
                         std::move(options));
}

StreamTransport StreamFaultsTest::NewClient(IoThread& io) {
  if (client_tls_ == nullptr) {
    return SpawnStreamTransport(io.host(), io.actor());
  }
  return SpawnTlsTransport(
      io.host(), io.actor(),
      {.context = client_tls_, .handshake_timeout = kHandshake});
}

std::string StreamFaultsTest::Live(Room room) {
  trace_ = std::make_shared<Trace>();
  auto io = IoThread::Start(*system_);
  if (!io.ok()) return Typed(io.status());
  auto listener = UnixListener::Bind({.path = folder_.PathOf("socket")});
  if (!listener.ok()) return Typed(listener.status());
  const SocketAddress address = listener->address();
  UnixServer server = NewServer(**io, *std::move(listener));
  const absl::Status serving = Asked<Serving>(server, StartServing{});
  std::string outcome =
      serving.ok() ? Visit(**io, address, room) : Typed(serving);
  caf::anon_send(server, StopServing{});
  EXPECT_EQ(Asked<ServerClosed>(server, WaitClosed{}), absl::OkStatus());
  EXPECT_TRUE(WaitForEnds());
  return outcome;
}

std::string StreamFaultsTest::Visit(IoThread& io, const SocketAddress& address,
                                    Room room) {
  StreamTransport client = NewClient(io);
  StreamProtocol protocol =
      SpawnResident<caf::hidden>(io.host(), Client, trace_);
  const absl::Status connected =
      Asked<Connected>(client, ConnectUnix{address, std::move(protocol)});
  if (connected.ok()) return Exchange(client, room);
  const std::string refusal = Typed(connected);
  for (const std::string& event : trace_->events()) {
    if (absl::StartsWith(event, "trouble: ")) return event;
  }
  return refusal;
}

std::string StreamFaultsTest::Exchange(const StreamTransport& client,
                                       Room room) {
  caf::anon_send(client, Write{Bytes("hello"), {}});
  caf::anon_send(client, WriteEof{});
  EXPECT_TRUE(trace_->WaitUntil([=](const auto& events) {
    return CountOf(events, "client CL") > 0 ||
           (room == Room::kNever && CountOf(events, "trouble") > 0);
  }));
  caf::anon_send(client, AbortTransport{});
  EXPECT_TRUE(trace_->WaitForPrefix("client CL"));
  return Outcome();
}

// If nothing came back somebody was told why.
std::string StreamFaultsTest::Outcome() const {
  if (trace_->Count("client got hello") == 1) return "exchanged";
  for (const std::string& event : trace_->events()) {
    if (absl::StrContains(event, "CL: ") && !absl::EndsWith(event, ": OK")) {
      return event;
    }
    if (absl::StartsWith(event, "trouble: ")) return event;
  }
  ADD_FAILURE() << "nobody knows why nothing came back";
  return "unknown";
}

// Whoever was told of the connection is told of its end.
bool StreamFaultsTest::WaitForEnds() {
  return trace_->WaitUntil([](const auto& events) {
    return CountOf(events, "client CM") == CountOf(events, "client CL") &&
           CountOf(events, "server CM") == CountOf(events, "server CL");
  });
}

// What came of a fault in each call.
void StreamFaultsTest::FailEachCallOnce(CallFault::Kind kind) {
  for (int n = 1;; ++n) {
    SCOPED_TRACE(testing::Message() << "call " << n);
    const auto before = OpenDescriptors();
    CallFault fault(n, kind);
    const std::string outcome = Live(Room::kLater);
    EXPECT_EQ(OpenDescriptors(), before) << fault.call();
    if (!fault.reached()) {
      EXPECT_EQ(outcome, "exchanged");
      break;
    }
    outcomes_.emplace(fault.call(), outcome);
  }
}

TEST_P(StreamFaultsTest, EachCallMayFindNoRoomOnce) {
  FailEachCallOnce(CallFault::kNoRoom);
  // Those after the connect vary in number with the threads' turns.
  for (const char* call :
       {"epoll_create1", "eventfd", "timerfd_create", "epoll_ctl", "socket",
        "bind", "listen", "connect"}) {
    EXPECT_GT(outcomes_.count(call), 0u) << call;
  }
  for (const auto& [call, outcome] : outcomes_) {
    if (call == "accept4") {
      EXPECT_EQ(outcome, "exchanged");  // a second later
    }
  }
}

TEST_P(StreamFaultsTest, ThePeerMayBeGoneAtEachCall) {
  FailEachCallOnce(CallFault::kPeerGone);
}

TEST_P(StreamFaultsTest, EachCallMayBeInterruptedOnce) {
  FailEachCallOnce(CallFault::kInterrupted);
  for (const auto& [call, outcome] : outcomes_) {
    EXPECT_EQ(outcome, "exchanged") << call;
  }
}

TEST_P(StreamFaultsTest, ThereMayBeRoomForFewDescriptors) {
#ifdef ABSL_HAVE_ADDRESS_SANITIZER
  GTEST_SKIP() << "without a descriptor UBSan takes any object for a wrong one";
#endif
  int room = 0;
  for (;; ++room) {
    SCOPED_TRACE(testing::Message() << "room for " << room);
    const auto before = OpenDescriptors();
    std::string outcome;
    {
      FullDescriptorTable full(room);
      outcome = Live(Room::kNever);
    }
    EXPECT_EQ(OpenDescriptors(), before);
    if (outcome == "exchanged") break;
    EXPECT_TRUE(absl::StrContains(outcome, ErrnoText(EMFILE))) << outcome;
    ASSERT_LT(room, 100);
  }
  EXPECT_GT(room, 5);
}

}  // namespace
}  // namespace troupe
