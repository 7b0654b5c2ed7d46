#include "tests/process/watcher_fixture.h"

#include <poll.h>

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "caf/send.hpp"
#include "signals/signal_relay.h"

namespace troupe {
namespace {

ChildObserver::behavior_type Listener(ChildObserver::pointer,
                                      std::shared_ptr<Trace> trace) {
  return {[=](const ChildExited& exited) {
    trace->Add(
        absl::StrCat(exited.pid, " ", exited.report.status.ReturnCode()));
  }};
}

}  // namespace

std::string NameOf(WatcherKind kind) {
  switch (kind) {
    case WatcherKind::kPidfd:
      return "Pidfd";
    case WatcherKind::kSafe:
      return "Safe";
    case WatcherKind::kFast:
      return "Fast";
    case WatcherKind::kMultiLoop:
      return "MultiLoop";
    case WatcherKind::kThreaded:
      return "Threaded";
  }
  return "";
}

WatcherTest::WatcherTest() {
  auto own = IoThread::Start(
      *system_,
      {.name = "troupe.own", .debug = [log = log_](absl::string_view line) {
         log->Add(std::string(line));
       }});
  EXPECT_TRUE(own.ok()) << own.status();
  own_ = *std::move(own);
  auto relay = SpawnSignalRelay(host(), io());
  EXPECT_TRUE(relay.ok()) << relay.status();
  relay_ = *std::move(relay);
}

WatcherTest::~WatcherTest() {
  for (auto& [pid, watched] : children_) {
    (void)SignalProcess(watched.pidfd->get(), SIGKILL);
    (void)AwaitExit(ChildId::ByPidfd(watched.pidfd->get()));
    (void)Reap(ChildId::ByPidfd(watched.pidfd->get()));
  }
  watcher_ = ChildWatcher();
  own_.reset();
  relay_ = SignalRelay();
}

void WatcherTest::Use(WatcherKind kind) {
  kind_ = kind;
  Use(SpawnChildWatcher(kind, own_->host(), own_->actor(), relay_));
}

void WatcherTest::Use(ChildWatcher watcher) {
  watcher_ = std::move(watcher);
  EXPECT_TRUE(Info().active);
}

bool WatcherTest::IsAnyOf(std::initializer_list<WatcherKind> kinds) const {
  return std::find(kinds.begin(), kinds.end(), kind_) != kinds.end();
}

pid_t WatcherTest::NewChild(std::vector<std::string> argv) {
  auto child = Spawn({.argv = std::move(argv), .stdin_from = Stdio::Pipe()});
  EXPECT_TRUE(child.ok()) << child.status();
  const pid_t pid = child->pid;
  auto pidfd = std::make_shared<const OwnedFd>(std::move(child->pidfd));
  children_[pid] = {*std::move(child), pidfd};
  return pid;
}

void WatcherTest::WaitForEndOf(pid_t pid) {
  pollfd ended = {PidfdOf(pid)->get(), POLLIN, 0};
  EXPECT_EQ(poll(&ended, 1, 20000), 1);
}

std::string WatcherTest::Told(pid_t pid, int code) {
  return absl::StrCat(pid, " ", code);
}

bool WatcherTest::WasTold(pid_t pid) const {
  for (const std::string& event : trace_->events()) {
    if (absl::StartsWith(event, absl::StrCat(pid, " "))) return true;
  }
  return false;
}

ChildObserver WatcherTest::NewListener() {
  return system_->spawn<caf::hidden>(Listener, trace_);
}

std::string WatcherTest::Send(WatchChild request) {
  if (!request.observer) request.observer = NewListener();
  return std::string(
      Ask<WatchingChild>(watcher_, std::move(request)).status().message());
}

std::string WatcherTest::Watch(pid_t pid, ChildObserver observer,
                               bool replace) {
  return Send({pid, PidfdOf(pid), std::move(observer), replace});
}

std::string WatcherTest::WatchByPid(pid_t pid, ChildObserver observer) {
  return Send({pid, nullptr, std::move(observer)});
}

bool WatcherTest::Unwatch(pid_t pid) {
  auto answer = Ask<ChildUnwatched>(watcher_, UnwatchChild{pid});
  EXPECT_TRUE(answer.ok()) << answer.status();
  return answer.ok() && answer->was_watched;
}

WatcherInfo WatcherTest::Info() {
  auto info = Ask<WatcherInfo>(watcher_, AskWatcher{});
  EXPECT_TRUE(info.ok()) << info.status();
  return info.value_or(WatcherInfo());
}

std::string WatcherTest::Attach() {
  return std::string(
      Ask<WatcherAttached>(watcher_, AttachWatcher{}).status().message());
}

void WatcherTest::Detach() {
  auto answer = Ask<WatcherDetached>(watcher_, DetachWatcher{});
  EXPECT_TRUE(answer.ok() && answer->restored.ok());
}

absl::Status WatcherTest::Close() {
  auto answer = Ask<WatcherDetached>(watcher_, CloseWatcher{});
  return answer.ok() ? answer->restored : answer.status();
}

bool WatcherTest::Logged(absl::string_view part) const {
  for (const std::string& line : log_->events()) {
    if (absl::StrContains(line, part)) return true;
  }
  return false;
}

char WatcherTest::Sigchld() {
  struct sigaction found = {};
  sigaction(SIGCHLD, nullptr, &found);
  if (found.sa_handler == SIG_DFL) return 'd';
  return found.sa_handler == SIG_IGN ? 'i' : 'c';
}

}  // namespace troupe
