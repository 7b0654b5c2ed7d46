#include "actors/supervisor.h"

#include <signal.h>

#include <algorithm>
#include <chrono>
#include <unordered_map>
#include <utility>

#include "caf/actor_addr.hpp"
#include "io/resident.h"
#include "io/status_error.h"

namespace troupe {
namespace {

constexpr absl::Duration kSilence = absl::Seconds(1);

using Interface = Supervisor::extend<
    caf::reacts_to<ProcessStarted>, caf::reacts_to<ProcessOutput>,
    caf::reacts_to<StreamClosed>, caf::reacts_to<ProcessExited>,
    caf::reacts_to<ProcessEnded>, caf::reacts_to<PauseWriting>,
    caf::reacts_to<ResumeWriting>, caf::reacts_to<TimerFired>>;

enum class Phase {
  kStarting,  // the spawner has it
  kRunning,
  kStopping,  // to be started again
  kWaiting,   // for its time to start again
  kDone,
};

struct Member {
  MemberSpec spec;
  Phase phase = Phase::kDone;
  Subprocess process;  // of the current run
  RestartHistory history = {};
  int runs = 0;  // tried so far
  TimerId timer = {};
};

class State {
 public:
  static constexpr const char* name = "supervisor";
  using Self = Interface::stateful_base<State>;

  explicit State(Self* self) : self_(self) {}

  void Init(ProcessServices services, std::vector<MemberSpec> specs,
            SupervisorObserver observer);
  void StartAll();
  void StopAll(std::optional<size_t> because);
  void KillAll();
  void RestartAll();

  void OnStarted(const ProcessStarted& started);
  void OnOutput(ProcessOutput& output);
  void OnExited(const ProcessExited& exited);
  void OnEnded();
  void OnTimer(TimerId timer);
  void OnObserverDown();

 private:
  // One start of a member, as long as anything of it is left.
  struct Run {
    size_t member;
    Subprocess process;
    bool stopping = false;
    bool drained = false;
    int stops = 0;  // StopProcess not answered yet
  };

  void Start(size_t index);
  void NotStarted(size_t index, caf::actor_addr run, const caf::error& why);
  void AfterRun(size_t index, const EndedRun& run);
  void Retire(size_t index);
  void StopRun(Run& run, std::optional<StopPlan> plan);
  void MaybeForget(const caf::actor_addr& address);
  void MaybeFinish();
  Run* Sender();
  template <class T>
  void Tell(T message) {
    if (observer_) self_->send(observer_, std::move(message));
  }

  Self* self_;
  ProcessServices services_;
  SupervisorObserver observer_;
  std::vector<Member> members_;
  std::unordered_map<caf::actor_addr, Run> runs_;
  bool stopping_ = false;
  bool finishing_ = false;
};

void State::Init(ProcessServices services, std::vector<MemberSpec> specs,
                 SupervisorObserver observer) {
  services_ = std::move(services);
  observer_ = std::move(observer);
  for (MemberSpec& spec : specs) members_.emplace_back().spec = std::move(spec);
  if (observer_) self_->monitor(observer_);
}

// -- starting -----------------------------------------------------------------

void State::StartAll() {
  for (size_t i = 0; i < members_.size(); ++i) Start(i);
  MaybeFinish();
}

void State::Start(size_t index) {
  Member& member = members_[index];
  member.phase = Phase::kStarting;
  ++member.runs;
  member.process = SpawnSubprocess(services_);
  caf::actor_addr run = member.process.address();
  runs_[run] = Run{index, member.process};
  StartProcess start;
  start.command = member.spec.command;
  start.observer = ProcessObserver(self_);
  start.stop_plan = member.spec.stop_plan;
  start.keep_group = true;
  self_->request(member.process, caf::infinite, std::move(start))
      .then([](const ProcessStarted&) {},
            [=, this](const caf::error& why) { NotStarted(index, run, why); });
}

void State::OnStarted(const ProcessStarted& started) {
  Run* run = Sender();
  if (run == nullptr) return;
  Member& member = members_[run->member];
  if (member.phase == Phase::kStarting) member.phase = Phase::kRunning;
  Tell(MemberStarted{run->member, started.pid, member.runs - 1});
}

void State::NotStarted(size_t index, caf::actor_addr run,
                       const caf::error& why) {
  runs_.erase(run);
  Tell(MemberNotStarted{index, StatusOf(why)});
  AfterRun(index, EndedRun{});
}

// -- running ------------------------------------------------------------------

State::Run* State::Sender() {
  auto found =
      runs_.find(caf::actor_cast<caf::actor_addr>(self_->current_sender()));
  return found == runs_.end() ? nullptr : &found->second;
}

void State::OnOutput(ProcessOutput& output) {
  Run* run = Sender();
  if (run == nullptr) return;
  Tell(MemberOutput{run->member, std::move(output.bytes),
                    std::move(output.credit)});
}

void State::OnExited(const ProcessExited& exited) {
  Run* run = Sender();
  if (run == nullptr) return;
  size_t index = run->member;
  bool asked = run->stopping;
  Tell(MemberExited{index, exited.report, exited.ran, asked});
  if (!asked) StopRun(*run, std::nullopt);  // what it leaves in its group
  if (!(members_[index].process == run->process)) return;  // an older run
  AfterRun(index, EndedRun{exited.report.status,
                           absl::ToChronoNanoseconds(exited.ran)});
}

void State::AfterRun(size_t index, const EndedRun& run) {
  Member& member = members_[index];
  bool again = member.phase == Phase::kStopping;
  member.process = Subprocess();
  member.phase = Phase::kDone;
  if (stopping_) return MaybeFinish();
  if (again) return Start(index);
  RestartDecision next =
      DecideRestart(member.spec.restart, std::move(member.history), run,
                    std::chrono::steady_clock::now());
  member.history = std::move(next.history);
  if (next.action != RestartAction::kRestart) return Retire(index);
  member.phase = Phase::kWaiting;
  member.timer = TimerId::Next();
  absl::Duration delay = absl::FromChrono(next.delay);
  Tell(MemberRestarting{index, member.runs, delay});
  self_->send(services_.io,
              StartTimer{member.timer, delay, TimerObserver(self_)});
}

void State::OnTimer(TimerId timer) {
  for (size_t i = 0; i < members_.size(); ++i) {
    if (members_[i].phase == Phase::kWaiting && members_[i].timer == timer) {
      return Start(i);
    }
  }
}

// Nobody wants this member again.
void State::Retire(size_t index) {
  if (members_[index].spec.on_end == MemberSpec::OnEnd::kStopOthers) {
    StopAll(index);
  } else {
    MaybeFinish();
  }
}

// -- stopping -----------------------------------------------------------------

void State::StopAll(std::optional<size_t> because) {
  if (stopping_) return;
  stopping_ = true;
  size_t running = 0;
  for (Member& member : members_) {
    if (member.phase == Phase::kWaiting) {
      self_->send(services_.io, CancelTimer{member.timer});
      member.phase = Phase::kDone;
    }
    if (member.phase != Phase::kDone) ++running;
  }
  Tell(MembersStopping{because, running});
  for (auto& [address, run] : runs_) {
    if (!run.stopping) StopRun(run, std::nullopt);
  }
  MaybeFinish();
}

void State::KillAll() {
  if (!stopping_) StopAll(std::nullopt);
  for (auto& [address, run] : runs_) {
    StopRun(run, StopPlan{{{SIGKILL, std::nullopt}}});
  }
  for (auto& [address, run] : runs_) self_->send(run.process, CloseStreams{});
}

void State::RestartAll() {
  if (stopping_ || finishing_) return;
  for (size_t i = 0; i < members_.size(); ++i) {
    Member& member = members_[i];
    if (member.phase == Phase::kWaiting) {
      self_->send(services_.io, CancelTimer{member.timer});
      Start(i);
    } else if (member.phase == Phase::kDone) {
      Start(i);
    } else if (member.phase == Phase::kRunning) {
      member.phase = Phase::kStopping;
      auto found = runs_.find(member.process.address());
      if (found != runs_.end()) StopRun(found->second, std::nullopt);
    }
  }
}

void State::StopRun(Run& run, std::optional<StopPlan> plan) {
  run.stopping = true;
  ++run.stops;
  auto answered = [this, address = run.process.address()] {
    auto found = runs_.find(address);
    if (found == runs_.end()) return;
    --found->second.stops;
    MaybeForget(address);
  };
  self_->request(run.process, caf::infinite, StopProcess{std::move(plan)})
      .then([=](const ProcessExited&) { answered(); },
            [=](const caf::error&) { answered(); });
}

void State::OnEnded() {
  Run* run = Sender();
  if (run == nullptr) return;
  Tell(MemberDrained{run->member});
  run->drained = true;
  MaybeForget(run->process.address());
}

// A run is over when its output is, and its group.
void State::MaybeForget(const caf::actor_addr& address) {
  const Run& run = runs_.at(address);
  if (!run.drained || run.stops > 0) return;
  runs_.erase(address);
  MaybeFinish();
}

// When no member runs or waits: ends what is left of their streams, then
// itself.
void State::MaybeFinish() {
  bool done =
      std::all_of(members_.begin(), members_.end(),
                  [](const Member& m) { return m.phase == Phase::kDone; });
  if (!done) return;
  if (!finishing_) {
    finishing_ = true;
    for (auto& [address, run] : runs_) {
      self_->send(run.process, CloseStreamsWhenSilent{kSilence});
    }
  }
  if (!runs_.empty()) return;
  Tell(MembersEnded{});
  self_->quit();
}

void State::OnObserverDown() {
  observer_ = SupervisorObserver();
  StopAll(std::nullopt);
}

Interface::behavior_type Behavior(StatefulResident<Interface, State>* self,
                                  ProcessServices services,
                                  std::vector<MemberSpec> members,
                                  SupervisorObserver observer) {
  State* state = &self->state;
  state->Init(std::move(services), std::move(members), std::move(observer));
  self->set_down_handler(
      [=](const caf::down_msg&) { state->OnObserverDown(); });
  state->StartAll();
  return {
      [=](const StopMembers&) { state->StopAll(std::nullopt); },
      [=](const KillMembers&) { state->KillAll(); },
      [=](const RestartMembers&) { state->RestartAll(); },
      [=](const ProcessStarted& started) { state->OnStarted(started); },
      [=](ProcessOutput& output) { state->OnOutput(output); },
      [=](const StreamClosed&) {},
      [=](const ProcessExited& exited) { state->OnExited(exited); },
      [=](const ProcessEnded&) { state->OnEnded(); },
      [=](const PauseWriting&) {},
      [=](const ResumeWriting&) {},
      [=](const TimerFired& fired) { state->OnTimer(fired.timer); },
  };
}

}  // namespace

Supervisor SpawnSupervisor(const ProcessServices& services,
                           std::vector<MemberSpec> members,
                           SupervisorObserver observer) {
  return SpawnResident(*services.host, Behavior, services, std::move(members),
                       std::move(observer));
}

}  // namespace troupe
