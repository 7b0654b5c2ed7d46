// A loop inside another event loop, here poll(2): core rule 8.
#include <poll.h>

#include <thread>

#include "absl/time/time.h"
#include "actors/loop.h"
#include "caf/event_based_actor.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/resident.h"
#include "tests/support/descriptors.h"
#include "tests/support/loop_fixture.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class LoopHostingTest : public LoopFixture {
 protected:
  bool Readable(int timeout_ms = 0) {
    pollfd loop{loop_->fd(), POLLIN, 0};
    return poll(&loop, 1, timeout_ms) == 1;
  }
  // As a host does it: poll, then one iteration, until there is nothing more.
  void Serve(int timeout_ms = 0) {
    while (Readable(timeout_ms)) {
      ASSERT_TRUE(loop_->RunOnce().ok());
      timeout_ms = 0;
    }
  }
  void SetUp() override {
    Serve();  // the loop's own actors begin
    ASSERT_FALSE(Readable());
  }
};

TEST_F(LoopHostingTest, IsReadableWhileThereIsWork) {
  loop_->CallSoon(Says("a", [&] { loop_->CallSoon(Says("b")); }));
  ASSERT_TRUE(Readable());
  ASSERT_TRUE(loop_->RunOnce().ok());
  EXPECT_THAT(told_, ElementsAre("a"));
  EXPECT_TRUE(Readable()) << "b waits";
  Serve();
  EXPECT_THAT(told_, ElementsAre("a", "b"));
  EXPECT_FALSE(Readable());
}

TEST_F(LoopHostingTest, IsReadableWhenATimerIsDue) {
  loop_->CallLater(absl::Milliseconds(5), Says("timer"));
  Serve();
  EXPECT_THAT(told_, IsEmpty());
  Serve(/*timeout_ms=*/20'000);
  EXPECT_THAT(told_, ElementsAre("timer"));
}

TEST_F(LoopHostingTest, IsReadableWhenADescriptorIs) {
  auto [in, out] = MakePipe();
  loop_->AddReader(in.get(), [&, fd = in.get()] {
    char byte;
    told_.push_back(read(fd, &byte, 1) == 1 ? "byte" : "nothing");
  });
  Serve();
  EXPECT_FALSE(Readable());
  WriteFully(out, "x");
  Serve(20'000);
  EXPECT_THAT(told_, ElementsAre("byte"));
  loop_->RemoveReader(in.get());
}

TEST_F(LoopHostingTest, IsReadableForACallFromAnotherThread) {
  std::thread other([&] { loop_->CallSoonThreadsafe(Says("call")); });
  Serve(20'000);
  other.join();
  Serve();
  EXPECT_THAT(told_, ElementsAre("call"));
}

TEST_F(LoopHostingTest, IsReadableForAMessageToAnActorOfItsThread) {
  auto actor = SpawnResident<caf::hidden>(
      loop_->host(), [this](Resident<caf::event_based_actor>* self) {
        return caf::behavior{[this, self](int) {
          told_.push_back("message");
          self->quit();
        }};
      });
  Serve(20'000);
  EXPECT_FALSE(Readable());
  caf::anon_send(actor, 1);
  EXPECT_TRUE(Readable());
  Serve();
  EXPECT_THAT(told_, ElementsAre("message"));
}

TEST_F(LoopHostingTest, DoesNotSleepInRunOnceUnlessItMay) {
  loop_->CallLater(absl::Milliseconds(5), Says("timer"));
  ASSERT_TRUE(loop_->RunOnce().ok());
  EXPECT_THAT(told_, IsEmpty());
  RunUntil([&] { return !told_.empty(); });
  EXPECT_THAT(told_, ElementsAre("timer"));
}

// A child of the program's own would be stopped from writing to a closed pipe
// by SIGPIPE as before.
TEST_F(LoopHostingTest, BlocksSigpipeOnlyWhileItRuns) {
  auto blocked = [] {
    sigset_t mask;
    pthread_sigmask(SIG_BLOCK, nullptr, &mask);
    return sigismember(&mask, SIGPIPE) == 1;
  };
  loop_->CallSoon([&] { EXPECT_TRUE(blocked()); });
  ASSERT_TRUE(loop_->RunOnce().ok());
  EXPECT_FALSE(blocked());
}

}  // namespace
}  // namespace troupe
