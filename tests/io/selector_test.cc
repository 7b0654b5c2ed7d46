#include "io/selector.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/time.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <thread>

#include "gtest/gtest.h"
#include "tests/support/descriptors.h"
#include "tests/support/leak_check.h"

namespace troupe {
namespace {

class SelectorTest : public LeakCheckedTest,
                     public ::testing::WithParamInterface<SelectorKind> {
 protected:
  SelectorTest() : selector_(*Selector::Create(GetParam())) {}

  // The events of `id` that are there now.
  uint32_t Now(uint64_t id) {
    uint32_t events = 0;
    for (const Selector::Event& event : selector_->Wait(0)) {
      if (event.id == id) events |= event.events;
    }
    return events;
  }

  std::unique_ptr<Selector> selector_;
};

TEST_P(SelectorTest, ReportsWhatIsReadyAlready) {
  auto [in, out] = MakePipe();
  WriteFully(out, "x");
  ASSERT_TRUE(selector_->Add(in.get(), 7, EPOLLIN).ok());
  EXPECT_EQ(Now(7), EPOLLIN);
}

TEST_P(SelectorTest, SleepsUntilSomethingIsReady) {
  auto [in, out] = MakePipe();
  ASSERT_TRUE(selector_->Add(in.get(), 7, EPOLLIN).ok());
  std::thread writer([&out = out] { WriteFully(out, "x"); });
  auto events = selector_->Wait(-1);
  writer.join();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].id, 7u);
}

TEST_P(SelectorTest, ReportsNothingWhenNothingIsReady) {
  auto [in, out] = MakePipe();
  ASSERT_TRUE(selector_->Add(in.get(), 7, EPOLLIN).ok());
  EXPECT_TRUE(selector_->Wait(0).empty());
  EXPECT_TRUE(selector_->Wait(1).empty());
}

TEST_P(SelectorTest, RefusesADescriptorTwice) {
  auto [in, out] = MakePipe();
  ASSERT_TRUE(selector_->Add(in.get(), 7, EPOLLIN).ok());
  EXPECT_TRUE(absl::IsAlreadyExists(selector_->Add(in.get(), 8, EPOLLIN)));
}

TEST_P(SelectorTest, ReportsAStateOnceUntilItIsAskedAgain) {
  auto [in, out] = MakePipe();
  ASSERT_TRUE(selector_->Add(in.get(), 7, EPOLLIN | EPOLLET).ok());
  WriteFully(out, "x");
  EXPECT_EQ(Now(7), EPOLLIN);
  EXPECT_EQ(Now(7), 0u);
  selector_->Rearm(in.get());
  WriteFully(out, "y");
  EXPECT_EQ(Now(7), EPOLLIN);
}

// Row FD1: what is ready is reported as long as it is ready.
TEST(EpollSelectorTest, ReportsAStateAgainAndAgainWithoutEdges) {
  auto selector = *Selector::Create(SelectorKind::kEpoll);
  auto [in, out] = MakePipe();
  ASSERT_TRUE(selector->Add(in.get(), 7, EPOLLIN).ok());
  WriteFully(out, "x");
  EXPECT_EQ(selector->Wait(0).size(), 1u);
  EXPECT_EQ(selector->Wait(0).size(), 1u);
  ReadFully(in, 1);
  EXPECT_EQ(selector->Wait(0).size(), 0u);
}

// A poll(2) selector once went deaf for room to write because there was input
// that nobody read.
TEST_P(SelectorTest, ReportsOneSideWhileTheOtherIsUnhandled) {
  auto [ours, theirs] = MakeSocketPair();
  size_t filled = Fill(ours);
  ASSERT_TRUE(selector_->Add(ours.get(), 7, EPOLLIN | EPOLLOUT).ok());
  WriteFully(theirs, "x");
  EXPECT_EQ(Now(7), EPOLLIN);
  ReadFully(theirs, filled);
  EXPECT_TRUE(Now(7) & EPOLLOUT);
}

TEST_P(SelectorTest, ReportsWhatIsReadyWhenTheInterestChanges) {
  auto [ours, theirs] = MakeSocketPair();
  ASSERT_TRUE(selector_->Add(ours.get(), 7, 0).ok());
  EXPECT_EQ(Now(7), 0u);
  ASSERT_TRUE(selector_->Modify(ours.get(), 8, EPOLLOUT).ok());
  EXPECT_EQ(Now(8), EPOLLOUT);
}

TEST_P(SelectorTest, ReportsTheHangUpOfWhatIsNotAskedAnything) {
  auto [in, out] = MakePipe();
  ASSERT_TRUE(selector_->Add(out.get(), 7, EPOLLET).ok());
  EXPECT_EQ(Now(7), 0u);
  in.Close();
  EXPECT_EQ(Now(7), EPOLLERR);
  EXPECT_EQ(Now(7), 0u);
}

TEST_P(SelectorTest, IsSilentAboutWhatWasRemoved) {
  auto [in, out] = MakePipe();
  ASSERT_TRUE(selector_->Add(in.get(), 7, EPOLLIN).ok());
  WriteFully(out, "x");
  selector_->Remove(in.get());
  EXPECT_TRUE(selector_->Wait(0).empty());
  EXPECT_TRUE(selector_->Add(in.get(), 8, EPOLLIN).ok());
  EXPECT_EQ(Now(8), EPOLLIN);
}

TEST_P(SelectorTest, RefusesToChangeWhatItDoesNotKnow) {
  auto [in, out] = MakePipe();
  EXPECT_TRUE(absl::IsNotFound(selector_->Modify(in.get(), 7, EPOLLIN)));
}

TEST_P(SelectorTest, AnswersAnInterruptedWaitWithNothing) {
  struct sigaction previous, handler = {};
  handler.sa_handler = [](int) {};
  sigaction(SIGALRM, &handler, &previous);
  itimerval often = {{0, 1000}, {0, 1000}}, never = {};
  setitimer(ITIMER_REAL, &often, nullptr);
  auto [in, out] = MakePipe();
  ASSERT_TRUE(selector_->Add(in.get(), 7, EPOLLIN).ok());
  EXPECT_TRUE(selector_->Wait(-1).empty());
  setitimer(ITIMER_REAL, &never, nullptr);
  sigaction(SIGALRM, &previous, nullptr);
}

TEST_P(SelectorTest, TakesARegularFileOrSaysThatItCannot) {
  OwnedFd file = MakeFile("x", O_RDONLY);
  absl::Status added = selector_->Add(file.get(), 7, EPOLLIN);
  if (GetParam() == SelectorKind::kEpoll) {
    EXPECT_TRUE(absl::IsPermissionDenied(added)) << added;
  } else {
    EXPECT_TRUE(added.ok());
    EXPECT_EQ(Now(7), EPOLLIN);
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, SelectorTest,
                         ::testing::Values(SelectorKind::kEpoll,
                                           SelectorKind::kPoll),
                         [](const auto& info) {
                           return info.param == SelectorKind::kEpoll ? "Epoll"
                                                                     : "Poll";
                         });

}  // namespace
}  // namespace troupe
