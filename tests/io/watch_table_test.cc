#include "io/watch_table.h"

#include <fcntl.h>

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/os_error.h"
#include "tests/support/descriptors.h"
#include "tests/support/leak_check.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class WatchTableTest : public LeakCheckedTest,
                       public ::testing::WithParamInterface<SelectorKind> {
 protected:
  // Writes down what it is told, as `name:read` or `name:ended`.
  class Sink final : public ReadinessSink {
   public:
    Sink(WatchTableTest* test, std::string name, std::function<void()> then)
        : test_(test), name_(std::move(name)), then_(std::move(then)) {}
    void OnReady(WatchId, Side side, Readiness readiness) override {
      test_->told_.push_back(
          absl::StrCat(name_, side == Side::kRead ? ":read" : ":write",
                       readiness.HungUp() ? "+hup" : ""));
      if (then_) then_();
    }
    void OnEnded(WatchId, absl::Status why) override {
      test_->told_.push_back(absl::StrCat(name_, ":ended"));
      test_->why_ = why;
    }
    std::string Describe() const override { return name_; }

   private:
    WatchTableTest* test_;
    std::string name_;
    std::function<void()> then_;
  };

  WatchTableTest()
      : selector_(*Selector::Create(GetParam())), table_(*selector_) {}

  std::unique_ptr<Sink> NewSink(std::string name,
                                std::function<void()> then = {}) {
    return std::make_unique<Sink>(this, std::move(name), std::move(then));
  }
  WatchId Read(OwnedFd& fd, std::string name, std::function<void()> then = {}) {
    auto id = table_.Add(fd, NewSink(std::move(name), std::move(then)), {});
    EXPECT_TRUE(id.ok()) << id.status();
    return *id;
  }
  void Arm(WatchId id, bool still_ready = false) {
    table_.Arm(id, Side::kRead, Interest::kReadable, still_ready);
  }
  void ArmWrite(WatchId id, Interest interest) {
    table_.Arm(id, Side::kWrite, interest);
  }
  // One iteration; what the sinks were told in it.
  std::vector<std::string> Turn() {
    told_.clear();
    for (const Selector::Event& event : selector_->Wait(0)) {
      table_.Dispatch(event);
    }
    table_.DeliverDue();
    return told_;
  }

  std::vector<std::string> told_;
  absl::Status why_;
  std::unique_ptr<Selector> selector_;
  WatchTable table_;
};

TEST_P(WatchTableTest, TellsOncePerArm) {
  auto [in, out] = MakePipe();
  WatchId id = Read(in, "r");
  Arm(id);
  WriteFully(out, "x");
  EXPECT_THAT(Turn(), ElementsAre("r:read"));
  WriteFully(out, "y");
  EXPECT_THAT(Turn(), IsEmpty());
  EXPECT_THAT(Turn(), IsEmpty());
}

TEST_P(WatchTableTest, RemembersWhatHappenedBeforeItWasArmed) {
  auto [in, out] = MakePipe();
  WatchId id = Read(in, "r");
  WriteFully(out, "x");
  EXPECT_THAT(Turn(), IsEmpty());
  told_.clear();
  Arm(id);
  EXPECT_THAT(told_, IsEmpty()) << "an observer is not called while it calls";
  EXPECT_THAT(Turn(), ElementsAre("r:read"));
}

TEST_P(WatchTableTest, GoesOnInTheNextTurnWhenItWasNotDrained) {
  auto [in, out] = MakePipe();
  WatchId id = Read(in, "r");
  Arm(id, /*still_ready=*/true);
  EXPECT_TRUE(table_.has_due());
  EXPECT_THAT(Turn(), ElementsAre("r:read"));
  EXPECT_FALSE(table_.has_due());
}

TEST_P(WatchTableTest, ForgetsAnArmThatWasTakenBackButNotWhatHappened) {
  auto [in, out] = MakePipe();
  WatchId id = Read(in, "r");
  Arm(id);
  table_.Disarm(id, Side::kRead);
  WriteFully(out, "x");
  EXPECT_THAT(Turn(), IsEmpty());
  Arm(id);
  EXPECT_THAT(Turn(), ElementsAre("r:read"));
}

TEST_P(WatchTableTest, KeepsAHangUpInEveryLaterReadiness) {
  auto [in, out] = MakePipe();
  WatchId id = Read(in, "r");
  Arm(id);
  out.Close();
  EXPECT_THAT(Turn(), ElementsAre("r:read+hup"));
  Arm(id, /*still_ready=*/true);
  EXPECT_THAT(Turn(), ElementsAre("r:read+hup"));
}

TEST_P(WatchTableTest, NeverUsesAnIdentityAgain) {
  std::set<uint64_t> seen;
  for (int i = 0; i < 1000; ++i) {
    auto [in, out] = MakePipe();
    WatchId id = Read(in, "r");
    EXPECT_TRUE(seen.insert(id.value).second);
    EXPECT_GE(id.value, WatchTable::kFirstId);
    EXPECT_TRUE(table_.End(id));
  }
}

TEST_P(WatchTableTest, DropsWhatComesTooLate) {
  auto [in, out] = MakePipe();
  WatchId old = Read(in, "old");
  table_.End(old);
  auto [in2, out2] = MakePipe();
  Read(in2, "new");
  Arm(old, /*still_ready=*/true);
  told_.clear();
  table_.Dispatch({old.value, EPOLLIN});
  table_.DeliverDue();
  EXPECT_THAT(told_, IsEmpty());
  EXPECT_FALSE(table_.End(old));
  table_.Drop(old, Side::kRead);
  EXPECT_EQ(table_.size(), 1u);
}

TEST_P(WatchTableTest, ClosesWhatItOwnsAndOnlyThat) {
  auto [in, out] = MakePipe();
  int number = in.get();
  table_.End(Read(in, "r"));
  EXPECT_FALSE(IsOpen(number));
  auto borrowed = table_.AddBorrowed(out.get(), {}, NewSink("w"));
  ASSERT_TRUE(borrowed.ok());
  table_.End(*borrowed);
  EXPECT_TRUE(IsOpen(out.get()));
}

TEST_P(WatchTableTest, ClosesWhatItOwnsWhenItGoes) {
  auto [in, out] = MakePipe();
  int number = in.get();
  {
    WatchTable other(*selector_);
    ASSERT_TRUE(other.Add(in, NewSink("r"), {}).ok());
  }
  EXPECT_FALSE(IsOpen(number));
}

TEST_P(WatchTableTest, RefusesANumberThatIsWatched) {
  auto [in, out] = MakePipe();
  int number = in.get();
  WatchId id = Read(in, "first");
  auto again = table_.AddBorrowed(number, NewSink("second"), {});
  EXPECT_TRUE(absl::IsAlreadyExists(again.status())) << again.status();
  Arm(id);
  WriteFully(out, "x");
  EXPECT_THAT(Turn(), ElementsAre("first:read"));
}

TEST_P(WatchTableTest, LeavesADescriptorThatItCannotWatchToTheCaller) {
  OwnedFd none;
  EXPECT_EQ(table_.Add(none, NewSink("r"), {}).status().message(),
            "Invalid file descriptor: -1");
  if (GetParam() != SelectorKind::kEpoll) return;
  OwnedFd file = MakeFile("x", O_RDONLY);
  EXPECT_FALSE(table_.Add(file, NewSink("r"), {}).ok());
  EXPECT_TRUE(IsOpen(file.get()));
  EXPECT_EQ(table_.size(), 0u);
}

TEST_P(WatchTableTest, GivesEachSideItsOwnObserver) {
  auto [ours, theirs] = MakeSocketPair();
  auto id = table_.Add(ours, NewSink("r"), NewSink("w"));
  ASSERT_TRUE(id.ok());
  Arm(*id);
  ArmWrite(*id, Interest::kWritable);
  EXPECT_THAT(Turn(), ElementsAre("w:write"));
  WriteFully(theirs, "x");
  EXPECT_THAT(Turn(), ElementsAre("r:read"));
}

// Row W4: input is no sign that the peer is gone.
TEST_P(WatchTableTest, TellsAnIdleWriterOfAHangUpOnly) {
  auto [ours, theirs] = MakeSocketPair();
  auto id = table_.Add(ours, {}, NewSink("w"));
  ASSERT_TRUE(id.ok());
  ArmWrite(*id, Interest::kPeerGone);
  WriteFully(theirs, "x");
  EXPECT_THAT(Turn(), IsEmpty());
  theirs.Close();
  EXPECT_THAT(Turn(), ElementsAre("w:write+hup"));
}

TEST_P(WatchTableTest, EndsWithItsLastObserver) {
  auto [ours, theirs] = MakeSocketPair();
  int number = ours.get();
  auto id = table_.Add(ours, NewSink("r"), NewSink("w"));
  ASSERT_TRUE(id.ok());
  ArmWrite(*id, Interest::kPeerGone);
  table_.Drop(*id, Side::kRead);
  EXPECT_TRUE(IsOpen(number));
  WriteFully(theirs, "x");
  EXPECT_TRUE(selector_->Wait(0).empty()) << "nobody reads any more";
  theirs.Close();
  EXPECT_THAT(Turn(), ElementsAre("w:write+hup"));
  table_.Drop(*id, Side::kWrite);
  EXPECT_FALSE(IsOpen(number));
  EXPECT_EQ(table_.size(), 0u);
}

TEST_P(WatchTableTest, LetsASinkEndItsOwnWatch) {
  auto [ours, theirs] = MakeSocketPair();
  WatchId id;
  auto added =
      table_.Add(ours, NewSink("r", [&] { table_.End(id); }), NewSink("w"));
  ASSERT_TRUE(added.ok());
  id = *added;
  Arm(id);
  ArmWrite(id, Interest::kPeerGone);
  theirs.Close();
  EXPECT_THAT(Turn(), ElementsAre("r:read+hup"));
  EXPECT_EQ(table_.size(), 0u);
}

TEST_P(WatchTableTest, LetsASinkEndAndBeginOtherWatches) {
  auto [in, out] = MakePipe();
  auto [in2, out2] = MakePipe();
  std::vector<Ends> more;
  WatchId first, second;
  auto swap = [&](WatchId& other) {
    if (!table_.End(other)) return;
    for (int i = 0; i < 100; ++i) {
      more.push_back(MakePipe());
      Arm(Read(more.back().first, "n"));
    }
  };
  first = Read(in, "a", [&] { swap(second); });
  second = Read(in2, "b", [&] { swap(first); });
  Arm(first);
  Arm(second);
  WriteFully(out, "x");
  WriteFully(out2, "x");
  EXPECT_EQ(Turn().size(), 1u);
  EXPECT_EQ(table_.size(), 101u);
}

TEST_P(WatchTableTest, TellsEverybodyWhenItEndsAll) {
  auto [in, out] = MakePipe();
  auto [ours, theirs] = MakeSocketPair();
  Read(in, "a");
  ASSERT_TRUE(table_.Add(ours, NewSink("r"), NewSink("w")).ok());
  told_.clear();
  table_.EndAll(absl::CancelledError("stop"));
  EXPECT_THAT(told_, ElementsAre("a:ended", "r:ended", "w:ended"));
  EXPECT_EQ(why_.message(), "stop");
  EXPECT_EQ(table_.size(), 0u);
}

INSTANTIATE_TEST_SUITE_P(Kinds, WatchTableTest,
                         ::testing::Values(SelectorKind::kEpoll,
                                           SelectorKind::kPoll),
                         [](const auto& info) {
                           return info.param == SelectorKind::kEpoll ? "Epoll"
                                                                     : "Poll";
                         });

using ReusedNumberTest = WatchTableTest;  // poll(2) cannot tell

// The watch of the old descriptor once kept its place in the table for the
// next one, which then stood in the place of a live watch.
TEST_P(ReusedNumberTest, EndsAWatchWhoseDescriptorWasClosedElsewhere) {
  auto [in, out] = MakePipe();
  int number = in.get();
  auto stale = table_.AddBorrowed(number, NewSink("stale"), {});
  ASSERT_TRUE(stale.ok());
  in.Close();
  auto [in2, out2] = MakePipe();
  ASSERT_EQ(in2.get(), number);
  told_.clear();
  WatchId fresh = Read(in2, "fresh");
  EXPECT_THAT(told_, ElementsAre("stale:ended"));
  EXPECT_EQ(OsFailureOf(why_).value().error_number, EBADF);
  EXPECT_FALSE(table_.End(*stale));
  EXPECT_EQ(table_.size(), 1u);

  auto [in3, out3] = MakePipe();
  WatchId third = Read(in3, "third");
  auto [in4, out4] = MakePipe();
  WatchId fourth = Read(in4, "fourth");
  for (WatchId id : {fresh, third, fourth}) Arm(id);
  for (const OwnedFd* fd : {&out2, &out3, &out4}) WriteFully(*fd, "x");
  EXPECT_THAT(Turn(), ElementsAre("fresh:read", "third:read", "fourth:read"));
}

INSTANTIATE_TEST_SUITE_P(Kinds, ReusedNumberTest,
                         ::testing::Values(SelectorKind::kEpoll),
                         [](const auto&) { return "Epoll"; });

}  // namespace
}  // namespace troupe
