// What the watchers of SIGCHLD have to do with the signal relay;
// every_watcher.h is for what all watchers have.
#include <signal.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "caf/exit_reason.hpp"
#include "caf/send.hpp"
#include "gtest/gtest.h"
#include "io/io_thread.h"
#include "process/child_watcher.h"
#include "tests/process/watcher_fixture.h"
#include "tests/support/standstill.h"
#include "tests/support/yield_until.h"

namespace troupe {
namespace {

void Stranger(int) {}

class SigchldWatchersTest : public WatcherTest,
                            public ::testing::WithParamInterface<WatcherKind> {
 protected:
  void SetUp() override { Use(GetParam()); }
};

INSTANTIATE_TEST_SUITE_P(Some, SigchldWatchersTest,
                         ::testing::Values(WatcherKind::kSafe,
                                           WatcherKind::kFast,
                                           WatcherKind::kMultiLoop),
                         [](const auto& kind) { return NameOf(kind.param); });

// Rows C5, C23: a handler that somebody installed over ours is left alone, and
// the answer says so; `multi-loop` also has asyncio's text for it.
TEST_P(SigchldWatchersTest, LeavesAStrangersHandler) {
  signal(SIGCHLD, Stranger);
  EXPECT_TRUE(absl::IsFailedPrecondition(Close()));
  EXPECT_EQ(signal(SIGCHLD, SIG_DFL), Stranger);
  EXPECT_EQ(Logged("SIGCHLD handler was changed by outside code"),
            kind() == WatcherKind::kMultiLoop);
}

// Row C21: the handler from before comes back, whoever's it was.
TEST_P(SigchldWatchersTest, RestoresTheHandlerFromBefore) {
  ASSERT_TRUE(Close().ok());
  signal(SIGCHLD, Stranger);
  EXPECT_EQ(Attach(), "");
  EXPECT_TRUE(Close().ok());
  EXPECT_EQ(signal(SIGCHLD, SIG_DFL), Stranger);
}

// Row S21: two watchers, and whoever else wants to hear, share SIGCHLD.
TEST_P(SigchldWatchersTest, ShareSigchld) {
  ChildWatcher first = watcher_;
  Use(WatcherKind::kSafe);
  pid_t a = NewChild(), b = NewChild();
  ASSERT_EQ(Watch(a), "");
  auto listener = NewListener();
  ASSERT_TRUE(
      Ask<WatchingChild>(first, WatchChild{b, PidfdOf(b), listener}).ok());
  EXPECT_TRUE(Close().ok());
  EXPECT_EQ(Sigchld(), 'c');  // the other one's lease
  End(b);
  ASSERT_TRUE(trace_->WaitFor(Told(b, 0)));
}

// A relay that ends leaves the watcher deaf; it says so, and refuses.
TEST_P(SigchldWatchersTest, IsInactiveWithoutItsRelay) {
  pid_t a = NewChild();
  ASSERT_EQ(Watch(a), "");
  caf::anon_send_exit(relay_, caf::exit_reason::kill);
  ASSERT_TRUE(
      WaitForLog("the child watcher hears of no exits any more: its "
                 "signal relay ended"));
  EXPECT_FALSE(Info().active);
  EXPECT_NE(Watch(NewChild()), "");
  EXPECT_NE(Attach(), "");
  EXPECT_FALSE(Info().active);
  EXPECT_EQ(Info().watched, 1u);
  EXPECT_TRUE(Close().ok());
}

TEST_P(SigchldWatchersTest, IsInactiveIfTheRelayIsClosed) {
  ASSERT_TRUE(Ask<SignalRelayClosed>(relay_, CloseSignalRelay{}).ok());
  watcher_ = SpawnChildWatcher(kind(), own_->host(), own_->actor(), relay_);
  EXPECT_FALSE(Info().active);
  EXPECT_NE(Watch(NewChild()), "");
}

class MultiLoopWatcherTest : public WatcherTest {
 protected:
  // The log of the watcher to be used goes to `sink`, on its thread.
  void LogTo(std::function<void(absl::string_view)> sink) {
    auto own = IoThread::Start(*system_, {.debug = std::move(sink)});
    ASSERT_TRUE(own.ok()) << own.status();
    own_ = *std::move(own);
  }
  static long AnonymousKib() {
    std::ifstream status("/proc/self/status");
    for (std::string word; status >> word;) {
      long kib = 0;
      if (word == "RssAnon:" && status >> kib) return kib;
    }
    return -1;
  }
};

// Row V18: what a handler does is a push and a write, so a SIGCHLD that comes
// while the watcher looks at its children makes it look again. Each is told of
// while the next one ends, which was looked at already in one of the two
// orders.
TEST_F(MultiLoopWatcherTest, MissesNoExitWhileItLooks) {
  std::map<pid_t, pid_t> next;
  LogTo([&](absl::string_view line) {
    pid_t told = -1;
    std::vector<std::string> words = absl::StrSplit(line, ' ');
    if (words.size() < 3 || words[2] != "exited") return;
    if (!absl::SimpleAtoi(words[1], &told) || next.count(told) == 0) return;
    End(next[told]);
    WaitForEndOf(next[told]);
    YieldUntil([] {  // the handler runs
      sigset_t pending;
      sigpending(&pending);
      return sigismember(&pending, SIGCHLD) == 0;
    });
  });
  Use(WatcherKind::kMultiLoop);
  for (bool backwards : {false, true}) {
    std::vector<pid_t> pids;
    for (int i = 0; i < 4; ++i) {
      pids.push_back(NewChild());
      ASSERT_EQ(Watch(pids.back()), "");
    }
    if (backwards) std::reverse(pids.begin(), pids.end());
    WhileStandingStill(own_->host(), [&] {
      for (int i = 1; i < 4; ++i) next[pids[i - 1]] = pids[i];
      End(pids[0]);
    });
    for (pid_t pid : pids) ASSERT_TRUE(trace_->WaitFor(Told(pid, 0)));
  }
}

// Row C15: the thread of the relay may be held up by whatever it waits for.
TEST_F(MultiLoopWatcherTest, HearsOfExitsWhileTheRelaysThreadStandsStill) {
  Use(WatcherKind::kMultiLoop);
  pid_t a = NewChild();
  ASSERT_EQ(Watch(a), "");
  WhileStandingStill(host(), [&] {
    End(a);
    EXPECT_TRUE(trace_->WaitFor(Told(a, 0)));
  });
}

// Row V19: a storm of SIGCHLD is one pending bit.
TEST_F(MultiLoopWatcherTest, OutlivesAStormOfSigchld) {
  Use(WatcherKind::kMultiLoop);
  pid_t a = NewChild();
  ASSERT_EQ(Watch(a), "");
  for (int i = 0; i < 20000; ++i) raise(SIGCHLD);
  End(a);
  ASSERT_TRUE(trace_->WaitFor(Told(a, 0)));
  EXPECT_EQ(trace_->events().size(), 1u);
}

// Row V19: those that wait take no memory each: 40 bytes would be 2 MB. The
// relay stands still, too, or each would wake its thread.
TEST_F(MultiLoopWatcherTest, KeepsNoMoreThanOneSigchldThatWaits) {
  Use(WatcherKind::kMultiLoop);
  WhileStandingStill(host(), [&] {
    WhileStandingStill(own_->host(), [&] {
      const long before = AnonymousKib();
      for (int i = 0; i < 50000; ++i) raise(SIGCHLD);
      EXPECT_LT(AnonymousKib(), before + 1024);
    });
  });
}

}  // namespace
}  // namespace troupe
