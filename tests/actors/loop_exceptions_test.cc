// Exceptions of callbacks, and debug mode.
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/match.h"
#include "absl/time/time.h"
#include "actors/exception_handler.h"
#include "actors/loop.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/loop_fixture.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::StartsWith;

class LoopExceptionsTest : public LoopFixture {
 protected:
  static void Throw() { throw std::runtime_error("boom"); }
  void RunWithAnException() {
    loop_->CallSoon(&LoopExceptionsTest::Throw);
    loop_->CallSoon(SaysAndStops("went on"));
    Run();
    EXPECT_THAT(told_, ElementsAre("went on"));
    told_.clear();
  }
};

// Rows L16, L19.
TEST_F(LoopExceptionsTest, AreWrittenToTheLogAndTheLoopGoesOn) {
  RunWithAnException();
  ASSERT_EQ(log_.size(), 1u);
  EXPECT_THAT(
      log_[0],
      MatchesRegex("Exception in callback <Handle created at .*_test.cc:[0-9]+>"
                   "\nexception: boom"
                   "\nhandle: <Handle created at .*_test.cc:[0-9]+>"));
}

// Row L16: nothing that a callback throws ends the loop, not even what is no
// std::exception. A callback that wants the loop to end calls Stop.
TEST_F(LoopExceptionsTest, MayBeAnythingThatCanBeThrown) {
  loop_->CallSoon([] { throw 42; });
  loop_->CallSoon([&] { loop_->Stop(); });
  Run();
  ASSERT_EQ(log_.size(), 1u);
  EXPECT_THAT(log_[0], HasSubstr("an exception that is no std::exception"));
}

// Rows L16, L18.
TEST_F(LoopExceptionsTest, GoToTheHandlerThatIsSetUntilItIsTakenAway) {
  EXPECT_FALSE(loop_->GetExceptionHandler());
  loop_->SetExceptionHandler([&](Loop& loop, const ExceptionContext& context) {
    EXPECT_EQ(&loop, loop_.get());
    EXPECT_THAT(context.message, StartsWith("Exception in callback <Handle"));
    EXPECT_THROW(std::rethrow_exception(context.exception), std::runtime_error);
    EXPECT_THAT(context.handle.ToString(), HasSubstr("_test.cc"));
    told_.push_back("handled");
  });
  EXPECT_TRUE(loop_->GetExceptionHandler());
  loop_->CallSoon(&LoopExceptionsTest::Throw);
  loop_->CallSoon([&] { loop_->Stop(); });
  Run();
  EXPECT_THAT(told_, ElementsAre("handled"));
  EXPECT_THAT(log_, IsEmpty());
  told_.clear();
  loop_->SetExceptionHandler(nullptr);
  RunWithAnException();
  EXPECT_EQ(log_.size(), 1u);
}

// Row L19.
TEST_F(LoopExceptionsTest, AreWrittenWithEachFieldOnALineInOrder) {
  ExceptionContext context;
  context.details = {{"zebra", "2"}, {"ant", "1"}};
  loop_->CallExceptionHandler(context);
  context.message = "something happened";
  loop_->DefaultExceptionHandler(context);
  EXPECT_THAT(log_,
              ElementsAre("Unhandled exception in event loop\nant: 1\nzebra: 2",
                          "something happened\nant: 1\nzebra: 2"));
}

// Row L20.
TEST_F(LoopExceptionsTest, OfAHandlerAreWrittenWithWhatItWasGiven) {
  loop_->SetExceptionHandler([](Loop&, const ExceptionContext&) {
    throw std::runtime_error("and again");
  });
  ExceptionContext context;
  context.message = "something happened";
  loop_->CallExceptionHandler(context);
  EXPECT_THAT(log_, ElementsAre("Unhandled error in exception handler"
                                "\ncontext: {something happened}"
                                "\nexception: and again"));
}

// Row L20: when even the log fails, stderr is what is left.
TEST_F(LoopExceptionsTest, OfTheLogGoToStderr) {
  auto loop = Loop::Create(
      *system_, {.log = [](absl::string_view) { throw std::bad_alloc(); }});
  ASSERT_TRUE(loop.ok());
  ExceptionContext context;
  context.message = "something happened";
  testing::internal::CaptureStderr();
  (*loop)->CallExceptionHandler(context);
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              StartsWith("Exception in default exception handler\n"));
  (*loop)->SetExceptionHandler(
      [](Loop&, const ExceptionContext&) { throw std::runtime_error("x"); });
  testing::internal::CaptureStderr();
  (*loop)->CallExceptionHandler(context);
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              StartsWith("Exception in default exception handler while "
                         "handling an unexpected error in custom exception "
                         "handler\n"));
}

TEST_F(LoopExceptionsTest, GoToStderrWithoutALog) {
  auto loop = Loop::Create(*system_);
  ASSERT_TRUE(loop.ok());
  testing::internal::CaptureStderr();
  (*loop)->CallExceptionHandler({.message = "something happened"});
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "something happened\n");
}

// Row L20: a handler may put another in its place while it runs.
TEST_F(LoopExceptionsTest, MayBeHandledBySomebodyElseFromThenOn) {
  loop_->SetExceptionHandler([&](Loop& loop, const ExceptionContext&) {
    loop.SetExceptionHandler(nullptr);
    told_.push_back("handled");
  });
  loop_->CallExceptionHandler({.message = "first"});
  loop_->CallExceptionHandler({.message = "second"});
  EXPECT_THAT(told_, ElementsAre("handled"));
  EXPECT_THAT(log_, ElementsAre("second"));
}

class LoopDebugTest : public LoopFixture {
 protected:
  // A callback that takes a while without giving up its processor.
  void RunSlowly(absl::Duration took) {
    loop_->CallSoon([&, took] {
      const absl::Duration until = loop_->Time() + took;
      while (loop_->Time() < until) {
      }
      loop_->Stop();
    });
    Run();
  }
};

// Row L22.
TEST_F(LoopDebugTest, WritesDownCallbacksThatTakeLong) {
  EXPECT_EQ(loop_->GetSlowCallbackDuration(), absl::Milliseconds(100));
  loop_->SetSlowCallbackDuration(absl::Milliseconds(1));
  RunSlowly(absl::Milliseconds(2));
  EXPECT_THAT(log_, IsEmpty()) << "not in debug mode";
  loop_->SetDebug(true);
  EXPECT_TRUE(loop_->GetDebug());
  RunSlowly(absl::Milliseconds(2));
  ASSERT_EQ(log_.size(), 1u);
  EXPECT_THAT(log_[0], MatchesRegex("Executing <Handle created at "
                                    ".*_test.cc:[0-9]+> took 0.0[0-9][0-9] "
                                    "seconds"));
  loop_->SetDebug(false);
  RunSlowly(absl::Milliseconds(2));
  EXPECT_EQ(log_.size(), 1u);
}

// Row L21: the environment turns it on for all loops.
TEST_F(LoopDebugTest, IsOnFromTheBeginningIfTheEnvironmentSaysSo) {
  EXPECT_FALSE(loop_->GetDebug());
  setenv("TROUPE_DEBUG", "1", 1);
  auto loop = NewLoop();
  setenv("TROUPE_DEBUG", "", 1);
  EXPECT_TRUE(loop->GetDebug());
  EXPECT_FALSE(NewLoop()->GetDebug());
  unsetenv("TROUPE_DEBUG");
}

}  // namespace
}  // namespace troupe
