// The child processes of a scenario on Troupe's side, by name: what the next
// start is given, who is told, what has happened. They live on the loop's
// thread, watcher and all, so that nothing happens while the loop does not run,
// as in asyncio.
#ifndef TROUPE_TESTS_ORACLE_CHILDREN_H_
#define TROUPE_TESTS_ORACLE_CHILDREN_H_

#include <sys/types.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "caf/error.hpp"
#include "caf/event_based_actor.hpp"
#include "caf/send.hpp"
#include "io/framing/frame.h"
#include "io/resident.h"
#include "io/status_error.h"
#include "process/child_watcher.h"
#include "process/command.h"
#include "process/process.h"
#include "process/process_actor_messages.h"
#include "process/process_messages.h"
#include "process/subprocess.h"
#include "tests/oracle/child_words.h"
#include "tests/oracle/stage.h"

namespace troupe {

struct ChildOptions {
  Command command;
  std::set<int> chosen;  // of the three streams
  size_t line_limit = kDefaultFrameLimit;
};

// One child: a subprocess, or a process.
struct OracleChild {
  Subprocess subprocess = {};
  Process process = {};
  pid_t pid = -1;
  std::optional<int> code = std::nullopt;
  std::map<ProcessStream, std::string> data = {};  // and not traced yet
};

class Children {
 public:
  ChildOptions& options(const std::string& name) { return options_[name]; }
  // What was chosen for it; it is forgotten then.
  ChildOptions TakeOptions(const std::string& name);

  OracleChild& child(const std::string& name) { return children_[name]; }
  // Of children that no process is known for.
  std::map<std::string, pid_t>& pids() { return pids_; }

  ChildWatcher& watcher(Stage& stage);
  void UseWatcher(Stage& stage, WatcherKind kind);
  ProcessServices services(Stage& stage);

  // Remembers the event, then does the operations of `name-event`.
  void Happened(Stage& stage, const std::string& name,
                const std::string& event);
  // Runs the loop until it has happened, once more with `again`.
  void Until(Stage& stage, const std::string& name, const std::string& event,
             bool again = false);

 private:
  using Event = std::pair<std::string, std::string>;

  std::map<std::string, ChildOptions> options_;
  std::map<std::string, OracleChild> children_;
  std::map<std::string, pid_t> pids_;
  ChildWatcher watcher_;
  std::set<Event> events_;
  std::optional<Event> awaited_;
};

using SharedChildren = std::shared_ptr<Children>;

// What they do and which there are: scenario.py.
void AddCommandOperations(Stage::Operations& operations,
                          const SharedChildren& children);
void AddSubprocessOperations(Stage::Operations& operations,
                             const SharedChildren& children);
void AddProcessOperations(Stage::Operations& operations,
                          const SharedChildren& children);
void AddReadingOperations(Stage::Operations& operations,
                          const SharedChildren& children);
void AddWatcherOperations(Stage::Operations& operations,
                          const SharedChildren& children);

// Asks and runs the loop until there is an answer, for so long at most. The
// error is in both players' words.
template <class Answer, class Handle, class Request>
absl::StatusOr<Answer> Ask(Stage& stage, const Handle& whom,
                           const Request& request,
                           absl::Duration most = absl::InfiniteDuration()) {
  bool late = false;
  CallHandle timer;
  if (most != absl::InfiniteDuration()) {
    timer = stage.loop().CallLater(most, [&] {
      late = true;
      stage.loop().Stop();
    });
  }
  auto answer = stage.loop().RunUntilComplete<Answer>(whom, request);
  timer.Cancel();
  if (answer.ok()) return answer;
  return InWords(late ? absl::DeadlineExceededError("") : answer.status());
}

// The same for a request that is answered by nothing; within a callback it is
// only sent.
template <class Handle, class Request>
absl::Status Tell(Stage& stage, const Handle& whom, const Request& request) {
  if (stage.loop().IsRunning()) {
    caf::anon_send(whom, request);
    return absl::OkStatus();
  }
  absl::Status answer;
  caf::actor asker = SpawnResident<caf::hidden>(
      stage.loop().host(), [&](Resident<caf::event_based_actor>* self) {
        self->request(whom, caf::infinite, request)
            .then([&] { stage.loop().Stop(); },
                  [&](const caf::error& why) {
                    answer = StatusOf(why);
                    stage.loop().Stop();
                  });
      });
  (void)stage.loop().RunForever();
  return InWords(answer);
}

}  // namespace troupe

#endif  // TROUPE_TESTS_ORACLE_CHILDREN_H_
