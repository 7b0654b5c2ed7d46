// What a subprocess knows and does. One class in five sources, by subject: the
// way to a running child, its streams, the ways to stop it, how it stands, and
// its end.
//
// Every handler runs on the services' host.
#ifndef TROUPE_PROCESS_SUBPROCESS_STATE_H_
#define TROUPE_PROCESS_SUBPROCESS_STATE_H_

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "caf/typed_event_based_actor.hpp"
#include "caf/typed_response_promise.hpp"
#include "io/io_messages.h"
#include "io/monitors.h"
#include "io/owned_fd.h"
#include "io/resident.h"
#include "process/child_stop.h"
#include "process/child_streams.h"
#include "process/command.h"
#include "process/process_messages.h"
#include "process/subprocess.h"

namespace troupe {

using SubprocessInterface = Subprocess::extend<
    caf::reacts_to<ConnectionMade>, caf::reacts_to<DataReceived>,
    caf::reacts_to<EofReceived>, caf::reacts_to<ConnectionLost>,
    caf::reacts_to<PauseWriting>, caf::reacts_to<ResumeWriting>,
    caf::reacts_to<ChildExited>, caf::reacts_to<TimerFired>>;

class SubprocessState {
 public:
  static constexpr const char* name = "subprocess";
  using Self = SubprocessInterface::stateful_base<SubprocessState>;

  explicit SubprocessState(Self* self) : self_(self) {}
  ~SubprocessState();

  void Init(ProcessServices services) { services_ = std::move(services); }

  // subprocess_start.cc
  caf::result<ProcessStarted> Start(StartProcess& request);

  // subprocess_streams.cc
  caf::result<Drained> WriteStdin(Write& write);
  void CloseStdin();
  caf::result<void> Resize(const ResizePty& resize);
  void CloseStreams(std::optional<ProcessStream> only = std::nullopt);
  void CloseWhenSilent(absl::Duration silence);
  void OnOutput(DataReceived& data);
  void OnStreamLost(const ConnectionLost& lost);

  // subprocess_stop.cc
  caf::result<void> Signal(const SendSignal& signal);
  caf::result<ProcessExited> Stop(const StopProcess& request);
  caf::result<ProcessDetached> Detach();
  void OnTimer(TimerId timer);
  void OnObserverDown();

  // subprocess_info.cc
  caf::result<ProcessInfo> Info();
  caf::result<StreamHolders> ListHolders();

  // subprocess_state.cc
  caf::result<ProcessExited> WaitForExit();
  caf::result<ProcessEnded> WaitForEnd();
  void OnExit(const ChildExited& exited);
  template <class T>
  void Tell(T message) {
    if (observer_) self_->send(observer_, std::move(message));
  }

 private:
  enum class Phase {
    kIdle,
    kSpawning,  // the spawner has it, or the watcher is being told
    kRunning,
    kExited,  // a zombie until reaped_
  };

  template <class T>
  using Promise = caf::typed_response_promise<T>;
  using TimePoint = ChildStop::TimePoint;

  TimePoint Now() const { return services_.host->clock().Now(); }

  void Spawn(SpawnChild child);
  void Spawned(ChildSpawned& spawned);
  void Watched(ChildSpawned& spawned);
  void Failed(const caf::error& why);
  void FailWaiters(const caf::error& why);
  void ConnectStreams(ChildSpawned& spawned);
  void StreamFailed(ProcessStream stream, const caf::error& why);
  void CloseStream(ProcessStream stream, absl::Status why,
                   size_t bytes_lost = 0);
  void MaybeEnd();

  bool debug() const {
    return services_.host != nullptr && services_.host->debug_sink();
  }
  ProcessInfo BriefInfo() const;  // without its streams
  void SayExecute(const Command& command);
  void SayCreated();
  void SayExited();
  void SayUnclosed();

  void StopWhenRunning(StopPlan plan);
  void BeginStop(StopPlan plan);
  void GoOn(ChildStop::Next next);
  void ListGroup();
  void GiveUpStop();
  void FinishStop();
  void Reap();
  void SetTimer(std::optional<TimePoint> when);

  Self* self_;
  ProcessServices services_;
  std::string program_;  // in debug mode, escaped
  Phase phase_ = Phase::kIdle;
  bool reaped_ = false;
  bool ended_ = false;
  Monitor monitor_;           // of the observer
  ProcessObserver observer_;  // until it dies or has been told all
  bool orphaned_ = false;     // it died
  bool plan_due_ = false;     // and its plan has not been walked yet
  StopPlan plan_;
  bool keep_group_ = false;
  bool dies_with_us_ = false;  // it has a parent-death signal
  bool detached_ = false;
  std::shared_ptr<SpawnAttempt> attempt_;
  TimePoint spawn_deadline_;
  Promise<ProcessStarted> starting_;  // empty when it is answered
  std::shared_ptr<ChildLease> child_;
  TimePoint started_at_;
  ChildStreams streams_;
  OwnedFd terminal_;  // as long as a stream of the pty is open
  bool streams_given_up_ = false;
  ProcessExited exit_;  // valid in kExited

  std::optional<ChildStop> stop_;
  std::optional<StopPlan> stop_when_running_;
  TimerId timer_;  // of the spawn, then of the stop
  TimerObserver silence_watch_;
  std::vector<Promise<ProcessExited>> stop_waiters_;
  std::vector<Promise<ProcessExited>> exit_waiters_;
  std::vector<Promise<ProcessEnded>> end_waiters_;
};

}  // namespace troupe

#endif  // TROUPE_PROCESS_SUBPROCESS_STATE_H_
