#include "examples/troupe/up_actor.h"

#include <fcntl.h>
#include <signal.h>

#include <cerrno>
#include <chrono>
#include <ctime>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "caf/actor_cast.hpp"
#include "caf/send.hpp"
#include "examples/troupe/exit_code.h"
#include "examples/troupe/ignored_signal.h"
#include "examples/troupe/notices.h"
#include "examples/troupe/output_queue.h"
#include "io/os_error.h"
#include "io/owned_fd.h"
#include "io/resident.h"
#include "io/status_error.h"
#include "signals/signal_name.h"

namespace troupe {
namespace {

// What comes sooner is no second Ctrl-C: timeout(1) and other wrappers that get
// the terminal's signal pass theirs on, too.
using Clock = std::chrono::steady_clock;
constexpr auto kOnePress = std::chrono::milliseconds(100);

using Interface =
    SupervisorObserver::extend_with<SignalObserver>::extend_with<WriteProtocol>;

class State {
 public:
  static constexpr const char* name = "up";
  using Self = Interface::stateful_base<State>;

  explicit State(Self* self) : self_(self) {}

  void Init(UpPlan plan, Ending::Sayer ending);
  void Begin();

  void OnStarted(const MemberStarted& started);
  void OnNotStarted(const MemberNotStarted& failed);
  void OnOutput(MemberOutput& output);
  void OnExited(const MemberExited& exited);
  void OnDrained(size_t member);
  void OnRestarting(const MemberRestarting& restarting);
  void OnStopping(const MembersStopping& stopping);
  void OnAllEnded();
  void OnSignal(const SignalDelivery& signal);
  void OnLost(const ConnectionLost& lost);

 private:
  void Say(const std::string& sentence);
  void Pump();
  void CloseWhenPrinted();
  void LoseOutput();
  void FinishWhenClosed();
  void Failed(int code);
  bool TerminalIsGone(const SignalDelivery& signal) const;
  const std::string& NameOf(size_t member) const { return names_[member]; }

  Self* self_;
  UpPlan plan_;
  Ending::Sayer ending_;
  int code_ = 0;
  std::vector<std::string> names_;  // of the members, then our own
  std::optional<Prefix> notices_;
  std::optional<OutputQueue> queue_;
  Supervisor supervisor_;
  bool printing_ = false;  // one piece is on its way
  bool stopped_by_user_ = false;
  Clock::time_point stopped_at_;  // by the user
  bool killed_ = false;
  int running_ = 0;  // processes
  bool all_ended_ = false;
  bool closing_ = false;
  bool finished_ = false;
  int open_ = 2;  // output transports
  bool out_lost_ = false;
};

void State::Init(UpPlan plan, Ending::Sayer ending) {
  plan_ = std::move(plan);
  ending_ = std::move(ending);
  for (const MemberSpec& member : plan_.members) names_.push_back(member.name);
  names_.push_back("troupe");
  notices_.emplace(names_, plan_.color);
  queue_.emplace(names_, plan_.color);
}

void State::Begin() {
  for (const OutputStream* stream : {plan_.out, plan_.err}) {
    self_
        ->request(stream->transport, caf::infinite,
                  stream->Connection(WriteProtocol(self_)))
        .then([](const Connected&) {},
              [this](const caf::error& why) {
                OnLost(ConnectionLost{.why = StatusOf(why)});
              });
  }
  for (int number : {SIGINT, SIGTERM, SIGHUP}) {
    if (SignalIsIgnored(number)) continue;
    self_
        ->request(plan_.signals, caf::infinite,
                  SubscribeToSignal{number, SignalObserver(self_)})
        .then([](const Subscribed&) {});
  }
  supervisor_ = SpawnSupervisor(plan_.services, std::move(plan_.members),
                                SupervisorObserver(self_));
}

// -- what the supervisor says -------------------------------------------------

void State::OnStarted(const MemberStarted& started) {
  ++running_;
  Say(StartedNotice(NameOf(started.member), started.pid, started.restart));
}

void State::OnNotStarted(const MemberNotStarted& failed) {
  std::string why(failed.why.message().data(), failed.why.message().size());
  Say(NotStartedNotice(NameOf(failed.member), why));
  Failed(SpawnFailureCode(failed.why));
}

void State::OnOutput(MemberOutput& output) {
  if (killed_ || out_lost_) return;  // its credit goes back unprinted
  queue_->Add(output.member, time(nullptr), std::move(output.bytes),
              std::move(output.credit));
  Pump();
}

void State::OnExited(const MemberExited& exited) {
  --running_;
  Say(EndedNotice(NameOf(exited.member), exited.report.status.ToString(),
                  exited.ran));
  if (!exited.asked) Failed(exited.report.status.ShellCode());
}

void State::OnDrained(size_t member) {
  queue_->AddEnd(member, time(nullptr));
  Pump();
}

void State::OnRestarting(const MemberRestarting& restarting) {
  Say(RestartNotice(NameOf(restarting.member), restarting.restart,
                    restarting.delay));
}

void State::OnStopping(const MembersStopping& stopping) {
  if (!stopping.because.has_value() || stopping.running == 0) return;
  Say(StoppingNotice(static_cast<int>(stopping.running),
                     absl::StrCat(NameOf(*stopping.because), " ended")));
}

void State::OnAllEnded() {
  all_ended_ = true;
  if (stopped_by_user_) code_ = 0;
  if (killed_) return LoseOutput();
  CloseWhenPrinted();
}

// Remembers the first failure.
void State::Failed(int code) {
  if (code_ == 0) code_ = code;
}

// -- signals ------------------------------------------------------------------

void State::OnSignal(const SignalDelivery& signal) {
  if (signal.number == SIGHUP && !TerminalIsGone(signal)) {
    Say("restarting all, because of SIGHUP");
    self_->send(supervisor_, RestartMembers{});
    return;
  }
  if (!stopped_by_user_) {
    stopped_by_user_ = true;
    if (!all_ended_) {
      Say(StoppingOnSignalNotice(running_, SignalName(signal.number)));
    }
    self_->send(supervisor_, StopMembers{});
    stopped_at_ = Clock::now();
    return;
  }
  if (killed_ || Clock::now() - stopped_at_ < kOnePress) return;
  killed_ = true;
  if (all_ended_) return LoseOutput();
  queue_->DropOutput();
  Say(KillingNotice(running_,
                    absl::StrCat(SignalName(signal.number), " came again")));
  self_->send(supervisor_, KillMembers{});
}

bool State::TerminalIsGone(const SignalDelivery& signal) const {
  if (signal.code == SI_KERNEL) return true;
  return plan_.had_terminal &&
         !OwnedFd(open("/dev/tty", O_RDONLY | O_CLOEXEC | O_NOCTTY)).valid();
}

// -- printing -----------------------------------------------------------------

void State::Say(const std::string& sentence) {
  std::string line;
  notices_->AppendTo(&line, time(nullptr), names_.size() - 1);
  absl::StrAppend(&line, sentence, "\n");
  if (plan_.one_file && !out_lost_) {
    queue_->AddText(std::move(line));
    Pump();
  } else {
    caf::anon_send(plan_.err->transport, Write{Bytes(std::move(line)), {}});
  }
}

void State::Pump() {
  if (printing_ || out_lost_) return;
  auto piece = queue_->Next();
  if (!piece.has_value()) return CloseWhenPrinted();
  printing_ = true;
  auto credits = std::make_shared<std::vector<Credit>>(
      std::move(piece->credits));  // kept until the piece is accepted
  auto printed = [this, credits] {
    credits->clear();
    printing_ = false;
    Pump();
  };
  self_
      ->request(plan_.out->transport, caf::infinite,
                Write{Bytes(std::move(piece->text)), {}})
      .then([=](const Drained&) { printed(); },
            [=](const caf::error&) { printed(); });
}

void State::CloseWhenPrinted() {
  if (!all_ended_ || printing_ || closing_) return;
  closing_ = true;
  for (const OutputStream* stream : {plan_.out, plan_.err}) {
    self_->send(stream->transport, WriteEof{});
  }
  FinishWhenClosed();
}

// A reader that is stuck must not hold us up. What we have to say ourselves is
// offered once more, and lost where there is no room.
void State::LoseOutput() {
  closing_ = true;
  queue_->DropOutput();
  while (auto piece = queue_->Next()) {
    caf::anon_send(plan_.out->transport,
                   Write{Bytes(std::move(piece->text)), {}});
  }
  for (const OutputStream* stream : {plan_.out, plan_.err}) {
    self_->send(stream->transport, AbortTransport{});
  }
  FinishWhenClosed();
}

void State::FinishWhenClosed() {
  if (!closing_ || open_ > 0 || finished_) return;
  finished_ = true;
  ending_->set_value(code_);
}

// A transport is done: because we closed it, or because nobody reads any more.
void State::OnLost(const ConnectionLost& lost) {
  --open_;
  bool out = self_->current_sender() != nullptr &&
             plan_.out->transport.address() == self_->current_sender();
  if (out) {
    out_lost_ = true;
    printing_ = false;
    queue_->DropOutput();
    if (!closing_ && !killed_) {
      if (auto text = LossText(*plan_.out, lost.why)) {
        Say(absl::StrCat(*text, "; stopping all"));
        Failed(kOutputLostCode);
      } else {
        stopped_by_user_ = true;  // as SIGPIPE would
      }
      self_->send(supervisor_, StopMembers{});
    }
    if (all_ended_) CloseWhenPrinted();
  }
  FinishWhenClosed();
}

Interface::behavior_type Behavior(StatefulResident<Interface, State>* self,
                                  UpPlan plan, Ending::Sayer ending) {
  State* state = &self->state;
  state->Init(std::move(plan), std::move(ending));
  state->Begin();
  return {
      [=](const MemberStarted& started) { state->OnStarted(started); },
      [=](const MemberNotStarted& failed) { state->OnNotStarted(failed); },
      [=](MemberOutput& output) { state->OnOutput(output); },
      [=](const MemberExited& exited) { state->OnExited(exited); },
      [=](const MemberDrained& drained) { state->OnDrained(drained.member); },
      [=](const MemberRestarting& restarting) {
        state->OnRestarting(restarting);
      },
      [=](const MembersStopping& stopping) { state->OnStopping(stopping); },
      [=](const MembersEnded&) { state->OnAllEnded(); },
      [=](const SignalReceived& got) { state->OnSignal(got.delivery); },
      [=](const ConnectionMade&) {},
      [=](const PauseWriting&) {},
      [=](const ResumeWriting&) {},
      [=](const ConnectionLost& lost) { state->OnLost(lost); },
  };
}

}  // namespace

caf::actor SpawnUp(UpPlan plan, Ending::Sayer ending) {
  Host& host = *plan.services.host;
  return caf::actor_cast<caf::actor>(
      SpawnResident(host, Behavior, std::move(plan), std::move(ending)));
}

}  // namespace troupe
