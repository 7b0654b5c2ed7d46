// The actor that splices (row 92 of the peers' table).
#include "io/sockets/splice.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
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
#include "io/os_error.h"
#include "io/owned_fd.h"
#include "io/sockets/splice_messages.h"
#include "io/status_error.h"
#include "tests/support/descriptors.h"
#include "tests/support/io_fixture.h"

namespace troupe {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;

OwnedFd CopyOf(const OwnedFd& fd) {
  return OwnedFd(fcntl(fd.get(), F_DUPFD_CLOEXEC, 3));
}

class SpliceTest : public IoTest {
 protected:
  // The answer can be waited for: `10`, or the error's text, after a `-` if it
  // is kCancelled.
  using Answer = std::function<std::string()>;
  Answer Ask(const Splicer& splicer, Splice request) {
    auto handle = self_->request(splicer, caf::infinite, std::move(request));
    return [handle = std::make_shared<decltype(handle)>(std::move(handle))] {
      std::string text;
      handle->receive(
          [&](const Spliced& all) { text = absl::StrCat(all.bytes); },
          [&](const caf::error& why) {
            const absl::Status status = StatusOf(why);
            text = absl::StrCat(absl::IsCancelled(status) ? "-" : "",
                                status.message());
          });
      return text;
    };
  }
  Answer Start(OwnedFd from, OwnedFd to,
               std::optional<uint64_t> count = std::nullopt) {
    splicer_ = SpawnSplice(host(), io());
    return Ask(splicer_, Splice{FdTicket(std::move(from)),
                                FdTicket(std::move(to)), count});
  }
  void WaitUntilStuck() {
    for (int i = 0; i < 5; ++i) WaitForIteration(*io_);
  }
  // From the client on to the server, which reads nothing.
  size_t FillAll() {
    size_t written = 0;
    while (true) {
      const size_t more = Fill(left_.second);
      if (more == 0) return written;
      written += more;
      WaitUntilStuck();
    }
  }

  Ends left_ = MakeSocketPair();   // ours, the client's
  Ends right_ = MakeSocketPair();  // ours, the server's
  Splicer splicer_;
  caf::scoped_actor self_{*system_};
};

TEST_F(SpliceTest, MovesAllOfOneStreamIntoAnotherAndHalfClosesIt) {
  const OwnedFd copy = CopyOf(right_.first);
  Answer all = Start(std::move(left_.first), std::move(right_.first));
  WriteFully(left_.second, "hello");
  EXPECT_EQ(ReadFully(right_.second, 5), "hello");
  WriteFully(left_.second, " world");
  left_.second.Close();
  EXPECT_EQ(ReadFully(right_.second, 100), " world");
  EXPECT_EQ(all(), "11");
  WriteFully(right_.second, "answer");
  EXPECT_EQ(ReadFully(copy, 6), "answer");
}

TEST_F(SpliceTest, MovesThroughPipes) {
  Ends first = MakePipe(), second = MakePipe();
  Answer in = Start(std::move(left_.first), std::move(first.second));
  Answer across = Start(std::move(first.first), std::move(second.second));
  Answer out = Start(std::move(second.first), std::move(right_.first));
  const std::string much(4 << 20, 'x');
  std::thread writer([&] {
    WriteFully(left_.second, much);
    left_.second.Close();
  });
  EXPECT_EQ(ReadFully(right_.second, much.size() + 1).size(), much.size());
  writer.join();
  for (const Answer& answer : {in, across, out}) {
    EXPECT_EQ(answer(), absl::StrCat(much.size()));
  }
}

// Two of them are a proxy.
TEST_F(SpliceTest, MovesBothWaysBetweenTwoSockets) {
  OwnedFd left = CopyOf(left_.first), right = CopyOf(right_.first);
  Answer there = Start(std::move(left_.first), std::move(right_.first));
  Answer back = Start(std::move(right), std::move(left));
  const std::string question(3 << 20, 'q'), answer(5 << 20, 'a');
  std::thread server([&] {
    EXPECT_EQ(ReadFully(right_.second, question.size() + 1).size(),
              question.size());
    WriteFully(right_.second, answer);
    right_.second.Close();
  });
  WriteFully(left_.second, question);
  shutdown(left_.second.get(), SHUT_WR);
  EXPECT_EQ(ReadFully(left_.second, answer.size() + 1).size(), answer.size());
  server.join();
  EXPECT_EQ(there(), absl::StrCat(question.size()));
  EXPECT_EQ(back(), absl::StrCat(answer.size()));
}

TEST_F(SpliceTest, AnswersWithWhatItIsSent) {
  OwnedFd copy = CopyOf(left_.first);
  Answer all = Start(std::move(left_.first), std::move(copy));
  WriteFully(left_.second, "echo");
  EXPECT_EQ(ReadFully(left_.second, 4), "echo");
  left_.second.Close();
  EXPECT_EQ(all(), "4");
}

// The back-pressure: the writer is held up by the reader.
TEST_F(SpliceTest, TakesNoMoreThanTheReaderDoes) {
  Answer all = Start(std::move(left_.first), std::move(right_.first));
  const size_t written = FillAll();
  EXPECT_LT(written, 2u << 20);
  std::string got = ReadFully(right_.second, written / 2);
  left_.second.Close();
  got += ReadFully(right_.second, written);
  EXPECT_EQ(got.size(), written);
  EXPECT_EQ(all(), absl::StrCat(written));
}

TEST_F(SpliceTest, TakesExactlyAsMuchAsItIsTold) {
  const OwnedFd rest = CopyOf(left_.first);
  const OwnedFd open = CopyOf(right_.first);
  WriteFully(left_.second, "0123456789");
  EXPECT_EQ(Start(std::move(left_.first), std::move(right_.first), 4)(), "4");
  EXPECT_EQ(ReadFully(right_.second, 4), "0123");
  EXPECT_EQ(ReadFully(rest, 6), "456789");
  WriteFully(open, "not shut down");
}

TEST_F(SpliceTest, ClosesTheDescriptorsWhenItIsOver) {
  EXPECT_EQ(Start(std::move(left_.first), std::move(right_.first), 0)(), "0");
  EXPECT_EQ(ReadFully(left_.second, 1), "");
  EXPECT_EQ(ReadFully(right_.second, 1), "");
}

TEST_F(SpliceTest, SaysThatToFailed) {
  const int number = right_.first.get();
  Answer all = Start(std::move(left_.first), std::move(right_.first));
  WaitUntilStuck();
  right_.second.Close();
  // Also when nothing is moved.
  EXPECT_EQ(all(),
            OsError(EPIPE, "splice to", absl::StrCat("fd ", number)).message());
  WaitForHangUp(left_.second);
}

TEST_F(SpliceTest, SaysThatToFailedWhileItWaitsForRoom) {
  Answer all = Start(std::move(left_.first), std::move(right_.first));
  FillAll();
  right_.second.Close();
  EXPECT_THAT(all(), HasSubstr("splice to"));
}

TEST_F(SpliceTest, SaysThatFromFailed) {
  const int number = left_.first.get();
  WriteFully(left_.first, "unread");  // so that its end is a reset
  left_.second.Close();
  EXPECT_EQ(Start(std::move(left_.first), std::move(right_.first))(),
            OsError(ECONNRESET, "splice from", absl::StrCat("fd ", number))
                .message());
  EXPECT_EQ(ReadFully(right_.second, 1), "");
}

TEST_F(SpliceTest, SaysHowMuchWentOutWhenItIsCancelled) {
  Answer all = Start(std::move(left_.first), std::move(right_.first));
  WriteFully(left_.second, "hello");
  EXPECT_EQ(ReadFully(right_.second, 5), "hello");
  caf::anon_send(splicer_, CancelSplice{});
  EXPECT_EQ(all(), "-splice was cancelled after 5 bytes");
  EXPECT_EQ(ReadFully(right_.second, 1), "");
}

// Between sockets what is in the pipe cannot be given back.
TEST_F(SpliceTest, SaysHowMuchIsLostWhenItIsCancelled) {
  Answer all = Start(std::move(left_.first), std::move(right_.first));
  FillAll();
  caf::anon_send(splicer_, CancelSplice{});
  EXPECT_THAT(
      all(),
      MatchesRegex(
          "-splice was cancelled after [0-9]+ bytes, [0-9]+ more are lost"));
}

TEST_F(SpliceTest, MayBeCancelledBeforeItBegins) {
  Splicer splicer = SpawnSplice(host(), io());
  caf::anon_send(splicer, CancelSplice{});
  EXPECT_THAT(Ask(splicer, Splice{})(), HasSubstr("the actor is gone"));
  Answer all = Start(std::move(left_.first), std::move(right_.first));
  caf::anon_send(splicer_, CancelSplice{});
  EXPECT_EQ(all(), "-splice was cancelled after 0 bytes");
}

TEST_F(SpliceTest, SplicesOnce) {
  Answer all = Start(std::move(left_.first), std::move(right_.first));
  EXPECT_EQ(Ask(splicer_, Splice{})(), "it splices already");
  left_.second.Close();
  EXPECT_EQ(all(), "0");
}

TEST_F(SpliceTest, RefusesWhatCannotBeSpliced) {
  OwnedFd file = MakeFile("x", O_RDWR);
  const int number = file.get();
  EXPECT_EQ(
      Start(std::move(file), std::move(right_.first))(),
      absl::StrCat("splice is for pipes and stream sockets, `from` is fd ",
                   number));
  EXPECT_EQ(Start(OwnedFd(), OwnedFd())(), "Invalid file descriptor: -1");
}

TEST_F(SpliceTest, IsAnsweredWhenItIsKilled) {
  Answer all = Start(std::move(left_.first), std::move(right_.first));
  caf::anon_send_exit(splicer_, caf::exit_reason::kill);
  EXPECT_EQ(all(), "-the splice was ended");
  EXPECT_EQ(ReadFully(left_.second, 1), "");
}

TEST_F(SpliceTest, GoesOnWithoutAHandleAndWithoutWhoAsked) {
  caf::anon_send(SpawnSplice(host(), io()),
                 Splice{FdTicket(std::move(left_.first)),
                        FdTicket(std::move(right_.first))});
  WriteFully(left_.second, "hello");
  EXPECT_EQ(ReadFully(right_.second, 5), "hello");
  left_.second.Close();
  EXPECT_EQ(ReadFully(right_.second, 1), "");
}

}  // namespace
}  // namespace troupe
