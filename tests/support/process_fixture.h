// The actors of process around an actor system with an I/O thread, and an
// observer that writes down what a subprocess tells it: `CM`, `DATA 1 'out'`,
// `PCL 1` or `PCL 1 (text)`, `EXIT -9`, `CL`, `PAUSE`, `RESUME`, the names of
// the golden traces of docs/asyncio.md.
//
//   Subprocess child = NewSubprocess();
//   ASSERT_EQ(Start(child, Piped({ChildProgram("wait_for_eof")})), "");
//   trace_->WaitFor("DATA 1 'r'");
#ifndef TROUPE_TESTS_SUPPORT_PROCESS_FIXTURE_H_
#define TROUPE_TESTS_SUPPORT_PROCESS_FIXTURE_H_

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "caf/event_based_actor.hpp"
#include "caf/scoped_actor.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "io/status_error.h"
#include "process/process_messages.h"
#include "process/subprocess.h"
#include "tests/support/child_program.h"
#include "tests/support/io_fixture.h"

namespace troupe {

// What a test's observer does beside writing down; runs in its handlers.
struct ObserverScript {
  std::function<void(ProcessOutput&)> output;  // may keep the credit
  bool note_output = true;                     // false: only counted in Size()
};

// What one observer got, from any thread.
class Received {
 public:
  void Add(const ProcessOutput& output, bool keep);
  std::string Text(ProcessStream stream) const;
  size_t Size(ProcessStream stream) const;

 private:
  mutable std::mutex mutex_;
  std::string text_[3];
  size_t size_[3] = {};
};

// "EXIT 3" and the like.
std::string Describe(const ProcessExited& exited);

class ProcessTest : public IoTest {
 protected:
  ProcessTest();
  ~ProcessTest() override;

  // Ends what the fixture has started, in the order of System; for tests that
  // look at what is left. The destructor does it otherwise.
  void StopIo();
  void StopAll();

  ProcessServices services() const;
  Subprocess NewSubprocess() { return SpawnSubprocess(services()); }

  // On a worker; alive as long as somebody has a handle.
  ProcessObserver NewObserver(ObserverScript script = {});

  // All three streams piped, or all /dev/null; no observer yet.
  static StartProcess Piped(std::vector<std::string> argv);
  static StartProcess Quiet(std::vector<std::string> argv);
  // The same in a process group of its own.
  static StartProcess InGroup(StartProcess start);

  // Starts with `request.observer`, or a new observer if there is none. Waits
  // for the answer: "" or the error's text. Sets pid_.
  std::string Start(const Subprocess& child, StartProcess request);

  // Sends a request and waits for the answer.
  template <class Answer, class Handle, class Request>
  absl::StatusOr<Answer> Ask(const Handle& to, Request request) {
    absl::StatusOr<Answer> result = absl::UnknownError("no answer");
    caf::scoped_actor self(*system_);
    self->request(to, kPatience, std::move(request))
        .receive([&](Answer& answer) { result = std::move(answer); },
                 [&](caf::error& why) { result = StatusOf(why); });
    return result;
  }
  // For requests that are answered by nothing or by an error.
  template <class Handle, class Request>
  absl::Status Do(const Handle& to, Request request) {
    absl::Status result;
    caf::scoped_actor self(*system_);
    self->request(to, kPatience, std::move(request))
        .receive([] {}, [&](caf::error& why) { result = StatusOf(why); });
    return result;
  }

  // Sends a request and writes the answer into the trace when it comes:
  // `label: EXIT 0`, `label: CL`, `label: ok` or `label: error text`.
  template <class Answer, class Handle, class Request>
  void AskLater(const std::string& label, const Handle& to, Request request) {
    system_->spawn<caf::hidden>(
        [trace = trace_, label, to, request](caf::event_based_actor* self) {
          self->request(to, caf::infinite, request)
              .then(
                  [=](const Answer& answer) {
                    trace->Add(absl::StrCat(label, ": ", Named(answer)));
                  },
                  [=](const caf::error& why) {
                    trace->Add(absl::StrCat(
                        label, ": ", std::string(StatusOf(why).message())));
                  });
        });
  }

  // True when `pid` is no process any more, not even a zombie.
  static bool IsGone(pid_t pid);
  // One letter of proc(5), '-' when it is gone.
  static char StateOf(pid_t pid);
  // True when it does not run any more; who reaps it is not our business.
  static bool IsDead(pid_t pid);

  // Wait for that; a failure of the test if it does not come, and false. An end
  // shows at a pidfd. That somebody has reaped shows nowhere: the pidfd of a
  // zombie is readable already (pidfd_open(2)). But he is at it, a thread of
  // ours for the most part, so the rest is a matter of yielding.
  static void WaitUntilDead(pid_t pid);
  static bool WaitUntilGone(pid_t pid);
  // Returns when we have no child, not even a zombie.
  static void WaitForNoChildren();

  // Moves the race of a round to another moment.
  static void SpinFor(std::chrono::steady_clock::duration time);

  // Sends SIGSTOP to the child of the last start; returns when it stands still.
  void Freeze(const Subprocess& child);

  std::string Out() const { return got_->Text(ProcessStream::kStdout); }
  size_t OutSize() const { return got_->Size(ProcessStream::kStdout); }
  // What a child prints in its first line; waits for it.
  pid_t PrintedPid();
  std::string Err() const { return got_->Text(ProcessStream::kStderr); }

  pid_t pid_ = -1;  // of the last start
  std::shared_ptr<Received> got_ = std::make_shared<Received>();

  std::unique_ptr<IoThread> spawner_thread_;
  Spawner spawner_;
  ChildWatcher watcher_;
  ProcReader proc_reader_;

  static constexpr auto kPatience = std::chrono::seconds(20);

 private:
  static std::string Named(const ProcessExited& e) { return Describe(e); }
  static std::string Named(const ProcessEnded&) { return "CL"; }
  static std::string Named(const ProcessStarted&) { return "CM"; }
  static std::string Named(const Drained& d) {
    return absl::StrCat("drained ", d.buffered);
  }
};

}  // namespace troupe

#endif  // TROUPE_TESTS_SUPPORT_PROCESS_FIXTURE_H_
