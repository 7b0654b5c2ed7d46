#include "io/sockets/unix_server.h"

#include <algorithm>
#include <iostream>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "caf/actor_addr.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "caf/typed_response_promise.hpp"
#include "io/answer_requests.h"
#include "io/fd_ticket.h"
#include "io/readiness.h"
#include "io/resident.h"
#include "io/sockets/served_connection.h"
#include "io/sockets/socket_accept.h"
#include "io/status_error.h"
#include "io/timer_id.h"
#include "io/watch_id.h"

namespace troupe {
namespace {

constexpr absl::Duration kPause = absl::Seconds(1);

using Interface =
    UnixServer::extend<caf::reacts_to<FdReady>, caf::reacts_to<WatchEnded>,
                       caf::reacts_to<TimerFired>>;

class State {
 public:
  static constexpr const char* name = "unix-server";
  using Self = Interface::base;

  explicit State(Self* self) : self_(self) {}

  void Init(IoHost* host, IoActor io, std::shared_ptr<UnixListener> listener,
            UnixServerOptions options);
  caf::result<Serving> Start();
  void Stop();
  void CloseClients();
  void AbortClients();
  caf::result<ServerClosed> WaitClosed();
  caf::result<ServerClosed> Drain(absl::Duration deadline);
  ServerInfo Info() const;

  void OnReady(const FdReady& ready);
  void OnTimer(const TimerFired& fired);
  void OnDown(const caf::down_msg& down);

 private:
  enum class Phase { kBound, kStarting, kServing, kStopped };

  void Started(const WatchStarted& started);
  void Arm(bool still_ready);
  void Welcome(OwnedFd fd);
  void PauseFor(const absl::Status& why);
  void Tell(absl::Status why);
  void AnswerIfClosed();

  Self* self_;
  IoHost* host_ = nullptr;
  IoActor io_;
  std::shared_ptr<UnixListener> listener_;
  UnixServerOptions options_;
  Phase phase_ = Phase::kBound;
  WatchId watch_;
  int fd_ = -1;
  bool armed_ = false;
  bool in_trouble_ = false;  // since the last connection
  TimerId pause_;
  TimerId deadline_;
  size_t aborted_ = 0;
  uint64_t accepted_ = 0;
  std::map<caf::actor_addr, StreamTransport> connections_;
  std::vector<caf::typed_response_promise<Serving>> starting_;
  std::vector<caf::typed_response_promise<ServerClosed>> waiting_;
};

void State::Init(IoHost* host, IoActor io,
                 std::shared_ptr<UnixListener> listener,
                 UnixServerOptions options) {
  host_ = host;
  io_ = std::move(io);
  listener_ = std::move(listener);
  options_ = std::move(options);
}

// -- serving ------------------------------------------------------------------

caf::result<Serving> State::Start() {
  if (phase_ == Phase::kServing) return Serving{};
  if (phase_ == Phase::kStopped) {
    return MakeError(absl::FailedPreconditionError(absl::StrCat(
        "server ", listener_->address().ToString(), " is closed")));
  }
  if (options_.descriptors && options_.tls != nullptr) {
    return MakeError(
        absl::InvalidArgumentError("descriptors do not go through TLS"));
  }
  if (phase_ == Phase::kBound) {
    absl::Status listens = listener_->Listen();
    if (!listens.ok()) return MakeError(listens);
    phase_ = Phase::kStarting;
    FdObserver observer(self_);
    self_
        ->request(io_, caf::infinite,
                  WatchFd{FdTicket(listener_->TakeFd()), -1, observer, {}})
        .then([this](const WatchStarted& started) { Started(started); },
              [this](const caf::error& why) {
                for (auto& asked : std::exchange(starting_, {})) {
                  asked.deliver(why);
                }
                Stop();
              });
  }
  starting_.push_back(self_->make_response_promise<Serving>());
  return starting_.back();
}

void State::Started(const WatchStarted& started) {
  watch_ = started.watch;
  fd_ = started.fd;
  if (phase_ == Phase::kStopped) {
    self_->send(io_, EndWatch{watch_});
  } else {
    phase_ = Phase::kServing;
    Arm(false);
  }
  for (auto& asked : std::exchange(starting_, {})) asked.deliver(Serving{});
}

// Not while there is a reason to leave clients where they are.
void State::Arm(bool still_ready) {
  if (phase_ != Phase::kServing || armed_ || pause_ != TimerId() ||
      connections_.size() >= options_.max_connections) {
    return;
  }
  armed_ = true;
  host_->watches().Arm(watch_, Side::kRead, Interest::kReadable, still_ready);
}

// The backlog is empty when accept says so; until then the selector may say
// nothing.
void State::OnReady(const FdReady&) {
  armed_ = false;
  if (phase_ != Phase::kServing) return;
  for (int i = 0; i < std::max(listener_->backlog(), 1); ++i) {
    if (connections_.size() >= options_.max_connections) return;
    auto accepted = AcceptConnection(fd_);
    if (!accepted.ok()) return PauseFor(accepted.status());
    if (!accepted->has_value()) return Arm(false);
    in_trouble_ = false;
    Welcome(std::move((*accepted)->fd));
  }
  Arm(true);
}

void State::Welcome(OwnedFd fd) {
  ++accepted_;
  auto served = NewServedConnection(*host_, io_, options_);
  if (!served.ok()) return Tell(served.status());
  self_->monitor(served->stream);
  connections_.emplace(served->stream.address(), served->stream);
  self_
      ->request(served->stream, caf::infinite,
                ConnectStream{FdTicket(std::move(fd)),
                              std::move(served->protocol),
                              {},
                              options_.after_eof,
                              std::move(served->descriptors)})
      .then([](const Connected&) {},
            [this](const caf::error& why) { Tell(StatusOf(why)); });
}

void State::PauseFor(const absl::Status& why) {
  if (!std::exchange(in_trouble_, true)) Tell(why);
  pause_ = TimerId::Next();
  self_->send(io_, StartTimer{pause_, kPause, TimerObserver(self_)});
}

void State::Tell(absl::Status why) {
  if (options_.owner) {
    self_->send(options_.owner, ServerTrouble{std::move(why)});
  } else {
    std::cerr << "troupe: server " << listener_->address().ToString() << ": "
              << why.message() << std::endl;
  }
}

void State::OnTimer(const TimerFired& fired) {
  if (fired.timer == pause_) {
    pause_ = TimerId();
    Arm(true);
  } else if (fired.timer == deadline_) {
    aborted_ += connections_.size();
    AbortClients();
  }
}

// -- the end ------------------------------------------------------------------

// The file goes first, while the descriptor is still ours.
void State::Stop() {
  if (phase_ == Phase::kStopped) return;
  const bool watched = phase_ == Phase::kServing;
  phase_ = Phase::kStopped;
  absl::Status removed = listener_->Close();
  if (!removed.ok()) Tell(removed);
  if (watched) self_->send(io_, EndWatch{watch_});
  AnswerIfClosed();
}

void State::CloseClients() {
  for (const auto& [address, stream] : connections_) {
    self_->send(stream, CloseTransport{});
  }
}

void State::AbortClients() {
  for (const auto& [address, stream] : connections_) {
    self_->send(stream, AbortTransport{});
  }
}

caf::result<ServerClosed> State::WaitClosed() {
  waiting_.push_back(self_->make_response_promise<ServerClosed>());
  caf::result<ServerClosed> answer = waiting_.back();
  AnswerIfClosed();
  return answer;
}

caf::result<ServerClosed> State::Drain(absl::Duration deadline) {
  Stop();
  CloseClients();
  deadline_ = TimerId::Next();
  self_->send(io_, StartTimer{deadline_, deadline, TimerObserver(self_)});
  return WaitClosed();
}

void State::OnDown(const caf::down_msg& down) {
  if (connections_.erase(caf::actor_cast<caf::actor_addr>(down.source)) == 0) {
    return;
  }
  Arm(true);
  AnswerIfClosed();
}

void State::AnswerIfClosed() {
  if (phase_ != Phase::kStopped || !connections_.empty()) return;
  for (auto& waiting : std::exchange(waiting_, {})) {
    waiting.deliver(ServerClosed{aborted_});
  }
}

ServerInfo State::Info() const {
  ServerInfo info;
  info.address = listener_->address();
  info.serving = phase_ == Phase::kServing;
  info.accepted = accepted_;
  for (const auto& [address, stream] : connections_) {
    info.connections.push_back(stream);
  }
  return info;
}

// -- the actor ----------------------------------------------------------------

Interface::behavior_type Behavior(StatefulResident<Interface, State>* self,
                                  IoHost* host, IoActor io,
                                  std::shared_ptr<UnixListener> listener,
                                  UnixServerOptions options) {
  State* state = &self->state;
  state->Init(host, std::move(io), std::move(listener), std::move(options));
  self->set_down_handler(
      [=](const caf::down_msg& down) { state->OnDown(down); });
  auto asked = [=] { AnswerRequestsOnly(self); };
  return {
      [=](const StartServing&) {
        asked();
        return state->Start();
      },
      [=](const StopServing&) { state->Stop(); },
      [=](const CloseClients&) { state->CloseClients(); },
      [=](const AbortClients&) { state->AbortClients(); },
      [=](const WaitClosed&) {
        asked();
        return state->WaitClosed();
      },
      [=](const DrainServer& drain) {
        asked();
        return state->Drain(drain.deadline);
      },
      [=](const GetServerInfo&) { return state->Info(); },
      [=](const FdReady& ready) { state->OnReady(ready); },
      [=](const WatchEnded&) { state->Stop(); },
      [=](const TimerFired& fired) { state->OnTimer(fired); },
  };
}

}  // namespace

UnixServer SpawnUnixServer(IoHost& host, const IoActor& io,
                           UnixListener listener, UnixServerOptions options) {
  return SpawnResident<caf::hidden>(
      host, Behavior, &host, io,
      std::make_shared<UnixListener>(std::move(listener)), std::move(options));
}

}  // namespace troupe
