// Files between the writes of a stream, plain and with TLS (rows SF1 to SF13,
// V45).
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "caf/exit_reason.hpp"
#include "caf/send.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/bytes.h"
#include "io/fd_ticket.h"
#include "io/os_error.h"
#include "io/sockets/stream_messages.h"
#include "tests/io/sockets/send_file_fixture.h"
#include "tests/support/descriptors.h"
#include "tests/support/planned_sendfile.h"

namespace troupe {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

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

}  // namespace
}  // namespace troupe
