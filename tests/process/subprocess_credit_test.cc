// A slow observer holds its child up (core rule 4): the credit from the pipe to
// the observer, and on to the next pipe.
#include <signal.h>

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "caf/send.hpp"
#include "gtest/gtest.h"
#include "io/credit.h"
#include "process/subprocess.h"
#include "tests/support/process_fixture.h"
#include "tests/support/yield_until.h"

namespace troupe {
namespace {

constexpr size_t kMiB = 1024 * 1024;

// Keeps the credits of all output until they are let go.
class Credits {
 public:
  ObserverScript Keeper() {
    return {.output =
                [this](ProcessOutput& output) {
                  std::lock_guard<std::mutex> lock(mutex_);
                  if (open_) return;
                  kept_.push_back(std::move(output.credit));
                },
            .note_output = false};
  }
  void LetGo() {
    std::vector<Credit> kept;
    std::lock_guard<std::mutex> lock(mutex_);
    kept.swap(kept_);
  }
  void KeepNoMore() {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      open_ = true;
    }
    LetGo();
  }

 private:
  std::mutex mutex_;
  bool open_ = false;
  std::vector<Credit> kept_;
};

class SubprocessCreditTest : public ProcessTest {
 protected:
  // How much came when the child does not run and no more comes, however often
  // the I/O thread looks: it waits for room, or has ended.
  size_t SizeWhenStuck(const ProcessObserver& observer) {
    size_t last = 0;
    int same = 0;
    EXPECT_TRUE(YieldUntil([&] {
      WaitForIteration(*io_);
      WaitForObserver(observer);
      const char state = StateOf(pid_);
      const bool stuck = state == 'S' || state == 'Z' || state == '-';
      same = stuck && OutSize() > 0 && OutSize() == last ? same + 1 : 0;
      last = OutSize();
      return same == 20;
    }));
    return last;
  }

  // Returns when it has handled all that it was sent before.
  void WaitForObserver(const ProcessObserver& observer) {
    const size_t before = trace_->Count("PAUSE");
    caf::anon_send(observer, PauseWriting{});
    ASSERT_TRUE(trace_->WaitFor("PAUSE", before + 1));
  }

  Credits credits_;
};

// The credit of a Write goes back when its bytes are written: a copy from one
// child to another is bounded end to end.
TEST_F(SubprocessCreditTest, PassesCreditFromOneChildToTheNext) {
  Subprocess source = NewSubprocess(), sink = NewSubprocess();
  StartProcess start = Piped({ChildProgram("copy_input")});
  start.observer = NewObserver({.output = {}, .note_output = false});
  ASSERT_EQ(Start(sink, start), "");
  Freeze(sink);
  std::atomic<size_t> passed{0};
  StartProcess flood = Piped({ChildProgram("flood"), absl::StrCat(8 * kMiB)});
  auto sink_got = std::exchange(got_, std::make_shared<Received>());
  flood.observer =
      NewObserver({.output =
                       [&, sink](ProcessOutput& output) {
                         passed += output.bytes.size();
                         caf::anon_send(sink, Write{std::move(output.bytes),
                                                    std::move(output.credit)});
                       },
                   .note_output = false});
  pid_t sink_pid = pid_;
  ASSERT_EQ(Start(source, flood), "");
  size_t stuck = SizeWhenStuck(flood.observer);
  EXPECT_LE(stuck, kMiB);  // window, one block, and what the pipe took
  ASSERT_EQ(kill(sink_pid, SIGCONT), 0);
  ASSERT_TRUE(trace_->WaitFor("CL"));
  caf::anon_send(sink, CloseStdin{});
  ASSERT_TRUE(trace_->WaitFor("CL", 2));
  EXPECT_EQ(sink_got->Size(ProcessStream::kStdout), 8 * kMiB);
}

// A child that fills its pipe waits; memory is bounded by the window.
TEST_F(SubprocessCreditTest, AFloodIsHeldUpByCreditAndThenDrained) {
  Subprocess child = NewSubprocess();
  StartProcess start = Piped({ChildProgram("flood"), absl::StrCat(16 * kMiB)});
  start.window = 128 * 1024;
  start.observer = NewObserver(credits_.Keeper());
  ASSERT_EQ(Start(child, start), "");
  EXPECT_LE(SizeWhenStuck(start.observer), 256 * 1024u);
  EXPECT_EQ(trace_->Count("CL"), 0u);
  credits_.LetGo();
  size_t stuck = SizeWhenStuck(start.observer);
  EXPECT_LE(stuck, 512 * 1024u);
  credits_.KeepNoMore();
  ASSERT_TRUE(trace_->WaitFor("CL"));
  EXPECT_EQ(OutSize(), 16 * kMiB);
  EXPECT_EQ(trace_->Count("EXIT 0"), 1u);
}

// What a child writes one byte at a time costs memory by the message.
TEST_F(SubprocessCreditTest, ABytewiseChildIsHeldUpByCreditToo) {
  Subprocess child = NewSubprocess();
  StartProcess start =
      Piped({ChildProgram("write_bytewise"), std::string(100000, 'x')});
  start.window = 64 * 1024;
  start.observer = NewObserver(credits_.Keeper());
  ASSERT_EQ(Start(child, start), "");
  SizeWhenStuck(start.observer);
  credits_.KeepNoMore();
  ASSERT_TRUE(trace_->WaitFor("CL"));
  EXPECT_EQ(OutSize(), 100000u);
}

// The first chunk takes all credit, and the rest has room in the pipe.
TEST_F(SubprocessCreditTest, ExitIsToldWhileOutputWaitsForCredit) {
  Subprocess child = NewSubprocess();
  StartProcess start = Piped({ChildProgram("flood"), "90000"});
  start.window = 1024;
  start.observer = NewObserver(credits_.Keeper());
  ASSERT_EQ(Start(child, start), "");
  for (int i = 0; i < 20 && trace_->Count("EXIT 0") == 0; ++i) {
    if (SizeWhenStuck(start.observer) < 20000) credits_.LetGo();
  }
  ASSERT_TRUE(trace_->WaitFor("EXIT 0"));
  EXPECT_LT(OutSize(), 90000u);
  EXPECT_EQ(trace_->Count("CL"), 0u);
  credits_.KeepNoMore();
  ASSERT_TRUE(trace_->WaitFor("CL"));
  EXPECT_EQ(OutSize(), 90000u);
}

// A slow observer holds credit longer than the silence: nothing is lost, at
// whatever moment the credit comes back. All is written, as stderr says, and
// part of it waits in the pipe.
TEST_F(SubprocessCreditTest, SilenceLosesNothingOfASlowObserver) {
  constexpr size_t kSize = 100000;
  for (int round = 1; round <= 30; ++round) {
    got_ = std::make_shared<Received>();
    Subprocess child = NewSubprocess();
    StartProcess start =
        Piped({ChildProgram("flood_and_hold"), absl::StrCat(kSize)});
    start.window = 1024;
    Credits credits;
    start.observer = NewObserver(credits.Keeper());
    ASSERT_EQ(Start(child, start), "");
    while (SizeWhenStuck(start.observer) < kSize - 65536) credits.LetGo();
    ASSERT_TRUE(
        YieldUntil([&] { return got_->Size(ProcessStream::kStderr) > 0; }));
    caf::anon_send(child, CloseStreamsWhenSilent{absl::Milliseconds(1)});
    ASSERT_TRUE(YieldUntil([&] {
      WaitForTimer(*io_, absl::Milliseconds(1));
      credits.LetGo();
      return trace_->Count("CL") >= static_cast<size_t>(round);
    }));
    EXPECT_EQ(OutSize(), kSize);
  }
}

}  // namespace
}  // namespace troupe
