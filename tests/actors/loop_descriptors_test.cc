// Readers and writers of a loop.
#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "actors/loop.h"
#include "caf/typed_event_based_actor.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/fd_ticket.h"
#include "io/os_error.h"
#include "io/read_transport.h"
#include "io/resident.h"
#include "tests/support/descriptors.h"
#include "tests/support/loop_fixture.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;

class LoopDescriptorsTest : public LoopFixture {
 protected:
  void Iterate(int times = 1) {
    for (int i = 0; i < times; ++i) ASSERT_TRUE(loop_->RunOnce().ok());
  }
  ReadProtocol NewProtocol() {
    return SpawnResident<caf::hidden>(
        loop_->host(),
        [](Resident<ReadProtocol::base>*) -> ReadProtocol::behavior_type {
          return {[](const ConnectionMade&) {}, [](const DataReceived&) {},
                  [](const EofReceived&) {}, [](const ConnectionLost&) {}};
        });
  }
  // Without the iterations it takes until a callback has run.
  std::vector<std::string> ToldAfter(int iterations) {
    told_.clear();
    Iterate(iterations);
    return told_;
  }
};

// Row FD1.
TEST_F(LoopDescriptorsTest, RunAReaderOncePerIterationAsLongAsItIsReady) {
  auto [in, out] = MakePipe();
  CallHandle handle = loop_->AddReader(in.get(), Says("r"));
  EXPECT_TRUE(handle.status().ok());
  EXPECT_THAT(ToldAfter(2), IsEmpty());
  WriteFully(out, "xy");
  EXPECT_THAT(ToldAfter(3), ElementsAre("r", "r", "r"));
  ReadFully(in, 1);
  EXPECT_THAT(ToldAfter(2), ElementsAre("r", "r"));
  ReadFully(in, 1);
  EXPECT_THAT(ToldAfter(2), IsEmpty());
  EXPECT_TRUE(loop_->RemoveReader(in.get()));
}

// Row FD1.
TEST_F(LoopDescriptorsTest, RunAWriterAsLongAsThereIsRoom) {
  auto [in, out] = MakePipe();
  loop_->AddWriter(out.get(), Says("w"));
  EXPECT_THAT(ToldAfter(2), ElementsAre("w", "w"));
  size_t filled = Fill(out);
  EXPECT_THAT(ToldAfter(2), IsEmpty());
  ReadFully(in, filled);
  EXPECT_THAT(ToldAfter(1), ElementsAre("w"));
  EXPECT_TRUE(loop_->RemoveWriter(out.get()));
}

// Row FD1.
TEST_F(LoopDescriptorsTest, ReplaceAReaderAndCancelTheOldOne) {
  auto [in, out] = MakePipe();
  WriteFully(out, "x");
  CallHandle old = loop_->AddReader(in.get(), Says("old"));
  loop_->AddReader(in.get(), Says("new"));
  EXPECT_TRUE(old.cancelled());
  EXPECT_THAT(ToldAfter(1), ElementsAre("new"));
  EXPECT_EQ(loop_->Metrics().descriptors, 1u);
  loop_->RemoveReader(in.get());
}

// Rows FD1, L4: the reader first.
TEST_F(LoopDescriptorsTest, RunReaderAndWriterOfOneDescriptorIndependently) {
  auto [ours, theirs] = MakeSocketPair();
  loop_->AddWriter(ours.get(), Says("w"));
  loop_->AddReader(ours.get(), Says("r"));
  EXPECT_THAT(ToldAfter(1), ElementsAre("w"));
  WriteFully(theirs, "x");
  EXPECT_THAT(ToldAfter(1), ElementsAre("r", "w"));
  EXPECT_TRUE(loop_->RemoveWriter(ours.get()));
  EXPECT_THAT(ToldAfter(1), ElementsAre("r"));
  EXPECT_TRUE(loop_->RemoveReader(ours.get()));
  EXPECT_THAT(ToldAfter(1), IsEmpty());
}

// Row FD2.
TEST_F(LoopDescriptorsTest, RefuseWhatCannotBeWatchedWithAsynciosErrors) {
  EXPECT_EQ(loop_->AddReader(-1, Says("x")).status().message(),
            "Invalid file descriptor: -1");
  int closed = dup(0);
  close(closed);
  EXPECT_EQ(OsFailureOf(loop_->AddReader(closed, Says("x")).status())
                .value()
                .error_number,
            EBADF);
  OwnedFd file(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  OwnedFd folder(open("/", O_RDONLY | O_CLOEXEC));
  for (const OwnedFd* fd : {&file, &folder}) {
    absl::Status refused = loop_->AddWriter(fd->get(), Says("x")).status();
    EXPECT_EQ(OsFailureOf(refused).value().error_number, EPERM) << refused;
  }
  EXPECT_EQ(loop_->Metrics().descriptors, 0u);
}

// Rows FD3, FD4.
TEST_F(LoopDescriptorsTest, RefuseTheDescriptorOfATransport) {
  auto [in, out] = MakePipe();
  const int number = in.get();
  ReadTransport transport = SpawnReadTransport(loop_->host(), loop_->io());
  auto connected = loop_->RunUntilComplete<Connected>(
      transport, ConnectReadPipe{FdTicket(std::move(in)), NewProtocol(), {}});
  ASSERT_TRUE(connected.ok()) << connected.status();
  CallHandle refused = loop_->AddReader(number, Says("x"));
  EXPECT_TRUE(absl::IsFailedPrecondition(refused.status()));
  EXPECT_THAT(std::string(refused.status().message()),
              MatchesRegex(absl::StrCat("File descriptor ", number,
                                        " is used by transport "
                                        "<read-transport#[0-9]+>")));
  EXPECT_FALSE(loop_->RemoveReader(number));
}

// Row FD5.
TEST_F(LoopDescriptorsTest, SayWhetherThereWasSomethingToRemove) {
  auto [ours, theirs] = MakeSocketPair();
  EXPECT_FALSE(loop_->RemoveReader(ours.get()));
  EXPECT_FALSE(loop_->RemoveReader(12345));
  loop_->AddReader(ours.get(), Says("r"));
  EXPECT_FALSE(loop_->RemoveWriter(ours.get()));
  EXPECT_TRUE(loop_->RemoveReader(ours.get()));
  EXPECT_FALSE(loop_->RemoveReader(ours.get()));
}

// Row FD5: when it returns the selector has forgotten the descriptor, so that
// the number can be closed and used again.
TEST_F(LoopDescriptorsTest, AreOutOfTheSelectorWhenRemoveReturns) {
  auto [in, out] = MakePipe();
  loop_->AddReader(in.get(), Says("x"));
  loop_->RemoveReader(in.get());
  epoll_event event{EPOLLIN, {}};
  EXPECT_EQ(epoll_ctl(loop_->fd(), EPOLL_CTL_MOD, in.get(), &event), -1);
  EXPECT_EQ(errno, ENOENT);
}

// Row FD5: what was ready already does not run any more.
TEST_F(LoopDescriptorsTest, DoNotRunAReaderThatWasRemovedInTheSameIteration) {
  auto [in, out] = MakePipe();
  auto [in2, out2] = MakePipe();
  WriteFully(out, "x");
  WriteFully(out2, "x");
  auto remove_both = [&, a = in.get(), b = in2.get()] {
    EXPECT_TRUE(loop_->RemoveReader(a));
    EXPECT_TRUE(loop_->RemoveReader(b));
  };
  loop_->AddReader(in.get(), Says("one", remove_both));
  loop_->AddReader(in2.get(), Says("one", remove_both));
  EXPECT_THAT(ToldAfter(2), ElementsAre("one"));
}

// Row FD6.
TEST_F(LoopDescriptorsTest, RunBothSidesOnAHangUp) {
  auto [ours, theirs] = MakeSocketPair();
  Fill(ours);
  loop_->AddReader(ours.get(), Says("r"));
  loop_->AddWriter(ours.get(), Says("w"));
  EXPECT_THAT(ToldAfter(1), IsEmpty());
  theirs.Close();
  EXPECT_THAT(ToldAfter(2), ElementsAre("r", "w", "r", "w"));
  loop_->RemoveReader(ours.get());
  loop_->RemoveWriter(ours.get());
}

// Row FD7.
TEST_F(LoopDescriptorsTest, AreRemovedWhenTheirHandleWasCancelled) {
  auto [in, out] = MakePipe();
  CallHandle handle = loop_->AddReader(in.get(), Says("r"));
  EXPECT_TRUE(handle.Cancel());
  EXPECT_EQ(loop_->Metrics().descriptors, 1u);
  WriteFully(out, "x");
  EXPECT_THAT(ToldAfter(1), IsEmpty());
  EXPECT_EQ(loop_->Metrics().descriptors, 0u);
  EXPECT_FALSE(loop_->RemoveReader(in.get()));
}

TEST_F(LoopDescriptorsTest, MayBeRemovedByTheirOwnCallback) {
  auto [in, out] = MakePipe();
  WriteFully(out, "x");
  loop_->AddReader(in.get(), Says("r", [&, fd = in.get()] {
                     EXPECT_TRUE(loop_->RemoveReader(fd));
                   }));
  EXPECT_THAT(ToldAfter(3), ElementsAre("r"));
}

// A descriptor that was closed without a word: its number is another's now.
TEST_F(LoopDescriptorsTest, NoticeThatANumberWasClosedAndUsedAgain) {
  auto [in, out] = MakePipe();
  const int number = in.get();
  CallHandle stale = loop_->AddReader(number, Says("stale"));
  in.Close();
  auto [in2, out2] = MakePipe();
  ASSERT_EQ(in2.get(), number);
  loop_->AddReader(number, Says("fresh"));
  EXPECT_TRUE(stale.cancelled());
  WriteFully(out2, "x");
  EXPECT_THAT(ToldAfter(1), ElementsAre("fresh"));
  loop_->RemoveReader(number);
}

TEST_F(LoopDescriptorsTest, HandOneSideToAnotherReaderOfTheSameFile) {
  auto [in, out] = MakePipe();
  OwnedFd copy(dup(in.get()));
  WriteFully(out, "x");
  loop_->AddReader(in.get(), Says("in"));
  loop_->AddReader(copy.get(), Says("copy"));
  EXPECT_THAT(ToldAfter(1), ::testing::UnorderedElementsAre("in", "copy"));
  loop_->RemoveReader(in.get());
  loop_->RemoveReader(copy.get());
}

// Row L21.
TEST_F(LoopDescriptorsTest, RefuseACallbackOfNothing) {
  auto [ours, theirs] = MakeSocketPair();
  EXPECT_EQ(loop_->AddReader(ours.get(), Callback()).status().message(),
            "a callable object was expected by AddReader(), got nothing");
  EXPECT_EQ(loop_->AddWriter(ours.get(), Callback()).status().message(),
            "a callable object was expected by AddWriter(), got nothing");
  Iterate();
  EXPECT_EQ(loop_->Metrics().descriptors, 0u);
}

// A connection that goes with its callback, and removes it: a bug of ours, the
// registration was read after it was gone.
TEST_F(LoopDescriptorsTest, MayBeRemovedByWhatGoesWithTheOneTheyReplace) {
  auto [in, out] = MakePipe();
  WriteFully(out, "x");
  std::shared_ptr<void> connection(nullptr, [&, fd = in.get()](void*) {
    EXPECT_TRUE(loop_->RemoveReader(fd));
  });
  loop_->AddReader(in.get(), [connection = std::move(connection)] {});
  CallHandle second = loop_->AddReader(in.get(), Says("second"));
  EXPECT_TRUE(second.cancelled());
  EXPECT_THAT(ToldAfter(2), IsEmpty());
  EXPECT_EQ(loop_->Metrics().descriptors, 0u);
}

}  // namespace
}  // namespace troupe
