// Splicing as a state machine (row 92 of the peers' table).
#include "io/sockets/splice_pump.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string>
#include <thread>
#include <tuple>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/os_error.h"
#include "io/owned_fd.h"
#include "tests/support/descriptors.h"
#include "tests/support/leak_check.h"

namespace troupe {
namespace {

using ::testing::StartsWith;
using State = SplicePump::State;

constexpr size_t kMuch = 1 << 30;

std::string Pattern(size_t size) {
  std::string text(size, '\0');
  for (size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 7 >> 8);
  return text;
}

struct Ways {
  bool from_pipe;
  bool to_pipe;
};

// A test writes to in_, the pump goes from from_ to to_, and out_ is read.
class SplicePumpTest : public LeakCheckedTest,
                       public ::testing::WithParamInterface<Ways> {
 protected:
  SplicePumpTest() {
    std::tie(from_, in_) = GetParam().from_pipe ? MakePipe() : MakeSocketPair();
    std::tie(out_, to_) = GetParam().to_pipe ? MakePipe() : MakeSocketPair();
  }
  bool sockets() const { return !GetParam().from_pipe && !GetParam().to_pipe; }

  void Start(std::optional<uint64_t> count = std::nullopt) {
    auto pump = SplicePump::Create(from_.get(), to_.get(), count);
    ASSERT_TRUE(pump.ok()) << pump.status();
    pump_.emplace(*std::move(pump));
  }
  // As a selector would, until it is over.
  State Drive(size_t most = kMuch) {
    while (true) {
      const State state = pump_->Run(most);
      if (state == State::kMore) continue;
      if (state != State::kWaiting) return state;
      pollfd sides[] = {
          {pump_->wants_from() ? from_.get() : -1, POLLIN, 0},
          {pump_->wants_to() ? to_.get() : -1, POLLOUT, 0},
      };
      if (poll(sides, 2, /*timeout_ms=*/20000) <= 0) return state;
      if (sides[0].revents != 0) pump_->OnFromReady();
      if (sides[1].revents != 0) pump_->OnToReady();
    }
  }
  // Until nothing can move; the writer's end stays open.
  State RunReady(size_t most = kMuch) {
    pump_->OnFromReady();
    return pump_->Run(most);
  }
  size_t Unread(const OwnedFd& fd) {
    int size = 0;
    EXPECT_EQ(ioctl(fd.get(), FIONREAD, &size), 0);
    return size;
  }

  OwnedFd in_, from_, to_, out_;
  std::optional<SplicePump> pump_;
};

INSTANTIATE_TEST_SUITE_P(Ways, SplicePumpTest,
                         ::testing::Values(Ways{false, false},
                                           Ways{true, false}, Ways{false, true},
                                           Ways{true, true}),
                         [](const auto& info) {
                           return absl::StrCat(
                               info.param.from_pipe ? "Pipe" : "Socket", "To",
                               info.param.to_pipe ? "Pipe" : "Socket");
                         });

TEST_P(SplicePumpTest, MovesWhatIsThereAndWaitsForMore) {
  Start();
  WriteFully(in_, "hello");
  EXPECT_EQ(RunReady(), State::kWaiting);
  EXPECT_TRUE(pump_->wants_from());
  EXPECT_FALSE(pump_->wants_to());
  EXPECT_EQ(pump_->bytes(), 5u);
  EXPECT_EQ(ReadFully(out_, 5), "hello");
  WriteFully(in_, "again");
  EXPECT_EQ(RunReady(), State::kWaiting);
  EXPECT_EQ(ReadFully(out_, 5), "again");
}

TEST_P(SplicePumpTest, MovesMegabytesUpToTheEnd) {
  const std::string much = Pattern(8 << 20);
  Start();
  std::thread writer([&] {
    WriteFully(in_, much);
    in_.Close();
  });
  std::string got;
  std::thread reader([&] { got = ReadFully(out_, much.size()); });
  EXPECT_EQ(Drive(100'000), State::kOver);
  writer.join();
  reader.join();
  EXPECT_TRUE(pump_->from_ended());
  EXPECT_EQ(pump_->bytes(), much.size());
  EXPECT_TRUE(got == much);
}

// A FIFO without a writer would look like one at its end.
TEST_P(SplicePumpTest, TriesNothingBeforeItIsToldThatThereIsSomething) {
  in_.Close();
  Start();
  EXPECT_EQ(pump_->Run(kMuch), State::kWaiting);
  EXPECT_EQ(RunReady(), State::kOver);
  EXPECT_EQ(pump_->bytes(), 0u);
}

// The back-pressure: what the reader does not take stays where it is.
TEST_P(SplicePumpTest, TakesNoMoreThanThePipeHolds) {
  const size_t filled = Fill(to_);
  Start();
  SetNonBlocking(in_);
  size_t written = Fill(in_);
  EXPECT_EQ(RunReady(), State::kWaiting);
  EXPECT_TRUE(pump_->wants_to());
  EXPECT_EQ(pump_->bytes(), 0u);
  EXPECT_LE(pump_->in_pipe(), sockets() ? 65536u : 0u);
  EXPECT_EQ(Unread(from_), written - pump_->in_pipe());
  EXPECT_EQ(RunReady(), State::kWaiting);
  EXPECT_LE(pump_->in_pipe(), sockets() ? 65536u : 0u);
  in_.Close();
  std::string got;
  std::thread reader([&] { got = ReadFully(out_, kMuch / 64); });
  EXPECT_EQ(Drive(), State::kOver);
  pump_.reset();
  to_.Close();
  reader.join();
  EXPECT_EQ(got.size(), filled + written);
}

TEST_P(SplicePumpTest, TakesExactlyAsMuchAsItIsTold) {
  WriteFully(in_, "0123456789");
  Start(4);
  EXPECT_EQ(RunReady(), State::kOver);
  EXPECT_FALSE(pump_->from_ended());
  EXPECT_EQ(pump_->bytes(), 4u);
  EXPECT_EQ(ReadFully(out_, 4), "0123");
  EXPECT_EQ(ReadFully(from_, 6), "456789");
}

TEST_P(SplicePumpTest, TakesNothingIfItIsToldSo) {
  WriteFully(in_, "0");
  Start(0);
  EXPECT_EQ(RunReady(), State::kOver);
  EXPECT_EQ(Unread(from_), 1u);
}

TEST_P(SplicePumpTest, EndsBeforeTheCountWhenThatComesFirst) {
  WriteFully(in_, "0123");
  in_.Close();
  Start(100);
  EXPECT_EQ(RunReady(), State::kOver);
  EXPECT_TRUE(pump_->from_ended());
  EXPECT_EQ(pump_->bytes(), 4u);
}

TEST_P(SplicePumpTest, StopsAtTheBoundOfATurn) {
  WriteFully(in_, "0123456789");
  Start();
  EXPECT_EQ(RunReady(4), State::kMore);
  EXPECT_EQ(pump_->bytes(), 4u);
  EXPECT_EQ(pump_->Run(6), State::kMore);
  EXPECT_EQ(pump_->Run(1), State::kWaiting);
}

// A pipe is full when its slots are, and each small write takes one.
TEST_P(SplicePumpTest, LosesNothingOfManySmallWrites) {
  Start();
  std::string sent, got;
  std::thread writer([&] {
    for (int i = 0; i < 20'000; ++i) {
      const std::string piece(1 + i % 3, static_cast<char>('a' + i % 26));
      WriteFully(in_, piece);
      sent += piece;
    }
    in_.Close();
  });
  std::thread reader([&] { got = ReadFully(out_, 20'000 * 3); });
  EXPECT_EQ(Drive(), State::kOver);
  writer.join();
  pump_.reset();
  to_.Close();
  reader.join();
  EXPECT_TRUE(got == sent);
}

// No SIGPIPE.
TEST_P(SplicePumpTest, SaysThatItIsToThatFailed) {
  Start();
  WriteFully(in_, "x");
  out_.Close();
  EXPECT_EQ(RunReady(), State::kFailed);
  EXPECT_EQ(pump_->failure(),
            OsError(EPIPE, "splice to", absl::StrCat("fd ", to_.get())));
  EXPECT_EQ(OsFailureOf(pump_->failure())->step, "splice to");
  EXPECT_EQ(pump_->bytes(), 0u);
  EXPECT_EQ(pump_->Run(kMuch), State::kFailed);
}

TEST_P(SplicePumpTest, SaysThatItIsFromThatFailed) {
  if (GetParam().from_pipe) return;  // a pipe that is read does not
  Start();
  WriteFully(from_, "unread");  // so that its end is a reset
  in_.Close();
  EXPECT_EQ(RunReady(), State::kFailed);
  EXPECT_EQ(pump_->failure(), OsError(ECONNRESET, "splice from",
                                      absl::StrCat("fd ", from_.get())));
}

TEST_P(SplicePumpTest, FailsWhenToIsGoneAndThereIsNothingToTake) {
  Start();
  EXPECT_EQ(RunReady(), State::kWaiting);
  out_.Close();
  pump_->OnToGone();
  EXPECT_EQ(pump_->Run(kMuch), State::kFailed);
  EXPECT_THAT(std::string(pump_->failure().message()), StartsWith("splice to"));
}

// Both ends of an echo go at once. A pipe fails before anything is asked for.
TEST_P(SplicePumpTest, IsOverWhenBothSidesHaveEnded) {
  if (GetParam().to_pipe) return;
  Start();
  EXPECT_EQ(RunReady(), State::kWaiting);
  in_.Close();
  out_.Close();
  pump_->OnToGone();
  EXPECT_EQ(pump_->Run(kMuch), State::kOver);
}

class SplicePumpRefusalTest : public LeakCheckedTest {
 protected:
  std::string Refusal(const OwnedFd& from, const OwnedFd& to) {
    return std::string(SplicePump::Create(from.get(), to.get(), std::nullopt)
                           .status()
                           .message());
  }
  Ends pipe_ = MakePipe();
};

TEST_F(SplicePumpRefusalTest, IsForPipesAndStreamSockets) {
  const OwnedFd file = MakeFile("x", O_RDWR);
  const Ends packets = MakeSocketPair(SOCK_SEQPACKET);
  EXPECT_EQ(
      Refusal(file, pipe_.second),
      absl::StrCat("splice is for pipes and stream sockets, `from` is fd ",
                   file.get()));
  EXPECT_EQ(Refusal(pipe_.first, packets.first),
            absl::StrCat("splice is for pipes and stream sockets, `to` is fd ",
                         packets.first.get()));
  EXPECT_EQ(Refusal(OwnedFd(), pipe_.second), "Invalid file descriptor: -1");
}

TEST_F(SplicePumpRefusalTest, NeedsTwoDescriptors) {
  EXPECT_EQ(Refusal(pipe_.first, pipe_.first),
            absl::StrCat("splice between fd ", pipe_.first.get(),
                         " and itself: a copy is needed (dup)"));
}

// The kernel's refusal of both ends of one pipe.
TEST_F(SplicePumpRefusalTest, SaysWhyTheKernelCannot) {
  auto pump = SplicePump::Create(pipe_.first.get(), pipe_.second.get(), 1);
  ASSERT_TRUE(pump.ok());
  pump->OnFromReady();
  EXPECT_EQ(pump->Run(1), State::kFailed);
  EXPECT_EQ(OsFailureOf(pump->failure())->error_number, EINVAL);
}

// Whoever connects is answered with what he says.
TEST_F(SplicePumpRefusalTest, TakesTwoCopiesOfOneSocket) {
  const Ends ends = MakeSocketPair();
  const OwnedFd copy(fcntl(ends.first.get(), F_DUPFD_CLOEXEC, 3));
  auto pump = SplicePump::Create(ends.first.get(), copy.get(), std::nullopt);
  ASSERT_TRUE(pump.ok());
  WriteFully(ends.second, "echo");
  pump->OnFromReady();
  EXPECT_EQ(pump->Run(kMuch), State::kWaiting);
  EXPECT_EQ(ReadFully(ends.second, 4), "echo");
}

}  // namespace
}  // namespace troupe
