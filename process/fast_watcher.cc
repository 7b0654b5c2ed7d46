#include "process/fast_watcher.h"

#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "io/timer_id.h"
#include "process/reap.h"
#include "process/sigchld_lease.h"
#include "process/unknown_exits.h"
#include "process/watcher_state.h"

namespace troupe {
namespace {

class FastSource : public ExitSource {
 public:
  FastSource(WatcherState& watcher, IoActor io, SignalRelay relay,
             FastWatcherOptions options)
      : watcher_(watcher),
        io_(std::move(io)),
        lease_(watcher, std::move(relay)),
        options_(options),
        unknown_(options.keep) {}

  const Kind& kind() const override {
    static constexpr Kind kKind = {.name = "fast"};
    return kKind;
  }
  void Attach(Done done) override { lease_.Begin(std::move(done)); }
  void Detach(Done done) override {
    ask_due_ = false;
    lease_.End(std::move(done));
  }
  void Add(pid_t pid, SharedFd&, Done done) override;
  void AskAll() override;
  void OnSignal() override;
  void OnTimer() override;
  void Clear() override;
  bool OnDown(const caf::actor_addr& who) override { return lease_.IsOf(who); }

 private:
  // Reaps all that have ended; whether there was any.
  bool Sweep();
  void Ask(pid_t pid);
  void NoteUnknown(const ReapedChild& child);
  void Name(const std::vector<ReapedChild>& strangers);
  void StartTimer();

  WatcherState& watcher_;
  IoActor io_;
  SigchldLease lease_;
  FastWatcherOptions options_;
  UnknownExits unknown_;
  bool timer_runs_ = false;
  bool ask_due_ = false;  // all children, when it fires
};

void FastSource::Add(pid_t pid, SharedFd&, Done done) {
  done(absl::OkStatus());
  Ask(pid);
}

// A child that is there, alive or as a zombie, is not the one of that pid of
// which something is kept.
void FastSource::Ask(pid_t pid) {
  while (watcher_.IsAwaited(pid)) {
    auto report = watcher_.Look(pid);
    if (report.ok() && !report->has_value()) return;
    if (report.ok() && !(*report)->status.lost()) {
      if (!Sweep()) return;  // somebody else was faster; we will hear
      continue;
    }
    auto kept = unknown_.Take(pid);
    watcher_.Tell(pid, kept.value_or(ExitReport()), kept.has_value());
  }
}

void FastSource::AskAll() {
  Sweep();
  for (pid_t pid : watcher_.Awaited()) Ask(pid);
}

// One SIGCHLD may stand for many (C27), and for one that somebody else took.
// When thousands end together most of them find nobody, because the first took
// all: to ask each child at each of those would be thousands times thousands.
void FastSource::OnSignal() {
  if (Sweep()) return;
  ask_due_ = true;
  if (!timer_runs_) StartTimer();
}

bool FastSource::Sweep() {
  bool any = false;
  while (true) {
    auto reaped = ReapAny();
    if (!reaped.ok() || !reaped->has_value()) return any;
    any = true;
    const ReapedChild& child = **reaped;
    if (watcher_.IsAwaited(child.pid)) {
      watcher_.Tell(child.pid, child.report, /*reaped=*/true);
    } else {
      NoteUnknown(child);
    }
  }
}

void FastSource::NoteUnknown(const ReapedChild& child) {
  unknown_.Add(child);
  watcher_.Log(absl::StrCat("unknown process ", child.pid,
                            " exited with returncode ",
                            child.report.status.ReturnCode()));
  if (options_.grace <= absl::ZeroDuration()) {
    Name(unknown_.Unnamed());
  } else if (!timer_runs_) {
    StartTimer();
  }
}

void FastSource::StartTimer() {
  timer_runs_ = true;
  WatcherState::Self* self = watcher_.self();
  self->send(io_, troupe::StartTimer{TimerId::Next(), options_.grace,
                                     TimerObserver(self)});
}

void FastSource::OnTimer() {
  timer_runs_ = false;
  if (std::exchange(ask_due_, false)) AskAll();
  Name(unknown_.Mature());
  if (unknown_.AnyUnnamed()) StartTimer();
}

void FastSource::Name(const std::vector<ReapedChild>& strangers) {
  for (const ReapedChild& child : strangers) {
    watcher_.Log(absl::StrCat(
        "Caught subprocess termination from unknown pid: ", child.pid, " -> ",
        child.report.status.ReturnCode()));
  }
}

void FastSource::Clear() {
  auto unnamed = unknown_.Unnamed();
  unknown_.Clear();
  if (unnamed.empty()) return;
  watcher_.Log(absl::StrCat(
      "Caught subprocesses termination from unknown pids: {",
      absl::StrJoin(unnamed, ", ",
                    [](std::string* out, const ReapedChild& child) {
                      absl::StrAppend(out, child.pid, ": ",
                                      child.report.status.ReturnCode());
                    }),
      "}"));
}

}  // namespace

ChildWatcher SpawnFastWatcher(IoHost& host, const IoActor& io,
                              const SignalRelay& relay,
                              FastWatcherOptions options) {
  return SpawnWatcher(host, [=](WatcherState& watcher) {
    return std::make_unique<FastSource>(watcher, io, relay, options);
  });
}

}  // namespace troupe
