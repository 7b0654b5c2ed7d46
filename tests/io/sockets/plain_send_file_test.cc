// Files by sendfile(2), which a plain stream has (rows SF2, SF3, SF6, SF12).
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/os_error.h"
#include "io/sockets/stream_messages.h"
#include "tests/io/sockets/send_file_fixture.h"
#include "tests/support/descriptors.h"
#include "tests/support/planned_sendfile.h"

namespace troupe {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

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

}  // namespace
}  // namespace troupe
