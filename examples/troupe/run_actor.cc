#include "examples/troupe/run_actor.h"

#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <iostream>
#include <utility>
#include <vector>

#include "caf/send.hpp"
#include "examples/troupe/exit_code.h"
#include "io/os_error.h"
#include "io/read_transport.h"
#include "io/resident.h"
#include "io/status_error.h"

namespace troupe {
namespace {

constexpr absl::Duration kSilence = absl::Seconds(1);

using Interface = ProcessObserver::extend_with<SignalObserver>::extend_with<
    TimerObserver>::extend_with<ReadProtocol>;

class State {
 public:
  static constexpr const char* name = "run";
  using Self = Interface::stateful_base<State>;

  explicit State(Self* self) : self_(self) {}

  void Init(RunPlan plan, std::shared_ptr<int> exit_code);
  void Begin();

  void OnInput(DataReceived& data);
  void OnInputEnd() { self_->send(process_, CloseStdin{}); }
  void OnOutput(ProcessOutput& output);
  void OnStreamClosed(ProcessStream stream);
  void OnExited(const ProcessExited& exited);
  void OnEnded();
  void OnSignal(const SignalDelivery& signal);
  void OnTimeout();
  void OnLost(const ConnectionLost& lost);

 private:
  void Subscribe();
  void ConnectStreams();
  void NotStarted(const caf::error& why);
  bool HasTerminal() const {
    return plan_.command.group == ProcessGroup::kInherit;
  }

  Self* self_;
  RunPlan plan_;
  std::shared_ptr<int> exit_code_;
  Subprocess process_;
  ReadTransport input_;
  TimerId timer_;
  bool timed_out_ = false;
  bool ended_ = false;
  int open_ = 0;  // output transports
};

void State::Init(RunPlan plan, std::shared_ptr<int> exit_code) {
  plan_ = std::move(plan);
  exit_code_ = std::move(exit_code);
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
      .then(
          [this](const ProcessStarted&) {
            if (plan_.out != nullptr) ConnectStreams();
          },
          [this](const caf::error& why) { NotStarted(why); });
  if (plan_.timeout < absl::InfiniteDuration()) {
    timer_ = TimerId::Next();
    self_->send(plan_.services.io,
                StartTimer{timer_, plan_.timeout, TimerObserver(self_)});
  }
}

void State::NotStarted(const caf::error& why) {
  absl::Status status = StatusOf(why);
  std::cerr << "troupe: " << status.message() << std::endl;
  *exit_code_ = SpawnFailureCode(status);
  self_->quit();
}

// -- bytes --------------------------------------------------------------------

void State::ConnectStreams() {
  const IoThread& thread = plan_.in->thread();
  input_ = SpawnReadTransport(thread.host(), thread.actor());
  self_
      ->request(input_, caf::infinite,
                ConnectReadPipe{plan_.in->ticket(), ReadProtocol(self_), {}})
      .then([](const Connected&) {},
            [this](const caf::error&) { OnInputEnd(); });
  for (const OutputStream* stream : {plan_.out, plan_.err}) {
    ++open_;
    self_
        ->request(stream->transport, caf::infinite,
                  stream->Connection(WriteProtocol(self_)))
        .then([](const Connected&) {},
              [this](const caf::error& why) {
                OnLost(ConnectionLost{.why = StatusOf(why)});
              });
  }
}

void State::OnInput(DataReceived& data) {
  caf::anon_send(process_,
                 Write{std::move(data.bytes), std::move(data.credit)});
}

void State::OnOutput(ProcessOutput& output) {
  const OutputStream* to =
      output.stream == ProcessStream::kStdout ? plan_.out : plan_.err;
  caf::anon_send(to->transport,
                 Write{std::move(output.bytes), std::move(output.credit)});
}

// A command that reads no more leaves the rest of our input to others.
void State::OnStreamClosed(ProcessStream stream) {
  if (stream == ProcessStream::kStdin && input_) {
    self_->send(input_, CloseTransport{});
  }
}

// Our input ended, or one of our outputs is done: closed by us at the end, or
// nobody reads it any more; then the command is told by its own broken pipe.
void State::OnLost(const ConnectionLost& lost) {
  if (input_ && input_.address() == self_->current_sender())
    return OnInputEnd();
  --open_;
  if (ended_) {
    if (open_ == 0) self_->quit();
    return;
  }
  auto failure = OsFailureOf(lost.why);
  if (failure.has_value() && failure->error_number != EPIPE) {
    std::cerr << "troupe: " << lost.why.message() << std::endl;
  }
  self_->send(process_, CloseStreams{});
}

// -- end ----------------------------------------------------------------------

void State::OnExited(const ProcessExited& exited) {
  *exit_code_ = timed_out_ ? kTimedOutCode : exited.report.status.ShellCode();
  if (timer_) self_->send(plan_.services.io, CancelTimer{timer_});
  self_->send(process_, CloseStreamsWhenSilent{kSilence});
}

void State::OnEnded() {
  ended_ = true;
  if (input_) self_->send(input_, CloseTransport{});
  if (open_ == 0) return self_->quit();
  self_->send(plan_.out->transport, WriteEof{});
  self_->send(plan_.err->transport, WriteEof{});
}

void State::OnTimeout() {
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
    self_
        ->request(plan_.signals, caf::infinite,
                  SubscribeToSignal{number, SignalObserver(self_)})
        .then([](const Subscribed&) {});
  }
}

// What the terminal generated went to our whole group, the command included.
void State::OnSignal(const SignalDelivery& signal) {
  if (HasTerminal() && signal.code == SI_KERNEL) return;
  self_->request(process_, caf::infinite, SendSignal{signal.number})
      .then([] {}, [](const caf::error&) {});
  if (signal.number == SIGTSTP) kill(getpid(), SIGSTOP);
}

Interface::behavior_type Behavior(StatefulResident<Interface, State>* self,
                                  RunPlan plan,
                                  std::shared_ptr<int> exit_code) {
  State* state = &self->state;
  state->Init(std::move(plan), std::move(exit_code));
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
      [=](const TimerFired&) { state->OnTimeout(); },
      [=](const ConnectionMade&) {},
      [=](DataReceived& data) { state->OnInput(data); },
      [=](const EofReceived&) {},
      [=](const ConnectionLost& lost) { state->OnLost(lost); },
  };
}

}  // namespace

void SpawnRun(RunPlan plan, std::shared_ptr<int> exit_code) {
  Host& host = *plan.services.host;
  SpawnResident(host, Behavior, std::move(plan), std::move(exit_code));
}

}  // namespace troupe
