// What a Process knows and does. One class in four sources, by subject: the
// launch and the ways to its end, reading and observing, and who waits for all
// of it.
//
// Every handler runs on the services' host.
#ifndef TROUPE_PROCESS_PROCESS_STATE_H_
#define TROUPE_PROCESS_PROCESS_STATE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "caf/actor_addr.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "caf/typed_response_promise.hpp"
#include "io/io_messages.h"
#include "io/monitors.h"
#include "io/resident.h"
#include "process/output_store.h"
#include "process/process_actor_messages.h"
#include "process/process_messages.h"
#include "process/subprocess.h"
#include "process/timer_calls.h"

namespace troupe {

using ProcessInterface =
    Process::extend<caf::reacts_to<ProcessStarted>,
                    caf::reacts_to<ProcessOutput>, caf::reacts_to<StreamClosed>,
                    caf::reacts_to<ProcessExited>, caf::reacts_to<ProcessEnded>,
                    caf::reacts_to<PauseWriting>, caf::reacts_to<ResumeWriting>,
                    caf::reacts_to<TimerFired>>;

class ProcessState {
 public:
  static constexpr const char* name = "process";
  using Self = ProcessInterface::stateful_base<ProcessState>;

  explicit ProcessState(Self* self) : self_(self) {}
  ~ProcessState();

  void Init(const ProcessServices& services);
  const Subprocess& subprocess() const { return subprocess_; }

  // process_launch.cc
  caf::result<ProcessStarted> Launch(LaunchProcess& request);
  caf::result<Communicated> Run(RunProcess& request);
  caf::result<ProcessExited> Stop(StopProcess& request);
  caf::result<ProcessEnded> Close();
  void OnExit(const ProcessExited& exit);
  void OnTimer(TimerId timer) { timers_->Run(timer); }
  void OnDown(const caf::actor_addr& who);

  // process_output.cc
  caf::result<Frame> Read(ReadFrom& request);
  caf::result<void> Observe(ObserveOutput& request);
  caf::result<StreamClosed> WaitForClose(ProcessStream stream);
  void OnOutput(ProcessOutput& output);
  void OnClosed(const StreamClosed& closed);

  // process_waits.cc
  caf::result<Communicated> Gather(Communicate& request);
  caf::result<ProcessDrained> WaitForDrained(const WaitForDrained& request);

 private:
  template <class T>
  using Promise = caf::typed_response_promise<T>;

  // One of the two output streams.
  struct Output {
    std::optional<OutputStore> store;  // if it is a pipe
    std::vector<OutputObserver> observers;
  };
  struct WaitingRead {
    ProcessStream stream;
    OutputStore::ReadId id = 0;
    caf::actor_addr asker;
    TimerId timer = {};
  };
  struct Gathering {
    uint64_t number = 0;
    Promise<Communicated> promise = {};
    caf::actor_addr asker = {};
    absl::Duration grace = absl::InfiniteDuration();
    bool close_after = false;  // RunProcess
    bool concluding = false;
    bool awaits_feeding = false;  // and then has
    std::vector<StreamHolder> holders = {};
    TimerId timeout = {};
    TimerId grace_timer = {};
  };
  struct DrainWaiter {
    Promise<ProcessDrained> promise;
    caf::actor_addr asker;
    absl::Duration grace;
    TimerId timer = {};
  };

  // process_launch.cc
  absl::Status CheckLaunch(const LaunchProcess& request) const;
  void BeginLaunch(LaunchProcess& request);
  void LaunchFailed(const caf::error& why);
  void EndFor(EndedBy cause);
  void StopFailed(const absl::Status& why);
  // Calls `done`, if there is one, when nothing of it is left.
  void KillAndClose(std::function<void()> done = nullptr);
  void WatchQuiet(absl::Duration after);
  void OnQuiet();
  // Hears of the asker's end, once for each.
  caf::actor_addr MindAsker();
  void Mind(const caf::strong_actor_ptr& who);

  // process_output.cc
  Output* OutputOf(ProcessStream stream);
  void FinishRead(uint64_t number);
  void DropReads(const caf::actor_addr& asker);
  void DropObserver(const caf::actor_addr& observer);

  // process_waits.cc
  void Feed(const Bytes& input);
  absl::Status BeginGathering(const Communicate& request, Gathering gathering);
  void StopGathering();
  void FailGathering(const absl::Status& why);
  void FailDrainWaiters(const absl::Status& why);
  void FailWaiters(const absl::Status& why);
  bool drained() const;  // exited, and the ends of its output have come
  absl::Duration GraceOf(absl::Duration asked) const;
  void StartGraces();
  void MaybeDrained();
  void Conclude(uint64_t number);
  void CountLostInput(uint64_t number, std::vector<StreamHolder> holders);
  void AnswerGathering(uint64_t number, std::vector<StreamHolder> holders,
                       size_t input_waiting = 0);
  void AnswerDrained(uint64_t number, std::vector<StreamHolder> holders);
  void DropWaiters(const caf::actor_addr& asker);

  Self* self_;
  IoHost* host_ = nullptr;
  Subprocess subprocess_;
  std::optional<TimerCalls> timers_;
  bool launched_ = false;
  Promise<ProcessStarted> launching_;   // empty when it is answered
  std::optional<absl::Status> failed_;  // to launch
  std::optional<ProcessExited> exit_;
  EndedBy ended_by_ = EndedBy::kItself;
  caf::actor_addr owner_;
  std::map<caf::actor_addr, Monitor> minded_;

  TimerId timeout_;
  absl::Duration quiet_timeout_;
  int64_t last_output_ns_ = 0;

  bool stdin_piped_ = false;
  bool stdin_fed_ = false;  // closed by a Communicate
  bool has_input_ = false;  // it had something to feed
  bool feeding_ = false;    // that is not answered yet
  size_t input_lost_ = 0;
  std::array<Output, 2> outputs_;
  std::array<std::optional<StreamClosed>, 3> closed_;
  std::array<std::vector<Promise<StreamClosed>>, 3> close_waiters_;

  uint64_t last_number_ = 0;
  std::map<uint64_t, WaitingRead> reads_;
  std::optional<Gathering> gathering_;
  std::map<uint64_t, DrainWaiter> drain_waiters_;
};

}  // namespace troupe

#endif  // TROUPE_PROCESS_PROCESS_STATE_H_
