// What tests of Process share: launches, and questions that are waited for.
#ifndef TROUPE_TESTS_PROCESS_RUNNING_PROCESS_H_
#define TROUPE_TESTS_PROCESS_RUNNING_PROCESS_H_

#include <signal.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "caf/event_based_actor.hpp"
#include "caf/scoped_actor.hpp"
#include "caf/send.hpp"
#include "gtest/gtest.h"
#include "io/status_error.h"
#include "process/process.h"
#include "tests/support/process_fixture.h"

namespace troupe {

class RunningProcessTest : public ProcessTest {
 protected:
  Process NewProcess() { return SpawnProcess(services()); }

  static LaunchProcess PipedLaunch(std::vector<std::string> argv) {
    return LaunchProcess{.command = Piped(std::move(argv)).command};
  }
  static LaunchProcess QuietLaunch(std::vector<std::string> argv) {
    return LaunchProcess{.command = Quiet(std::move(argv)).command};
  }
  static LaunchProcess InGroup(LaunchProcess launch) {
    launch.command.group = ProcessGroup::kNewGroup;
    return launch;
  }

  // "" or the error's text; sets pid_.
  std::string Launch(const Process& process, LaunchProcess launch) {
    auto started = Ask<ProcessStarted>(process, std::move(launch));
    if (!started.ok()) return std::string(started.status().message());
    pid_ = started->pid;
    return "";
  }

  // The frame's bytes, behind "long ", "end " or "cut " for parts; the error's
  // text behind "!".
  static std::string Described(const absl::StatusOr<Frame>& frame) {
    if (!frame.ok()) return absl::StrCat("!", frame.status().message());
    const char* kind = frame->kind == Frame::Kind::kTooLong      ? "long "
                       : frame->kind == Frame::Kind::kTooLongEnd ? "end "
                       : frame->kind == Frame::Kind::kIncomplete ? "cut "
                                                                 : "";
    return absl::StrCat(kind, frame->bytes.view());
  }
  std::string Read(const Process& process, ReadFrom::What what,
                   ProcessStream stream = ProcessStream::kStdout) {
    return Described(
        Ask<Frame>(process, ReadFrom{.stream = stream, .what = what}));
  }
  std::string Line(const Process& process) { return Read(process, ReadLine{}); }

  // "EXIT 0 out=... err=...", with '-' for what is no pipe.
  static std::string Described(const absl::StatusOr<Communicated>& all) {
    if (!all.ok()) return absl::StrCat("!", all.status().message());
    return absl::StrCat(Describe(all->exit),
                        " out=", all->out ? all->out->ToString() : "-",
                        " err=", all->err ? all->err->ToString() : "-");
  }
  std::string Gather(const Process& process, Communicate request = {}) {
    return Described(Ask<Communicated>(process, std::move(request)));
  }

  // Asks in an actor of its own, which is returned, and writes the answer into
  // the trace behind `label: `.
  template <class Answer, class Request>
  caf::actor AskInTrace(const std::string& label, const Process& to,
                        Request request) {
    return system_->spawn<caf::hidden>(
        [=, trace = trace_](caf::event_based_actor* self) -> caf::behavior {
          self->request(to, caf::infinite, request)
              .then(
                  [=](const Answer& answer) {
                    trace->Add(absl::StrCat(
                        label, ": ",
                        Described(absl::StatusOr<Answer>(answer))));
                  },
                  [=](const caf::error& why) {
                    trace->Add(
                        absl::StrCat(label, ": !", StatusOf(why).message()));
                  });
          return {[](int) {}};
        });
  }
  static std::string Described(const absl::StatusOr<ProcessDrained>& drained) {
    return absl::StrCat(Describe(drained->exit),
                        drained->drained ? " drained" : " held");
  }
  static std::string Described(const absl::StatusOr<ProcessExited>& exited) {
    return Describe(*exited);
  }
  static std::string Described(const absl::StatusOr<ProcessStarted>&) {
    return "CM";
  }
  static std::string Described(const absl::StatusOr<ProcessEnded>&) {
    return "CL";
  }
  static std::string Described(const absl::StatusOr<StreamClosed>& closed) {
    return absl::StrCat("PCL ", static_cast<int>(closed->stream));
  }

  // hold_stdout has printed the pid of its grandchild.
  static pid_t PidIn(const std::string& text) {
    int pid = -1;
    EXPECT_TRUE(absl::SimpleAtoi(text, &pid)) << text;
    return pid;
  }
};

}  // namespace troupe

#endif  // TROUPE_TESTS_PROCESS_RUNNING_PROCESS_H_
