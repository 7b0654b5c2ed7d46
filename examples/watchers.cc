// Shows: asyncio's five child watchers side by side behind one interface: how
//        each tells an exit and a kill, whether SIGCHLD is caught for it, and
//        the time of a child from start to exit.
// Run:   ./bazelw run //examples:watchers
// See:   a line for each. One after the other, because `fast` takes whatever
//        has ended, from the others, too.
#include <signal.h>

#include <chrono>
#include <cstdio>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "actors/config.h"
#include "actors/system.h"
#include "caf/actor_system.hpp"
#include "caf/scoped_actor.hpp"
#include "io/status_error.h"
#include "process/child_watcher.h"
#include "process/process_messages.h"
#include "process/subprocess.h"

namespace {

using troupe::WatcherKind;

constexpr WatcherKind kKinds[] = {WatcherKind::kPidfd, WatcherKind::kSafe,
                                  WatcherKind::kFast, WatcherKind::kMultiLoop,
                                  WatcherKind::kThreaded};
constexpr int kChildren = 50;

template <class Answer, class Handle, class Request>
absl::StatusOr<Answer> Ask(caf::scoped_actor& self, const Handle& whom,
                           Request request) {
  absl::StatusOr<Answer> result = absl::UnknownError("no answer");
  self->request(whom, caf::infinite, std::move(request))
      .receive([&](Answer& answer) { result = std::move(answer); },
               [&](caf::error& why) { result = troupe::StatusOf(why); });
  return result;
}

// Runs a script with nobody to observe it, and says how it ended.
std::string Run(caf::scoped_actor& self,
                const troupe::ProcessServices& services,
                const std::string& script) {
  troupe::Subprocess child = troupe::SpawnSubprocess(services);
  troupe::StartProcess start;
  start.command.argv = {"sh", "-c", script};
  start.command.stdin_from = troupe::Stdio::Null();
  auto started = Ask<troupe::ProcessStarted>(self, child, std::move(start));
  if (!started.ok()) return std::string(started.status().message());
  auto exited = Ask<troupe::ProcessExited>(self, child, troupe::WaitForExit{});
  return exited.ok() ? exited->report.status.ToString()
                     : std::string(exited.status().message());
}

bool CatchesSigchld() {
  struct sigaction found = {};
  sigaction(SIGCHLD, nullptr, &found);
  return found.sa_handler != SIG_DFL && found.sa_handler != SIG_IGN;
}

bool Show(caf::scoped_actor& self, troupe::ProcessServices services) {
  auto info =
      Ask<troupe::WatcherInfo>(self, services.watcher, troupe::AskWatcher{});
  if (!info.ok() || !info->active) return false;
  const std::string exits = Run(self, services, "exit 3");
  const std::string dies = Run(self, services, "kill -TERM $$");
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < kChildren; ++i) Run(self, services, "exit 0");
  const std::chrono::duration<double, std::micro> took =
      std::chrono::steady_clock::now() - begin;
  std::printf("%-10s  %s, %s  SIGCHLD %s  %5.0f us\n", info->kind.c_str(),
              exits.c_str(), dies.c_str(),
              CatchesSigchld() ? "caught" : "left  ", took.count() / kChildren);
  return Ask<troupe::WatcherDetached>(self, services.watcher,
                                      troupe::CloseWatcher{})
      .ok();
}

}  // namespace

int main() {
  troupe::Config config;
  caf::actor_system actors(config);
  auto system = troupe::System::Start(actors);
  if (!system.ok()) return 1;
  auto relay = (*system)->Signals();  // for those that need SIGCHLD
  if (!relay.ok()) return 1;
  caf::scoped_actor self(actors);
  for (WatcherKind kind : kKinds) {
    troupe::ProcessServices services = (*system)->processes();
    services.watcher =
        troupe::SpawnChildWatcher(kind, *services.host, services.io, *relay);
    if (!Show(self, std::move(services))) return 1;
  }
  return 0;
}
