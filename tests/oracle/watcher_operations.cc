#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <map>

#include "absl/strings/str_cat.h"
#include "io/os_error.h"
#include "process/exit_status.h"
#include "signals/signal_name.h"
#include "tests/oracle/child_words.h"
#include "tests/oracle/children.h"

namespace troupe {
namespace {

using Value = absl::StatusOr<std::string>;

template <class T>
Value Silent(const absl::StatusOr<T>& answer) {
  if (!answer.ok()) return answer.status();
  return "";
}

// -- children that nobody but the scenario knows ------------------------------

void AddChildren(Stage::Operations& operations,
                 const SharedChildren& children) {
  operations["child"] = [=](Stage&, const Words& words) -> Value {
    std::string shell = "sh", option = "-c", script = JoinWords(words, 1);
    char* const argv[] = {shell.data(), option.data(), script.data(), nullptr};
    pid_t& pid = children->pids()[words.at(0)];
    if (posix_spawn(&pid, "/bin/sh", nullptr, nullptr, argv, environ) != 0) {
      std::abort();
    }
    return "";
  };
  operations["stranger"] = [=](Stage&, const Words& words) -> Value {
    children->pids()[words.at(0)] = IntOf(words.at(1));
    return "";
  };
  operations["until-ended"] = [=](Stage&, const Words& words) -> Value {
    siginfo_t info;
    waitid(P_PID, children->pids().at(words.at(0)), &info, WEXITED | WNOWAIT);
    return "";
  };
  operations["take-status"] = [=](Stage&, const Words& words) -> Value {
    int status = 0;
    if (waitpid(children->pids().at(words.at(0)), &status, 0) < 0) {
      return InWords(OsError(errno, "waitpid"));
    }
    return absl::StrCat(ReturnCodeFromWaitStatus(status));
  };
  operations["kill-child"] = [=](Stage&, const Words& words) -> Value {
    kill(children->pids().at(words.at(0)), *SignalNumber(words.at(1)));
    return "";
  };
}

// -- the watcher --------------------------------------------------------------

ChildObserver::behavior_type TellExit(Resident<ChildObserver::base>* self,
                                      Stage* stage, Children* children,
                                      const std::string& name,
                                      const ChildWatcher& watcher) {
  return {[=](const ChildExited& exited) {
    const int code = exited.report.status.ReturnCode();
    self->send(watcher, ReapChild{exited.pid});
    Trace(absl::StrCat(name, " exit ", code));
    children->Happened(*stage, name, "exit");
  }};
}

void AddWatching(Stage::Operations& operations,
                 const SharedChildren& children) {
  operations["watcher"] = [=](Stage& stage, const Words& words) -> Value {
    static const std::map<std::string, WatcherKind> kinds = {
        {"pidfd", WatcherKind::kPidfd},
        {"safe", WatcherKind::kSafe},
        {"fast", WatcherKind::kFast},
        {"multi-loop", WatcherKind::kMultiLoop},
        {"threaded", WatcherKind::kThreaded}};
    children->UseWatcher(stage, kinds.at(words.at(0)));
    return "";
  };
  operations["watch"] = [=](Stage& stage, const Words& words) {
    const ChildWatcher& watcher = children->watcher(stage);
    WatchChild watch;
    watch.pid = children->pids().at(words.at(0));
    watch.replace = true;
    watch.observer =
        SpawnResident<caf::hidden>(stage.loop().host(), TellExit, &stage,
                                   children.get(), words.at(1), watcher);
    return Silent(Ask<WatchingChild>(stage, watcher, watch));
  };
  operations["unwatch"] = [=](Stage& stage, const Words& words) -> Value {
    auto unwatched =
        Ask<ChildUnwatched>(stage, children->watcher(stage),
                            UnwatchChild{children->pids().at(words.at(0))});
    if (!unwatched.ok()) return unwatched.status();
    return PythonBool(unwatched->was_watched);
  };
}

void AddListening(Stage::Operations& operations,
                  const SharedChildren& children) {
  operations["active"] = [=](Stage& stage, const Words&) -> Value {
    auto info = Ask<WatcherInfo>(stage, children->watcher(stage), AskWatcher{});
    if (!info.ok()) return info.status();
    return PythonBool(info->active);
  };
  operations["attach"] = [=](Stage& stage, const Words&) {
    return Silent(
        Ask<WatcherAttached>(stage, children->watcher(stage), AttachWatcher{}));
  };
  operations["detach"] = [=](Stage& stage, const Words&) {
    return Silent(
        Ask<WatcherDetached>(stage, children->watcher(stage), DetachWatcher{}));
  };
  operations["close-watcher"] = [=](Stage& stage, const Words&) {
    return Silent(
        Ask<WatcherDetached>(stage, children->watcher(stage), CloseWatcher{}));
  };
}

}  // namespace

void AddWatcherOperations(Stage::Operations& operations,
                          const SharedChildren& children) {
  AddChildren(operations, children);
  AddWatching(operations, children);
  AddListening(operations, children);
}

}  // namespace troupe
