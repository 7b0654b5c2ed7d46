// Closing a loop, and what goes with it.
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "actors/loop.h"
#include "caf/send.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/fd_ticket.h"
#include "io/write_transport.h"
#include "tests/support/descriptors.h"
#include "tests/support/leak_check.h"
#include "tests/support/loop_fixture.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;

class LoopCloseTest : public LoopFixture {};

// Row L14.
TEST_F(LoopCloseTest, RefusesEverythingOnceItIsClosed) {
  auto [in, out] = MakePipe();
  ASSERT_TRUE(loop_->Close().ok());
  EXPECT_TRUE(loop_->Close().ok());
  EXPECT_TRUE(loop_->IsClosed());
  const std::string closed = "Event loop is closed";
  EXPECT_EQ(loop_->CallSoon(Says("x")).status().message(), closed);
  EXPECT_EQ(loop_->CallSoonThreadsafe(Says("x")).status().message(), closed);
  EXPECT_EQ(loop_->CallLater(absl::Seconds(1), Says("x")).status().message(),
            closed);
  EXPECT_EQ(loop_->AddReader(in.get(), Says("x")).status().message(), closed);
  EXPECT_EQ(loop_->AddWriter(out.get(), Says("x")).status().message(), closed);
  EXPECT_EQ(loop_->AddSignalHandler(10, Says("x")).status().message(), closed);
  EXPECT_EQ(loop_->RunForever().message(), closed);
  EXPECT_EQ(loop_->RunOnce().message(), closed);
  EXPECT_FALSE(loop_->RemoveReader(in.get()));
  EXPECT_FALSE(loop_->RemoveWriter(out.get()));
  EXPECT_FALSE(loop_->RemoveSignalHandler(10));
  EXPECT_EQ(loop_->fd(), -1);
}

// Row L14.
TEST_F(LoopCloseTest, RefusesToBeClosedWhileItRuns) {
  loop_->CallSoon([&] {
    EXPECT_EQ(loop_->Close().message(), "Cannot close a running event loop");
    loop_->Stop();
  });
  Run();
  EXPECT_FALSE(loop_->IsClosed());
}

// Rows L14, L15: a loop that is dropped is closed.
TEST_F(LoopCloseTest, DropsWhatWaitsWhenItIsDestroyed) {
  auto captured = std::make_shared<int>(1);
  loop_->CallSoon([captured] { FAIL(); });
  loop_->CallLater(absl::Seconds(1), [captured] { FAIL(); });
  auto [in, out] = MakePipe();
  loop_->AddReader(in.get(), [captured] { FAIL(); });
  loop_.reset();
  EXPECT_EQ(captured.use_count(), 1);
}

// Row L14.
TEST_F(LoopCloseTest, SaysThatItClosesInDebugMode) {
  loop_->SetDebug(true);
  ASSERT_TRUE(loop_->Close().ok());
  EXPECT_THAT(
      log_, ElementsAre("Close <Loop running=False closed=False debug=True>"));
}

// Rows R19, R22: the transports of its thread write to the loop's log.
TEST_F(LoopCloseTest, SaysWhichTransportsNobodyClosedInDebugMode) {
  loop_->SetDebug(true);
  auto [in, out] = MakePipe();
  const int fd = out.get();
  auto transport = SpawnWriteTransport(loop_->host(), loop_->io());
  caf::anon_send(transport, ConnectWritePipe{FdTicket(std::move(out)), {}, {}});
  RunUntil([&] { return !log_.empty(); });
  const std::string text =
      absl::StrCat("<WriteTransport fd=", fd, " idle bufsize=0>");
  ASSERT_TRUE(loop_->Close().ok());
  EXPECT_THAT(log_,
              ElementsAre(absl::StrCat("Write pipe ", fd, " connected: (", text,
                                       ", no protocol)"),
                          "Close <Loop running=False closed=False debug=True>",
                          "unclosed transport " + text));
}

// Row L14; a bug of ours: it began to close twice.
TEST_F(LoopCloseTest, MayBeClosedByWhatGoesWithAReader) {
  auto [in, out] = MakePipe();
  std::shared_ptr<void> closes(nullptr, [&, fd = in.get()](void*) {
    EXPECT_TRUE(loop_->Close().ok());
    EXPECT_FALSE(loop_->AddReader(fd, Says("x")).status().ok());
    told_.push_back("gone");
  });
  loop_->AddReader(in.get(), [closes = std::move(closes)] {});
  ASSERT_TRUE(loop_->Close().ok());
  EXPECT_THAT(told_, ElementsAre("gone"));
  EXPECT_EQ(loop_->fd(), -1);
}

// A bug of ours: the end of the inner one hid the outer one.
TEST_F(LoopCloseTest, MayCloseAnotherInACallback) {
  auto other = NewLoop();
  loop_->CallSoon([&] {
    NewLoop().reset();
    EXPECT_EQ(other->RunForever().message(),
              "Cannot run the event loop while another loop is running");
    EXPECT_TRUE(loop_->host().OnThread());
    loop_->Stop();
  });
  Run();
  EXPECT_FALSE(loop_->host().OnThread());
}

// Row L28: its own descriptors are a selector, a waker and a timer.
TEST_F(LoopCloseTest, HasThreeDescriptorsUntilItIsClosed) {
  const size_t before = OpenDescriptors().size();
  auto other = NewLoop();
  EXPECT_EQ(OpenDescriptors().size(), before + 3);
  ASSERT_TRUE(other->Close().ok());
  EXPECT_EQ(OpenDescriptors().size(), before);
}

}  // namespace
}  // namespace troupe
