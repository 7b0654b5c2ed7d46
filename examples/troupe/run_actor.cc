#include "examples/troupe/run_actor.h"

#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <iostream>
#include <utility>
#include <vector>

#include "caf/actor_cast.hpp"
#include "caf/send.hpp"
#include "examples/troupe/exit_code.h"
#include "examples/troupe/ignored_signal.h"
#include "io/os_error.h"
#include "io/read_transport.h"
#include "io/resident.h"
#include "io/status_error.h"

namespace troupe {
namespace {

constexpr absl::Duration kSilence = absl::Seconds(1);
// For the rest of the output after a signal that came behind the exit.
constexpr absl::Duration kPatience = absl::Seconds(1);

using Interface = ProcessObserver::extend_with<SignalObserver>::extend_with<
    TimerObserver>::extend_with<ReadProtocol>;

class State {
 public:
  static constexpr const char* name = "run";
  using Self = Interface::stateful_base<State>;

  explicit State(Self* self) : self_(self) {}

  void Init(RunPlan plan, Ending::Sayer ending);
  void Begin();

  void OnInput(DataReceived& data);
  void OnInputEnd() { self_->send(process_, CloseStdin{}); }
  void OnOutput(ProcessOutput& output);
  void OnStreamClosed(ProcessStream stream);
  void OnExited(const ProcessExited& exited);
  void OnEnded();
  void OnSignal(const SignalDelivery& signal);
  void OnTimer(TimerId timer);
  void OnLost(const ConnectionLost& lost);

 private:
  // Where a stream of the command goes.
  struct Output {
    ProcessStream stream;
    const OutputStream* ours = nullptr;  // null: the command inherits it
    bool open = false;
  };

  void Subscribe();
  void ConnectStreams();
  void OnStarted();
  void NotStarted(const caf::error& why);
  void OnOutputLost(Output& output, const absl::Status& why);
  void MaybeQuit();
  void LoseOutputSoon(int signal);
  void LoseOutput();
  TimerId StartTimer(absl::Duration after);
  bool HasTerminal() const {
    return plan_.command.group == ProcessGroup::kInherit;
  }

  Self* self_;
  RunPlan plan_;
  Ending::Sayer ending_;
  int code_ = 0;
  Subprocess process_;
  ReadTransport input_;
  TimerId timer_;
  TimerId patience_;
  bool started_ = false;
  std::vector<SignalDelivery> early_;  // before it was started
  bool timed_out_ = false;
  bool exited_ = false;
  bool ended_ = false;  // and all its output has come
  bool output_lost_ = false;
  Output outputs_[2] = {{ProcessStream::kStdout}, {ProcessStream::kStderr}};
};

void State::Init(RunPlan plan, Ending::Sayer ending) {
  plan_ = std::move(plan);
  ending_ = std::move(ending);
  outputs_[0].ours = plan_.out;
  outputs_[1].ours = plan_.err;
}

// The signals are caught before there is a child they could be meant for.
void State::Begin() {
  Subscribe();
  process_ = SpawnSubprocess(plan_.services);
  StartProcess start;
  start.command = std::move(plan_.command);
  plan_.command.group = start.command.group;
  start.observer = ProcessObserver(self_);
  self_->request(process_, caf::infinite, std::move(start))
      .then([this](const ProcessStarted&) { OnStarted(); },
            [this](const caf::error& why) { NotStarted(why); });
  if (plan_.timeout < absl::InfiniteDuration()) {
    timer_ = StartTimer(plan_.timeout);
  }
}

TimerId State::StartTimer(absl::Duration after) {
  TimerId timer = TimerId::Next();
  self_->send(plan_.services.io,
              troupe::StartTimer{timer, after, TimerObserver(self_)});
  return timer;
}

// The command may have told somebody that it runs before we know.
void State::OnStarted() {
  started_ = true;
  ConnectStreams();
  for (const SignalDelivery& signal : std::exchange(early_, {})) {
    OnSignal(signal);
  }
}

void State::NotStarted(const caf::error& why) {
  absl::Status status = StatusOf(why);
  std::cerr << "troupe: " << status.message() << std::endl;
  ending_->set_value(SpawnFailureCode(status));
}

// -- bytes --------------------------------------------------------------------

void State::ConnectStreams() {
  if (plan_.in != nullptr) {
    const IoThread& thread = plan_.in->thread();
    input_ = SpawnReadTransport(thread.host(), thread.actor());
    self_
        ->request(input_, caf::infinite,
                  ConnectReadPipe{plan_.in->ticket(), ReadProtocol(self_), {}})
        .then([](const Connected&) {},
              [this](const caf::error&) { OnInputEnd(); });
  }
  for (Output& output : outputs_) {
    if (output.ours == nullptr) continue;
    output.open = true;
    self_
        ->request(output.ours->transport, caf::infinite,
                  output.ours->Connection(WriteProtocol(self_)))
        .then([](const Connected&) {},
              [this, &output](const caf::error& why) {
                OnOutputLost(output, StatusOf(why));
              });
  }
}

void State::OnInput(DataReceived& data) {
  caf::anon_send(process_,
                 Write{std::move(data.bytes), std::move(data.credit)});
}

void State::OnOutput(ProcessOutput& output) {
  const Output& to = outputs_[output.stream == ProcessStream::kStdout ? 0 : 1];
  caf::anon_send(to.ours->transport,
                 Write{std::move(output.bytes), std::move(output.credit)});
}

// A command that reads no more leaves the rest of our input to others.
void State::OnStreamClosed(ProcessStream stream) {
  if (stream == ProcessStream::kStdin && input_) {
    self_->send(input_, CloseTransport{});
  }
}

void State::OnLost(const ConnectionLost& lost) {
  caf::strong_actor_ptr sender = self_->current_sender();
  if (input_ && input_.address() == sender) return OnInputEnd();
  for (Output& output : outputs_) {
    if (output.open && output.ours->transport.address() == sender) {
      OnOutputLost(output, lost.why);
    }
  }
}

// One of our outputs is done: closed by us at the end, or nobody takes it any
// more. Then the command is told by a broken pipe of its own.
void State::OnOutputLost(Output& output, const absl::Status& why) {
  output.open = false;
  if (auto text = LossText(*output.ours, why)) {
    std::cerr << "troupe: " << *text << std::endl;
    output_lost_ = true;
  }
  if (!ended_) self_->send(process_, CloseStreams{output.stream});
  MaybeQuit();
}

void State::MaybeQuit() {
  if (!ended_ || outputs_[0].open || outputs_[1].open) return;
  if (output_lost_ && code_ == 0) code_ = kOutputLostCode;
  ending_->set_value(code_);
}

// -- end ----------------------------------------------------------------------

void State::OnExited(const ProcessExited& exited) {
  exited_ = true;
  code_ = timed_out_ ? kTimedOutCode : exited.report.status.ShellCode();
  if (timer_) self_->send(plan_.services.io, CancelTimer{timer_});
  self_->send(process_, CloseStreamsWhenSilent{kSilence});
}

void State::OnEnded() {
  ended_ = true;
  if (input_) self_->send(input_, CloseTransport{});
  for (const Output& output : outputs_) {
    if (output.open) self_->send(output.ours->transport, WriteEof{});
  }
  MaybeQuit();
}

void State::OnTimer(TimerId timer) {
  if (timer == patience_) return LoseOutput();
  timed_out_ = true;
  self_->request(process_, caf::infinite, StopProcess{})
      .then([](const ProcessExited&) {}, [](const caf::error&) {});
}

// -- signals ------------------------------------------------------------------

// Everything that asks a program for something. Not: SIGCHLD, what reports a
// fault, and SIGTTIN, SIGTTOU. With a terminal the command is in our process
// group and is stopped and continued with us.
void State::Subscribe() {
  std::vector<int> numbers = {SIGHUP,  SIGINT,  SIGQUIT, SIGTERM,
                              SIGUSR1, SIGUSR2, SIGALRM, SIGWINCH};
  if (!HasTerminal()) {
    numbers.push_back(SIGTSTP);
    numbers.push_back(SIGCONT);
  }
  for (int number = SIGRTMIN; number <= SIGRTMAX; ++number) {
    numbers.push_back(number);
  }
  for (int number : numbers) {
    if (SignalIsIgnored(number)) continue;  // so it stays for the command, too
    self_
        ->request(plan_.signals, caf::infinite,
                  SubscribeToSignal{number, SignalObserver(self_)})
        .then([](const Subscribed&) {});
  }
}

void State::OnSignal(const SignalDelivery& signal) {
  if (!started_) return early_.push_back(signal);
  if (exited_) return LoseOutputSoon(signal.number);
  bool of_terminal = signal.code == SI_KERNEL;
  // Then it went to our whole group, the command included.
  if (HasTerminal() && of_terminal) return;
  bool stop = signal.number == SIGTSTP;
  self_
      ->request(process_, caf::infinite,
                SendSignal{signal.number, /*to_group=*/of_terminal})
      .then(
          [=] {
            if (stop) kill(getpid(), SIGSTOP);
          },
          [](const caf::error&) {});
}

// The command has ended and only its output is on its way, to a reader that may
// never take it: what would have ended the command ends us. Not at once: the
// signal may be the one that ended the command.
void State::LoseOutputSoon(int signal) {
  bool ends = signal == SIGINT || signal == SIGTERM || signal == SIGQUIT ||
              signal == SIGHUP;
  if (ends && !patience_) patience_ = StartTimer(kPatience);
}

void State::LoseOutput() {
  self_->send(process_, CloseStreams{});
  for (const Output& output : outputs_) {
    if (output.open) self_->send(output.ours->transport, AbortTransport{});
  }
}

Interface::behavior_type Behavior(StatefulResident<Interface, State>* self,
                                  RunPlan plan, Ending::Sayer ending) {
  State* state = &self->state;
  state->Init(std::move(plan), std::move(ending));
  state->Begin();
  return {
      [=](const ProcessStarted&) {},
      [=](ProcessOutput& output) { state->OnOutput(output); },
      [=](const StreamClosed& closed) { state->OnStreamClosed(closed.stream); },
      [=](const ProcessExited& exited) { state->OnExited(exited); },
      [=](const ProcessEnded&) { state->OnEnded(); },
      [=](const PauseWriting&) {},
      [=](const ResumeWriting&) {},
      [=](const SignalReceived& got) { state->OnSignal(got.delivery); },
      [=](const TimerFired& fired) { state->OnTimer(fired.timer); },
      [=](const ConnectionMade&) {},
      [=](DataReceived& data) { state->OnInput(data); },
      [=](const EofReceived&) {},
      [=](const ConnectionLost& lost) { state->OnLost(lost); },
  };
}

}  // namespace

caf::actor SpawnRun(RunPlan plan, Ending::Sayer ending) {
  Host& host = *plan.services.host;
  return caf::actor_cast<caf::actor>(
      SpawnResident(host, Behavior, std::move(plan), std::move(ending)));
}

}  // namespace troupe
