#include "tests/oracle/children.h"

#include <cstdlib>

#include "tests/oracle/operations.h"

namespace troupe {

ChildOptions Children::TakeOptions(const std::string& name) {
  return std::exchange(options_[name], {});
}

ChildWatcher& Children::watcher(Stage& stage) {
  if (!watcher_) UseWatcher(stage, WatcherKind::kPidfd);
  return watcher_;
}

void Children::UseWatcher(Stage& stage, WatcherKind kind) {
  SignalRelay relay;
  if (kind != WatcherKind::kPidfd && kind != WatcherKind::kThreaded) {
    auto started = stage.system().Signals();
    if (!started.ok()) std::abort();
    relay = *started;
  }
  watcher_ =
      SpawnChildWatcher(kind, stage.loop().host(), stage.loop().io(), relay);
}

ProcessServices Children::services(Stage& stage) {
  return {.host = &stage.loop().host(),
          .io = stage.loop().io(),
          .spawner = stage.system().processes().spawner,
          .watcher = watcher(stage),
          .proc_reader = stage.system().processes().proc_reader};
}

void Children::Happened(Stage& stage, const std::string& name,
                        const std::string& event) {
  events_.insert({name, event});
  if (awaited_ == Event(name, event)) {
    awaited_.reset();
    stage.loop().Stop();
  }
  stage.Perform(name + "-" + event);
}

void Children::Until(Stage& stage, const std::string& name,
                     const std::string& event, bool again) {
  if (again) events_.erase({name, event});
  if (events_.count({name, event}) > 0) return;
  awaited_ = Event(name, event);
  (void)stage.loop().RunForever();
}

void AddChildOperations(Stage::Operations& operations) {
  auto children = std::make_shared<Children>();
  AddCommandOperations(operations, children);
  AddSubprocessOperations(operations, children);
  AddProcessOperations(operations, children);
  AddReadingOperations(operations, children);
  AddWatcherOperations(operations, children);
}

}  // namespace troupe
