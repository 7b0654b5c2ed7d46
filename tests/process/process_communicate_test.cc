// Communicate and RunProcess: rows H3 to H8, V6, V12, V13, V29, A9, A10.
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "caf/exit_reason.hpp"
#include "caf/scoped_actor.hpp"
#include "caf/send.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/owned_fd.h"
#include "process/process.h"
#include "tests/process/running_process.h"
#include "tests/support/child_program.h"
#include "tests/support/leak_check.h"
#include "tests/support/scratch_folder.h"

namespace troupe {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr size_t kMiB = 1024 * 1024;

class ProcessCommunicateTest : public RunningProcessTest {};

// Row H3: more than all windows hold, both ways at once.
TEST_F(ProcessCommunicateTest, FeedsAndGathersBothStreamsToTheirEnd) {
  std::string input(4 * kMiB, 0);
  for (size_t i = 0; i < input.size(); ++i) input[i] = 'a' + i % 23;
  Process process = NewProcess();
  ASSERT_EQ(Launch(process, PipedLaunch({ChildProgram("copy_input")})), "");
  auto all = Ask<Communicated>(process, Communicate{Bytes(input)});
  ASSERT_TRUE(all.ok()) << all.status();
  EXPECT_TRUE(all->out->head == input) << all->out->size();
  EXPECT_EQ(all->err->size(), 0u);
  EXPECT_EQ(Describe(all->exit), "EXIT 0");
  EXPECT_EQ(all->ended_by, EndedBy::kItself);
  EXPECT_EQ(all->input_lost, 0u);
  EXPECT_TRUE(all->drained);
}

// Row H3: nothing for what is no pipe.
TEST_F(ProcessCommunicateTest, GivesNothingForWhatIsNoPipe) {
  Process process = NewProcess();
  LaunchProcess launch = PipedLaunch({ChildProgram("write_both")});
  launch.command.stdin_from = Stdio::Null();
  launch.command.stderr_to = Stdio::Null();
  ASSERT_EQ(Launch(process, launch), "");
  EXPECT_EQ(Gather(process), "EXIT 0 out=out err=-");
}

// Rows H4, V12, A10: also without input.
TEST_F(ProcessCommunicateTest, ClosesStdinAlways) {
  for (auto input : {std::optional<Bytes>(), std::optional<Bytes>(Bytes())}) {
    Process process = NewProcess();
    ASSERT_EQ(Launch(process, PipedLaunch({ChildProgram("wait_for_eof")})), "");
    EXPECT_EQ(Gather(process, Communicate{input}), "EXIT 0 out=r err=");
  }
}

// Row H5.
TEST_F(ProcessCommunicateTest, RefusesInputWithoutAPipeAndGoesOn) {
  Process process = NewProcess();
  LaunchProcess launch = QuietLaunch({ChildProgram("exit_with"), "3"});
  EXPECT_EQ(Described(Ask<Communicated>(
                process, RunProcess{launch, Bytes(std::string("x"))})),
            "!stdin is not a pipe");
  ASSERT_EQ(Launch(process, launch), "");
  EXPECT_EQ(Gather(process, Communicate{Bytes(std::string("x"))}),
            "!stdin is not a pipe");
  EXPECT_EQ(Gather(process), "EXIT 3 out=- err=-");
}

// Row H6: the pipe breaks while it is fed; how much was lost is said.
TEST_F(ProcessCommunicateTest, IgnoresAChildThatDoesNotTakeItsInput) {
  Process process = NewProcess();
  ASSERT_EQ(Launch(process, PipedLaunch({ChildProgram("exit_with"), "4"})), "");
  auto all =
      Ask<Communicated>(process, Communicate{Bytes(std::string(kMiB, 'x'))});
  ASSERT_TRUE(all.ok()) << all.status();
  EXPECT_EQ(Describe(all->exit), "EXIT 4");
  EXPECT_GE(all->input_lost, kMiB - 64 * 1024);
  EXPECT_LE(all->input_lost, kMiB);
}

// The same when a grandchild keeps the pipe and does not read it.
TEST_F(ProcessCommunicateTest, CountsInputThatWaitsForAGrandchild) {
  Process process = NewProcess();
  LaunchProcess launch = InGroup(PipedLaunch({"sh", "-c", "sleep 1000 <&0 &"}));
  launch.command.stdout_to = Stdio::Null();
  launch.command.stderr_to = Stdio::Null();
  auto all = Ask<Communicated>(
      process, RunProcess{launch, Bytes(std::string(kMiB, 'x'))});
  ASSERT_TRUE(all.ok()) << all.status();
  EXPECT_EQ(Describe(all->exit), "EXIT 0");
  EXPECT_GE(all->input_lost, kMiB - 64 * 1024);
  EXPECT_LE(all->input_lost, kMiB);  // the pipe may not have been fed yet
}

// Row H7.
TEST_F(ProcessCommunicateTest, ASecondTimeGivesNothingMore) {
  Process process = NewProcess();
  ASSERT_EQ(Launch(process, PipedLaunch({ChildProgram("write_both")})), "");
  ASSERT_TRUE(Ask<ProcessExited>(process, WaitForExit{}).ok());
  EXPECT_EQ(Gather(process), "EXIT 0 out=out err=err");
  EXPECT_EQ(Gather(process), "EXIT 0 out= err=");
  EXPECT_EQ(Gather(process, Communicate{Bytes(std::string("x"))}),
            "!stdin was closed by an earlier Communicate");
}

// Rows H8, V13, A9: by its own timeout.
TEST_F(ProcessCommunicateTest, LosesNothingToItsTimeout) {
  Process process = NewProcess();
  ASSERT_EQ(Launch(process,
                   PipedLaunch({"sh", "-c",
                                "echo a; trap 'echo b; exit 5' USR1; echo c; "
                                "while :; do read x < /dev/zero; done"})),
            "");
  EXPECT_EQ(Line(process), "a");
  EXPECT_EQ(Gather(process, Communicate{.timeout = absl::Milliseconds(50)}),
            "!the time to wait for the process is over");
  EXPECT_EQ(Read(process, ReadLine{}).substr(0, 1), "!");
  ASSERT_TRUE(Do(process, SendSignal{SIGKILL}).ok());
  EXPECT_EQ(Gather(process), "EXIT -9 out=c\n err=");
}

// Rows H8, V13: by the end of who asked, whatever has come by then. The child
// does not end before those have who ask: an answer that is on its way to one
// who is killed is gone with it.
TEST_F(ProcessCommunicateTest, LosesNothingToTheEndOfWhoAsked) {
  constexpr size_t kHalf = 150000;
  ScratchFolder folder;
  const std::string path = folder.PathOf("gate");
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  const OwnedFd gate(open(path.c_str(), O_RDWR | O_CLOEXEC));
  for (int round = 0; round < 20; ++round) {
    Process process = NewProcess();
    ASSERT_EQ(Launch(process, PipedLaunch({"sh", "-c",
                                           "\"$0\" \"$1\"; read x < \"$2\"; "
                                           "exec \"$0\" \"$1\"",
                                           ChildProgram("flood"),
                                           absl::StrCat(kHalf), path})),
              "");
    for (int i = 0; i < 5; ++i) {
      caf::actor asker =
          AskInTrace<Communicated>("asker", process, Communicate{});
      caf::anon_send_exit(asker, caf::exit_reason::kill);
      caf::scoped_actor(*system_)->wait_for(asker);
    }
    ASSERT_EQ(write(gate.get(), "\n", 1), 1);
    absl::StatusOr<Communicated> all;
    do {  // the end of an asker may not have come yet
      all = Ask<Communicated>(process, Communicate{});
    } while (absl::IsFailedPrecondition(all.status()));
    ASSERT_TRUE(all.ok()) << all.status();
    ASSERT_EQ(all->out->size(), 2 * kHalf) << round;
  }
}

// Row H18.
TEST_F(ProcessCommunicateTest, OneAtATimeAndNotBesideARead) {
  Process process = NewProcess();
  ASSERT_EQ(Launch(process, PipedLaunch({ChildProgram("ignore_sigterm")})), "");
  EXPECT_EQ(Read(process, ReadExactly{1}), "r");
  system_->spawn<caf::hidden>([=,
                               trace = trace_](caf::event_based_actor* self) {
    self->request(process, caf::infinite, ReadFrom{}).then([=](const Frame&) {
      trace->Add("read");
    });
    self->request(process, caf::infinite, Communicate{})
        .then([](const Communicated&) {},
              [=](const caf::error& why) {
                trace->Add(std::string(StatusOf(why).message()));
              });
  });
  ASSERT_TRUE(trace_->WaitFor("a read is waiting for this output"));
  EXPECT_EQ(trace_->Count("read"), 0u);
  caf::anon_send(process, CloseStdin{});
  ASSERT_TRUE(trace_->WaitFor("read"));
  EXPECT_EQ(Gather(process), "EXIT 0 out= err=");
}

TEST_F(ProcessCommunicateTest, RefusesBeforeALaunchAndBesideAnother) {
  Process process = NewProcess();
  EXPECT_EQ(Gather(process), "!the process was not launched");
  LaunchProcess launch = PipedLaunch({"sh", "-c", "read x; exec sleep 1000"});
  ASSERT_EQ(Launch(process, launch), "");
  AskInTrace<Communicated>("first", process, Communicate{});
  ASSERT_TRUE(Ask<StreamClosed>(process, WaitForClose{}).ok());
  EXPECT_EQ(Gather(process), "!another Communicate is waiting");
  ASSERT_TRUE(Do(process, KillProcess{}).ok());
  ASSERT_TRUE(trace_->WaitFor("first: EXIT -9 out= err="));
}

// Rows V6, V29: a child that ends at once, many at a time.
TEST_F(ProcessCommunicateTest, LosesNoOutputOfAQuickChild) {
  constexpr int kChildren = 100;
  for (int i = 0; i < kChildren; ++i) {
    AskInTrace<Communicated>(
        "run", NewProcess(),
        RunProcess{PipedLaunch({ChildProgram("write_both")})});
  }
  ASSERT_TRUE(trace_->WaitFor("run: EXIT 0 out=out err=err", kChildren));
}

// Row A2, ask 20: nobody is held up by the limit.
TEST_F(ProcessCommunicateTest, GathersTheBeginningAndTheEndOfAFlood) {
  LaunchProcess launch =
      PipedLaunch({ChildProgram("flood"), absl::StrCat(4 * kMiB)});
  launch.out.capture = {.head = 1000, .tail = 500};
  auto all = Ask<Communicated>(NewProcess(), RunProcess{launch});
  ASSERT_TRUE(all.ok()) << all.status();
  EXPECT_EQ(all->out->head.size(), 1000u);
  EXPECT_EQ(all->out->tail.size(), 500u);
  EXPECT_EQ(all->out->dropped, 4 * kMiB - 1500);
}

// -- RunProcess ---------------------------------------------------------------

TEST_F(ProcessCommunicateTest, RunsACommandToItsEnd) {
  EXPECT_EQ(Described(Ask<Communicated>(
                NewProcess(),
                RunProcess{PipedLaunch({"sh", "-c", "cat; echo e >&2; exit 3"}),
                           Bytes(std::string("in"))})),
            "EXIT 3 out=in err=e\n");
  EXPECT_THAT(Children(), IsEmpty());
}

TEST_F(ProcessCommunicateTest, SaysWhyACommandDoesNotRun) {
  Process process = NewProcess();
  EXPECT_THAT(Described(Ask<Communicated>(
                  process, RunProcess{PipedLaunch({"/no/such"})})),
              HasSubstr("No such file"));
  EXPECT_EQ(Described(Ask<Communicated>(process,
                                        RunProcess{PipedLaunch({"/no/such"})})),
            "!the process was launched already");
  EXPECT_THAT(Gather(process), HasSubstr("No such file"));
  EXPECT_THAT(Line(process), HasSubstr("No such file"));
}

// Row A1: the grandchild is named, and then it is stopped with its group.
TEST_F(ProcessCommunicateTest, GivesAGrandchildAGraceAndThenStopsIt) {
  absl::StatusOr<Communicated> all = absl::UnknownError("no answer");
  // Who asks lives on: it is not their end that stops the grandchild.
  caf::scoped_actor self(*system_);
  self->request(NewProcess(), kPatience,
                RunProcess{.launch = InGroup(PipedLaunch(
                               {"sh", "-c", "sleep 1000 & echo $!"})),
                           .grace = absl::Milliseconds(50)})
      .receive([&](Communicated& answer) { all = std::move(answer); },
               [&](const caf::error& why) { all = StatusOf(why); });
  ASSERT_TRUE(all.ok()) << all.status();
  EXPECT_EQ(Describe(all->exit), "EXIT 0");
  EXPECT_FALSE(all->drained);
  ASSERT_EQ(all->holders.size(), 2u);
  EXPECT_EQ(absl::StrCat(all->holders[0].pid, "\n"), all->out->head);
  EXPECT_EQ(all->holders[0].stream, ProcessStream::kStdout);
  EXPECT_EQ(all->holders[0].program, "sleep");
  EXPECT_EQ(all->holders[1].stream, ProcessStream::kStderr);
  EXPECT_TRUE(WaitUntilGone(all->exit.pid));
}

}  // namespace
}  // namespace troupe
