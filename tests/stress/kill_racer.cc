#include "tests/stress/kill_racer.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <deque>
#include <memory>
#include <random>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "caf/actor_system.hpp"
#include "caf/stateful_actor.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "io/owned_fd.h"
#include "io/status_error.h"

namespace troupe {
namespace {

// A pid goes round in some 48 rounds of all racers together: among the last of
// 8 or more are children whose pid has another one by now.
constexpr size_t kKept = 8;

constexpr int kSignals[] = {SIGTERM, SIGKILL, SIGUSR1, SIGHUP};

enum class When { kBefore, kAfter, kLater, kWhenTold };

class Racer {
 public:
  using Self = ProcessObserver::stateful_pointer<Racer>;

  void Init(Self self, KillRace* race, int number) {
    self_ = self;
    race_ = race;
    number_ = number;
    random_.seed(number);
    Begin();
  }

  void OnStarted(pid_t pid) {
    told_ += "CM ";
    pid_ = pid;
    if (!past_.empty()) {
      Signal(past_[random_() % past_.size()], /*must_be_refused=*/true);
    }
    if (when_ == When::kBefore) Signal(child_);
    gate_.Close();
    if (when_ == When::kLater) Spin();
    if (when_ == When::kAfter || when_ == When::kLater) Signal(child_);
  }

  void OnExited(const ExitStatus& status) {
    told_ += "EXIT ";
    if (status == ExitStatus::Exited(pid_ & 0x7f)) {
      ++(signals() ? race_->exited : race_->spared);
    } else if (signals() && status == ExitStatus::Killed(signal_)) {
      ++race_->killed;
    } else {
      race_->problems.Add(
          absl::StrCat(signals() ? "" : "a stranger: ", status.ToString(),
                       " after signal ", signal_));
    }
    if (when_ == When::kWhenTold) Signal(child_);
  }

  void OnEnded() {
    told_ += "CL ";
    GoOn();
  }

 private:
  bool signals() const { return number_ % 4 != 3; }
  bool to_group() const { return number_ % 2 == 0; }

  void Begin() {
    if (race_->rounds_left.fetch_sub(1) <= 0) {
      race_->over.release();
      return self_->quit();
    }
    told_.clear();
    signal_ = kSignals[random_() % std::size(kSignals)];
    when_ = static_cast<When>(random_() % 4);
    int gate[2];
    if (pipe2(gate, O_CLOEXEC) != 0) return Fail("pipe2");
    gate_ = OwnedFd(gate[1]);
    StartProcess start;
    start.command.argv = {race_->program};
    start.command.stdin_from =
        Stdio::Descriptor(std::make_shared<const OwnedFd>(gate[0]));
    if (to_group()) start.command.group = ProcessGroup::kNewGroup;
    start.observer = ProcessObserver(self_);
    child_ = SpawnSubprocess(race_->services);
    ++answers_due_;
    self_->request(child_, caf::infinite, std::move(start))
        .then([this](const ProcessStarted&) { Answered(); },
              [this](const caf::error& why) { Refused(StatusOf(why)); });
  }

  void Signal(const Subprocess& child, bool must_be_refused = false) {
    if (!signals()) return;
    ++answers_due_;
    self_->request(child, caf::infinite, SendSignal{signal_, to_group()})
        .then(
            [=, this] {
              if (must_be_refused)
                race_->problems.Add("signalled after its end");
              ++race_->sent;
              Answered();
            },
            [=, this](const caf::error& why) {
              const absl::Status status = StatusOf(why);
              if (!absl::IsNotFound(status))
                race_->problems.Add(status.ToString());
              ++race_->refused;
              Answered();
            });
  }

  // Up to what a child takes to end.
  void Spin() {
    const auto end = std::chrono::steady_clock::now() +
                     std::chrono::microseconds(random_() % 200);
    while (std::chrono::steady_clock::now() < end) {
    }
  }

  void Answered() {
    --answers_due_;
    GoOn();
  }
  void GoOn() {
    if (answers_due_ > 0 || !told_.ends_with("CL ")) return;
    if (told_ != "CM EXIT CL ")
      race_->problems.Add(absl::StrCat("told ", told_));
    past_.push_back(std::move(child_));
    if (past_.size() > kKept) past_.pop_front();
    Begin();
  }
  // A thread keeps its number for a moment after it was joined.
  void Refused(const absl::Status& why) {
    --answers_due_;
    if (!absl::IsUnavailable(why)) return Fail(why.ToString());
    ++race_->tried_again;
    ++race_->rounds_left;
    sched_yield();
    Begin();
  }
  void Fail(const std::string& why) {
    race_->problems.Add(why);
    race_->over.release();
    self_->quit();
  }

  Self self_ = nullptr;
  KillRace* race_ = nullptr;
  int number_ = 0;
  std::minstd_rand random_;
  int signal_ = 0;
  When when_ = When::kBefore;
  Subprocess child_;
  pid_t pid_ = -1;
  OwnedFd gate_;
  std::string told_;
  int answers_due_ = 0;
  std::deque<Subprocess> past_;
};

ProcessObserver::behavior_type Behavior(Racer::Self self, KillRace* race,
                                        int number) {
  Racer* racer = &self->state;
  racer->Init(self, race, number);
  return {
      [=](const ProcessStarted& started) { racer->OnStarted(started.pid); },
      [=](const ProcessOutput&) {},
      [=](const StreamClosed&) {},
      [=](const ProcessExited& exited) {
        racer->OnExited(exited.report.status);
      },
      [=](const ProcessEnded&) { racer->OnEnded(); },
      [=](const PauseWriting&) {},
      [=](const ResumeWriting&) {},
  };
}

}  // namespace

void StartKillRacer(caf::actor_system& system, KillRace& race, int number) {
  system.spawn<caf::hidden>(Behavior, &race, number);
}

}  // namespace troupe
