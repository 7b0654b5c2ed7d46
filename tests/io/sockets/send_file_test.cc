// Files between the writes of a stream, plain and with TLS (rows SF1 to SF13,
// V45).
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <tuple>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "caf/exit_reason.hpp"
#include "caf/scoped_actor.hpp"
#include "caf/send.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/fd_ticket.h"
#include "io/file_sender.h"
#include "io/os_error.h"
#include "io/owned_fd.h"
#include "io/sockets/stream_messages.h"
#include "io/sockets/stream_transport.h"
#include "io/sockets/tls_transport.h"
#include "io/status_error.h"
#include "io/tls/tls_context.h"
#include "tests/support/certificates.h"
#include "tests/support/descriptors.h"
#include "tests/support/planned_sendfile.h"
#include "tests/support/stream_fixture.h"

namespace troupe {
namespace {

using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

enum class With { kNothing, kTls };

// `stream_` sends; what `peer_` gets is in received_, and its events in the
// trace begin with `peer `.
class SendFileTest : public StreamTest,
                     public ::testing::WithParamInterface<With> {
 protected:
  SendFileTest() {
    PlannedSendfile::Reset();
    std::tie(ours_, theirs_) = MakeSocketPair();
    SetNonBlocking(ours_);
    SetNonBlocking(theirs_);
  }

  bool tls() const { return GetParam() == With::kTls; }
  StreamTransport NewStream() {
    if (!tls()) return SpawnStreamTransport(host(), io());
    auto context = TlsContext::Client({.ca_file = ca_.certificate_file()});
    EXPECT_TRUE(context.ok()) << context.status();
    return SpawnTlsTransport(
        host(), io(), {.context = *context, .server_hostname = "example.org"});
  }
  StreamTransport NewPeer() {
    if (!tls()) return SpawnStreamTransport(host(), io());
    const IssuedCertificate issued =
        ca_.Issue({.name = "server", .alternative_names = {"DNS:example.org"}});
    auto context =
        TlsContext::Server({.certificate_chain_file = issued.chain_file,
                            .private_key_file = issued.key_file});
    EXPECT_TRUE(context.ok()) << context.status();
    return SpawnTlsTransport(host(), io(), {.context = *context});
  }
  // Both wait for each other's handshake.
  void ConnectBoth(ProtocolScript script = {}, ProtocolScript theirs = {}) {
    theirs.name = "peer ";
    peer_ = NewPeer();
    auto served = std::async(std::launch::async, [&] {
      return Connect(peer_, std::move(theirs_), NewStreamProtocol(theirs));
    });
    protocol_ = NewStreamProtocol(std::move(script));
    EXPECT_EQ(Connect(stream_, std::move(ours_), protocol_), "");
    EXPECT_EQ(served.get(), "");
  }
  void Open(ProtocolScript script = {}, ProtocolScript theirs = {}) {
    stream_ = NewStream();
    ConnectBoth(std::move(script), std::move(theirs));
  }
  // The peer reads nothing until it is told to.
  void OpenToADeafPeer() {
    ProtocolScript deaf;
    deaf.made = [this] { caf::anon_send(peer_, PauseReading{}); };
    Open({}, deaf);
  }
  void LetItRead() { caf::anon_send(peer_, ResumeReading{}); }

  // Sends our file, by a copy of the descriptor. The answer can be waited for:
  // `10`, or the error's text, after a `-` if it is kCancelled.
  using Answer = std::function<std::string()>;
  Answer SendIt(FileRange range = {}) {
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
  // A file that no socket takes at once, and none ever will in this test.
  void MakeItHuge() {
    file_ = MakeFile("", O_RDWR);
    ASSERT_EQ(ftruncate(file_.get(), int64_t{10} << 30), 0);
  }
  // When as much of it is on its way as there is room for.
  void WaitUntilStuck() {
    for (int i = 0; i < 5; ++i) WaitForIteration(*io_);
  }

  template <class Message>
  void Send(Message message) {
    caf::anon_send(stream_, std::move(message));
  }
  void Say(const std::string& text) { Send(Write{Bytes(text), {}}); }
  off_t Position() { return lseek(file_.get(), 0, SEEK_CUR); }
  bool WaitForPeersEnd() { return trace_->WaitForPrefix("peer CL("); }
  bool WaitForOurEnd() { return trace_->WaitForPrefix("CL("); }

  const CertificateAuthority ca_{"CA"};
  OwnedFd file_ = MakeFile("0123456789", O_RDWR);
  OwnedFd ours_, theirs_;
  StreamTransport stream_, peer_;
  StreamProtocol protocol_;
  caf::scoped_actor self_{*system_};
};

INSTANTIATE_TEST_SUITE_P(Streams, SendFileTest,
                         ::testing::Values(With::kNothing, With::kTls),
                         [](const auto& info) {
                           return info.param == With::kTls ? "Tls" : "Plain";
                         });

// Rows SF1, SF11: asyncio refuses the write behind it.
TEST_P(SendFileTest, KeepsItsPlaceAmongTheWrites) {
  Open();
  Say("before ");
  Answer whole = SendIt();
  Say(" behind ");
  Answer part = SendIt({.offset = 8});
  Send(CloseTransport{});
  EXPECT_EQ(whole(), "10");
  EXPECT_EQ(part(), "2");
  ASSERT_TRUE(WaitForPeersEnd());
  EXPECT_EQ(received_, "before 0123456789 behind 89");
}

// Rows SF7, V45: offset 3, count 4.
TEST_P(SendFileTest, LeavesThePositionBehindWhatItSent) {
  Open();
  lseek(file_.get(), 8, SEEK_SET);
  EXPECT_EQ(SendIt({.offset = 3, .count = 4})(), "4");
  EXPECT_EQ(Position(), 7);
  EXPECT_EQ(SendIt({.offset = 2, .count = 100})(), "8");
  EXPECT_EQ(Position(), 10);
}

// Row SF4.
TEST_P(SendFileTest, SendsNothingOfAnEmptyFileOrBehindItsEnd) {
  Open();
  EXPECT_EQ(SendIt({.offset = 100})(), "0");
  file_ = MakeFile("", O_RDONLY);
  EXPECT_EQ(SendIt()(), "0");
}

// Rows SF2, SF3; the stream goes on.
TEST_P(SendFileTest, RefusesWrongArgumentsWithAsynciosTexts) {
  Open();
  lseek(file_.get(), 5, SEEK_SET);
  EXPECT_EQ(SendIt({.offset = -1, .count = 0})(),
            "count must be a positive integer (got 0)");
  EXPECT_EQ(SendIt({.offset = -1})(),
            "offset must be a non-negative integer (got -1)");
  EXPECT_EQ(Position(), 5);
  file_ = MakePipe().first;
  EXPECT_EQ(SendIt()(), "not a regular file");
  Say("next");
  ASSERT_TRUE(trace_->WaitFor("peer DR(4)"));
}

// A plain message has nobody to be told, nor to be ended by a refusal.
TEST_P(SendFileTest, AnswersNoPlainMessage) {
  Open();
  Send(SendFile{});
  Send(SendFile{FdTicket(std::move(file_))});
  ASSERT_TRUE(trace_->WaitFor("peer DR(10)"));
}

// Row SF10.
TEST_P(SendFileTest, RefusesWhenItIsClosing) {
  OpenToADeafPeer();
  Say(std::string(1 << 22, 'x'));
  Send(CloseTransport{});
  EXPECT_EQ(SendIt()(), "Transport is closing");
  Send(AbortTransport{});
  ASSERT_TRUE(WaitForOurEnd());
}

TEST_P(SendFileTest, RefusesAfterWriteEof) {
  OpenToADeafPeer();
  Answer before = SendIt();
  Send(WriteEof{});
  EXPECT_EQ(SendIt()(), "Cannot call write() after write_eof()");
  EXPECT_EQ(before(), "10");
  LetItRead();
  ASSERT_TRUE(trace_->WaitFor("peer EOF"));
  EXPECT_EQ(received_, "0123456789");
}

// Rows SF5, SF13.
TEST_P(SendFileTest, SendsABigFileWholeAndInOrder) {
  std::string big(20 << 20, '\0');
  for (size_t i = 0; i < big.size(); ++i) {
    big[i] = static_cast<char>(i * 7 >> 8);
  }
  file_ = MakeFile(big, O_RDONLY);
  Open();
  Answer sent = SendIt();
  Say("end");
  Send(CloseTransport{});
  EXPECT_EQ(sent(), absl::StrCat(big.size()));
  ASSERT_TRUE(WaitForPeersEnd());
  EXPECT_TRUE(received_ == big + "end");
  for (size_t asked : PlannedSendfile::asked_for()) EXPECT_LE(asked, 1u << 20);
}

// A slow reader costs no memory, however big the file is.
TEST_P(SendFileTest, KeepsNothingOfAFileInMemory) {
  OpenToADeafPeer();
  MakeItHuge();
  Answer sent = SendIt();
  WaitUntilStuck();
  const WritingInfo writing = Info(stream_).writing;
  EXPECT_LE(writing.buffered, tls() ? 48u * 1024 : 0u);
  EXPECT_FALSE(writing.paused);
  Send(AbortTransport{});
  EXPECT_EQ(sent(), "-the transport was closed");
  EXPECT_GT(Position(), 0);
  EXPECT_LT(Position(), 4 << 20);
  ASSERT_TRUE(WaitForOurEnd());
}

// The marks hold for what is behind it.
TEST_P(SendFileTest, PausesTheWriterForWhatIsBehindIt) {
  OpenToADeafPeer();
  MakeItHuge();
  Answer sent = SendIt({.count = 4 << 20});
  auto drained = Later(stream_, Write{Bytes(std::string(100'000, 'x')), {}});
  ASSERT_TRUE(trace_->WaitFor("PAUSE"));
  EXPECT_GE(Info(stream_).writing.buffered, 100'000u);
  LetItRead();
  EXPECT_EQ(sent(), absl::StrCat(4 << 20));
  EXPECT_EQ(drained.get(), "");
  ASSERT_TRUE(trace_->WaitFor("RESUME"));
  Send(CloseTransport{});
  ASSERT_TRUE(WaitForPeersEnd());
  EXPECT_EQ(received_.size(), (4u << 20) + 100'000);
}

// Row SF11: asyncio pauses it.
TEST_P(SendFileTest, ReadsMeanwhile) {
  OpenToADeafPeer();
  MakeItHuge();
  Answer sent = SendIt();
  WaitUntilStuck();
  caf::anon_send(peer_, Write{Bytes("question"), {}});
  ASSERT_TRUE(trace_->WaitFor("DR(8)"));
  Send(AbortTransport{});
  EXPECT_EQ(sent(), "-the transport was closed");
}

// Row SF8: at once, although the reader does not read; what is behind it
// follows, and the text says how much went out.
TEST_P(SendFileTest, StopsWhenItIsCancelled) {
  OpenToADeafPeer();
  MakeItHuge();
  Answer first = SendIt({.offset = 5});
  Answer second = SendIt({.offset = 7});
  Say("next");
  WaitUntilStuck();
  Send(CancelSendFile{});
  const std::string text = first();
  const std::string told = second();
  // They share a position.
  EXPECT_EQ(told, "-sendfile was cancelled after 0 bytes");
  EXPECT_EQ(Position(), 7);
  LetItRead();
  Send(CloseTransport{});
  ASSERT_TRUE(WaitForPeersEnd());
  EXPECT_EQ(text, absl::StrCat("-sendfile was cancelled after ",
                               received_.size() - 4, " bytes"));
  EXPECT_EQ(received_.substr(received_.size() - 4), "next");
}

// Row SF8.
TEST_P(SendFileTest, LeavesThePositionWhenItIsCancelled) {
  OpenToADeafPeer();
  MakeItHuge();
  Answer sent = SendIt({.offset = 5});
  WaitUntilStuck();
  Send(CancelSendFile{});
  const std::string text = sent();
  EXPECT_EQ(text, absl::StrCat("-sendfile was cancelled after ", Position() - 5,
                               " bytes"));
  EXPECT_GT(Position(), 5);
  Send(AbortTransport{});
}

// Row SF12.
TEST_P(SendFileTest, FailsWhenThePeerGoes) {
  OpenToADeafPeer();
  MakeItHuge();
  Answer sent = SendIt({.offset = 1});
  WaitUntilStuck();
  caf::anon_send_exit(peer_, caf::exit_reason::kill);
  EXPECT_THAT(sent(), AnyOf(HasSubstr(ErrnoText(EPIPE)),
                            HasSubstr(ErrnoText(ECONNRESET))));
  EXPECT_GT(Position(), 1);
  ASSERT_TRUE(WaitForOurEnd());
  size_t ends = 0;
  for (const std::string& event : trace_->events()) {
    if (event.rfind("CL(", 0) == 0) ++ends;
  }
  EXPECT_EQ(ends, 1u);
  EXPECT_THAT(SendIt()(), StartsWith("the actor is gone"));
}

TEST_P(SendFileTest, IsAnsweredWhenTheTransportIsKilled) {
  OpenToADeafPeer();
  MakeItHuge();
  Answer sent = SendIt();
  WaitUntilStuck();
  caf::anon_send_exit(stream_, caf::exit_reason::kill);
  EXPECT_EQ(sent(), "-the transport was ended");
  EXPECT_GT(Position(), 0);
}

// As what is written: it goes out.
TEST_P(SendFileTest, IsSentAlthoughTheProtocolDies) {
  OpenToADeafPeer();
  MakeItHuge();
  Answer sent = SendIt({.count = 4 << 20});
  WaitUntilStuck();
  caf::anon_send_exit(protocol_, caf::exit_reason::kill);
  ASSERT_TRUE(trace_->WaitForPrefix("LOST("));
  LetItRead();
  EXPECT_EQ(sent(), absl::StrCat(4 << 20));
  ASSERT_TRUE(WaitForPeersEnd());
  EXPECT_EQ(received_.size(), 4u << 20);
}

TEST_P(SendFileTest, WaitsForTheConnection) {
  stream_ = NewStream();
  Say("early ");
  Answer sent = SendIt();
  Say(" later");
  Send(CloseTransport{});
  ConnectBoth();
  EXPECT_EQ(sent(), "10");
  ASSERT_TRUE(WaitForPeersEnd());
  EXPECT_EQ(received_, "early 0123456789 later");
}

TEST_P(SendFileTest, IsAnsweredWhenThereIsNeverAConnection) {
  stream_ = NewStream();
  Answer sent = SendIt({.offset = 3});
  Send(AbortTransport{});
  EXPECT_EQ(sent(), "-the transport was closed");
  EXPECT_EQ(Position(), 3);
}

TEST_P(SendFileTest, EndsWhereATruncatedFileEnds) {
  OpenToADeafPeer();
  MakeItHuge();
  Answer sent = SendIt();
  WaitUntilStuck();
  ASSERT_EQ(ftruncate(file_.get(), 3 << 20), 0);
  LetItRead();
  EXPECT_EQ(sent(), absl::StrCat(3 << 20));
  EXPECT_EQ(Position(), 3 << 20);
}

// It is not the stream's failure.
TEST_P(SendFileTest, TellsThatTheFileCannotBeReadAndGoesOn) {
  Open();
  file_ = MakeFile("0123456789", O_WRONLY);
  Answer sent = SendIt();
  Say("next");
  EXPECT_EQ(sent(), "pread: Bad file descriptor");
  ASSERT_TRUE(trace_->WaitFor("peer DR(4)"));
}

class PlainSendFileTest : public SendFileTest {};

INSTANTIATE_TEST_SUITE_P(Streams, PlainSendFileTest,
                         ::testing::Values(With::kNothing));

// Row SF3.
TEST_P(PlainSendFileTest, CopiesWhereTheKernelCannotUnlessItMayNot) {
  Open();
  PlannedSendfile::Reset({ENOSYS, ENOSYS});
  EXPECT_EQ(SendIt()(), "10");
  EXPECT_EQ(SendIt({.fallback = false})(),
            "os.sendfile call failed: Function not implemented");
  EXPECT_EQ(SendIt({.fallback = false})(), "10");
  Send(CloseTransport{});
  ASSERT_TRUE(WaitForPeersEnd());
  EXPECT_EQ(received_, "01234567890123456789");
}

// Row SF6: after some bytes there is no fallback.
TEST_P(PlainSendFileTest, TellsTheFilesErrorAfterSomeBytesAndGoesOn) {
  OpenToADeafPeer();
  MakeItHuge();
  PlannedSendfile::Reset({0, EIO});
  Answer sent = SendIt();
  Say("next");
  EXPECT_EQ(sent(), "sendfile: Input/output error");
  EXPECT_GT(Position(), 0);
  LetItRead();
  Send(CloseTransport{});
  ASSERT_TRUE(WaitForPeersEnd());
  EXPECT_EQ(received_.size(), static_cast<size_t>(Position()) + 4);
}

// Row SF12: at once, while what the peer says is still read.
TEST_P(PlainSendFileTest, FailsWhenThePeerReadsNoMore) {
  stream_ = NewStream();
  EXPECT_EQ(Connect(stream_, std::move(ours_), NewStreamProtocol()), "");
  MakeItHuge();
  PlannedSendfile::Reset({0, EPIPE});
  EXPECT_THAT(SendIt()(), HasSubstr(ErrnoText(EPIPE)));
  EXPECT_GT(Position(), 0);
  WriteFully(theirs_, "more");
  ASSERT_TRUE(trace_->WaitFor("DR(4)"));
  theirs_.Close();
  ASSERT_TRUE(WaitForOurEnd());
}

// It does not wait for a reader of what is cancelled; with TLS what is
// encrypted has to go out.
TEST_P(PlainSendFileTest, ClosesWhenTheLastFileIsCancelled) {
  OpenToADeafPeer();
  MakeItHuge();
  Answer sent = SendIt();
  Send(CloseTransport{});
  WaitUntilStuck();
  Send(CancelSendFile{});
  EXPECT_THAT(sent(), StartsWith("-sendfile was cancelled"));
  ASSERT_TRUE(trace_->WaitFor("CL(None)"));
}

// sendfile(2) would hold up the whole thread.
TEST_P(PlainSendFileTest, CopiesToASocketThatMayBlock) {
  std::tie(ours_, theirs_) = MakeSocketPair();
  OpenToADeafPeer();
  MakeItHuge();
  Answer sent = SendIt({.count = 4 << 20});
  WaitUntilStuck();
  LetItRead();
  EXPECT_EQ(sent(), absl::StrCat(4 << 20));
  EXPECT_THAT(PlannedSendfile::asked_for(), IsEmpty());
}

// Row SF2.
TEST_P(PlainSendFileTest, IsNotForSocketsThatKeepBoundaries) {
  for (bool early : {true, false}) {
    std::tie(ours_, theirs_) = MakeSocketPair(SOCK_SEQPACKET);
    lseek(file_.get(), 5, SEEK_SET);
    stream_ = NewStream();
    Answer sent;
    if (early) sent = SendIt();
    ConnectBoth();
    if (!early) sent = SendIt();
    EXPECT_EQ(sent(), "only SOCK_STREAM type sockets are supported");
    EXPECT_EQ(Position(), early ? 0 : 5);
  }
}

class TlsSendFileTest : public SendFileTest {};

INSTANTIATE_TEST_SUITE_P(Streams, TlsSendFileTest,
                         ::testing::Values(With::kTls));

// Row SF10.
TEST_P(TlsSendFileTest, IsAlwaysAFallback) {
  Open();
  EXPECT_EQ(SendIt({.fallback = false})(),
            "fallback is disabled and native sendfile is not supported for "
            "transport tls-transport");
  EXPECT_EQ(SendIt()(), "10");
  EXPECT_THAT(PlannedSendfile::asked_for(), IsEmpty());
}

// Row SF11: what is behind a file waits for it, and is not lost uncounted.
TEST_P(TlsSendFileTest, CountsWhatIsLostBehindIt) {
  OpenToADeafPeer();
  MakeItHuge();
  Answer sent = SendIt();
  Say("behind");
  WaitUntilStuck();
  const size_t left = Info(stream_).writing.buffered;
  EXPECT_GT(left, 6u);
  Send(AbortTransport{});
  EXPECT_EQ(sent(), "-the transport was closed");
  ASSERT_TRUE(trace_->WaitFor(absl::StrCat("CL(None) lost ", left)));
}

}  // namespace
}  // namespace troupe
