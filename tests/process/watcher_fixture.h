// A child watcher of any kind on an I/O thread of its own, the signal relay on
// the fixture's, children that end when they are told to, and observers that
// write down `pid code`.
//
//   Use(WatcherKind::kSafe);
//   pid_t a = NewChild();
//   ASSERT_EQ(Watch(a), "");
//   End(a);
//   trace_->WaitFor(Told(a, 0));
#ifndef TROUPE_TESTS_PROCESS_WATCHER_FIXTURE_H_
#define TROUPE_TESTS_PROCESS_WATCHER_FIXTURE_H_

#include <signal.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "process/child_watcher.h"
#include "process/reap.h"
#include "process/spawn.h"
#include "signals/signal_messages.h"
#include "tests/support/process_fixture.h"

namespace troupe {

// "Pidfd", for the names of tests.
std::string NameOf(WatcherKind kind);

class WatcherTest : public ProcessTest {
 protected:
  WatcherTest();
  ~WatcherTest() override;

  // A watcher on the thread of its own; watcher_ when it listens.
  void Use(WatcherKind kind);
  // For those that are made otherwise: waits until it listens.
  void Use(ChildWatcher watcher);
  WatcherKind kind() const { return kind_; }
  bool IsAnyOf(std::initializer_list<WatcherKind> kinds) const;

  // Runs until End. Of the fixture's own children, all are gone after the test.
  pid_t NewChild() { return NewChild({ChildProgram("copy_input")}); }
  pid_t NewChild(std::vector<std::string> argv);
  SharedFd PidfdOf(pid_t pid) { return children_.at(pid).pidfd; }
  void End(pid_t pid) { children_.at(pid).child.stdin_pipe.Close(); }
  void Kill(pid_t pid, int number) {
    (void)SignalProcess(PidfdOf(pid)->get(), number);
  }
  // Waits until the child has ended, whether it is reaped or not.
  void WaitForEndOf(pid_t pid);
  // Takes its status away from whoever watches it.
  void Steal(pid_t pid) { (void)Reap(ChildId::ByPidfd(PidfdOf(pid)->get())); }

  static std::string Told(pid_t pid, int code);
  bool WasTold(pid_t pid) const;
  ChildObserver NewListener();
  // The error's text, or "". By the pidfd if the child is the fixture's own.
  std::string Watch(pid_t pid, ChildObserver observer = {},
                    bool replace = false);
  std::string WatchByPid(pid_t pid, ChildObserver observer = {});
  std::string Send(WatchChild request);
  bool Unwatch(pid_t pid);
  WatcherInfo Info();
  std::string Attach();
  void Detach();
  absl::Status Close();

  // Whether a line of the watcher's log has this in it.
  bool Logged(absl::string_view part) const;
  bool WaitForLog(const std::string& line) { return log_->WaitFor(line); }

  // 'd'efault, 'i'gnored or 'c'aught, as the kernel has it.
  static char Sigchld();

  std::unique_ptr<IoThread> own_;
  SignalRelay relay_;
  std::shared_ptr<Trace> log_ = std::make_shared<Trace>();

 private:
  struct Watched {
    SpawnedChild child;
    SharedFd pidfd;
  };

  WatcherKind kind_ = WatcherKind::kPidfd;
  std::map<pid_t, Watched> children_;
};

}  // namespace troupe

#endif  // TROUPE_TESTS_PROCESS_WATCHER_FIXTURE_H_
