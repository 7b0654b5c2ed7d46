// What a running pipeline knows and does. It is the observer of a Subprocess
// for each command, and of nothing else. Every handler runs on the services'
// host.
#ifndef TROUPE_PROCESS_PIPELINE_STATE_H_
#define TROUPE_PROCESS_PIPELINE_STATE_H_

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "caf/typed_event_based_actor.hpp"
#include "io/credit.h"
#include "io/io_messages.h"
#include "io/monitors.h"
#include "io/owed.h"
#include "io/owned_fd.h"
#include "io/resident.h"
#include "process/pipeline_actor.h"
#include "process/pipeline_messages.h"
#include "process/process_messages.h"
#include "process/subprocess.h"

namespace troupe {

using PipelineInterface = PipelineActor::extend<
    caf::reacts_to<ProcessStarted>, caf::reacts_to<ProcessOutput>,
    caf::reacts_to<StreamClosed>, caf::reacts_to<ProcessExited>,
    caf::reacts_to<ProcessEnded>, caf::reacts_to<PauseWriting>,
    caf::reacts_to<ResumeWriting>>;

class PipelineState {
 public:
  static constexpr const char* name = "pipeline";
  using Self = PipelineInterface::stateful_base<PipelineState>;

  explicit PipelineState(Self* self) : self_(self) {}

  void Init(ProcessServices services) { services_ = std::move(services); }

  caf::result<PipelineStarted> Start(StartPipeline& request);
  caf::result<Drained> WriteStdin(Write& write);
  void CloseStdin(const troupe::CloseStdin& close);
  void Signal(const SendSignal& signal);
  caf::result<PipelineExited> Stop(const StopPipeline& request);
  caf::result<PipelineExited> WaitForExit();
  caf::result<PipelineEnded> WaitForEnd();
  template <class T>
  void ToAll(const T& message) {
    for (const Subprocess& child : children_) self_->send(child, message);
  }

  void OnOutput(ProcessOutput& output);
  void OnStreamClosed(const StreamClosed& closed);
  void OnExit(const ProcessExited& exited);
  void OnEnd();
  void OnObserverDown();

  // Held back until all commands run, dropped if they never will.
  template <class T>
  void Tell(T message) {
    if (!observer_ || phase_ == Phase::kFailed) return;
    if (phase_ == Phase::kStarting) {
      held_.push_back([this, message] { Tell(message); });
    } else {
      self_->send(observer_, std::move(message));
    }
  }

 private:
  enum class Phase { kIdle, kStarting, kRunning, kFailed };

  using Done = std::function<void(const absl::Status&)>;

  // Gives `command`, of index `index`, its ends of the pipes.
  absl::Status ConnectPipes(size_t index, Command* command);
  void StartNext();
  void Started();
  void Failed(size_t index, const absl::Status& why);
  void StopAll(const StopPlan& plan, Done done);
  void MaybeExited();
  void MaybeEnded();
  size_t IndexOfSender() const;

  Self* self_;
  ProcessServices services_;
  Phase phase_ = Phase::kIdle;
  bool stopping_ = false;  // starts no more commands
  bool exited_ = false;
  bool ended_ = false;
  StartPipeline request_;  // its observer is in observer_
  Monitor monitor_;        // of the observer
  PipelineObserver observer_;
  bool orphaned_ = false;  // it died
  Owed<PipelineStarted> starting_;
  std::vector<std::function<void()>> held_;
  std::vector<Credit> unread_;  // of output that nobody is to read
  std::shared_ptr<const OwnedFd> next_stdin_;

  std::vector<Subprocess> children_;  // the last one may be starting
  std::vector<pid_t> pids_;
  std::vector<std::optional<ProcessExited>> exits_;
  size_t exit_count_ = 0;
  size_t end_count_ = 0;
  PipelineExited exit_;  // valid when exited_

  size_t last_stop_ = 0;
  std::map<size_t, Owed<PipelineExited>> stop_waiters_;
  std::vector<Owed<PipelineExited>> exit_waiters_;
  std::vector<Owed<PipelineEnded>> end_waiters_;
};

}  // namespace troupe

#endif  // TROUPE_PROCESS_PIPELINE_STATE_H_
