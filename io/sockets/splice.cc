#include "io/sockets/splice.h"

#include <sys/socket.h>

#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "caf/actor_cast.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "caf/typed_response_promise.hpp"
#include "io/answer_requests.h"
#include "io/resident.h"
#include "io/sockets/splice_pump.h"
#include "io/status_error.h"
#include "io/tell.h"
#include "io/watch_table.h"

namespace troupe {
namespace {

// Before the neighbours get their turn.
constexpr size_t kBytesPerTurn = 1024 * 1024;

using Interface =
    Splicer::extend<caf::reacts_to<FdReady>, caf::reacts_to<WatchEnded>>;

class State {
 public:
  static constexpr const char* name = "splice";
  using Self = Interface::base;

  explicit State(Self* self) : self_(self) {}
  ~State() { Finish(absl::CancelledError("the splice was ended")); }

  void Init(IoHost* host, IoActor io) {
    host_ = host;
    io_ = std::move(io);
  }
  caf::result<Spliced> Start(const Splice& request);
  void OnReady(const FdReady& ready);
  void Cancel();
  void End(const absl::Status& why, caf::error reason = {});

 private:
  void Watch(Side side);
  void OnWatched(Side side, const WatchStarted& started);
  void Go();
  void Wait();
  void Arm(Side side, Interest interest, bool still_ready = false);
  bool Finish(const absl::Status& why);

  WatchId& watch(Side side) { return watches_[static_cast<int>(side)]; }

  enum class Phase { kIdle, kWatching, kRunning, kOver };

  Self* self_;
  IoHost* host_ = nullptr;
  IoActor io_;
  Phase phase_ = Phase::kIdle;
  // Of `from`, which is read, and of `to`, which is written.
  FdTicket tickets_[2];
  WatchId watches_[2];
  int to_ = -1;
  std::optional<SplicePump> pump_;
  caf::typed_response_promise<Spliced> promise_;
};

caf::result<Spliced> State::Start(const Splice& request) {
  if (phase_ != Phase::kIdle) {
    return MakeError(absl::FailedPreconditionError("it splices already"));
  }
  promise_ = self_->make_response_promise<Spliced>();
  caf::result<Spliced> answer = promise_;
  auto pump = SplicePump::Create(request.from.number(), request.to.number(),
                                 request.count);
  if (!pump.ok()) {
    End(pump.status());
    return answer;
  }
  pump_.emplace(*std::move(pump));
  tickets_[0] = request.from;
  tickets_[1] = request.to;
  to_ = request.to.number();
  phase_ = Phase::kWatching;
  Watch(Side::kRead);
  return answer;
}

void State::Watch(Side side) {
  const FdObserver observer(self_);
  WatchFd request{
      std::exchange(tickets_[static_cast<int>(side)], {}), -1, {}, {}};
  (side == Side::kRead ? request.reader : request.writer) = observer;
  self_->request(io_, caf::infinite, std::move(request))
      .then(
          [=, this](const WatchStarted& started) { OnWatched(side, started); },
          [this](const caf::error& why) { End(StatusOf(why)); });
}

void State::OnWatched(Side side, const WatchStarted& started) {
  watch(side) = started.watch;
  if (side == Side::kRead) return Watch(Side::kWrite);
  phase_ = Phase::kRunning;
  Go();
}

void State::OnReady(const FdReady& ready) {
  if (phase_ != Phase::kRunning) return;
  if (ready.watch == watch(Side::kRead)) {
    pump_->OnFromReady();
  } else if (pump_->wants_to()) {
    pump_->OnToReady();
  } else if (ready.readiness.HungUp() || ready.readiness.Error()) {
    pump_->OnToGone();
  }
  Go();
}

void State::Go() {
  switch (pump_->Run(kBytesPerTurn)) {
    case SplicePump::State::kWaiting:
      return Wait();
    case SplicePump::State::kMore:
      return Arm(Side::kRead, Interest::kReadable, /*still_ready=*/true);
    case SplicePump::State::kOver:
      return End(absl::OkStatus());
    case SplicePump::State::kFailed:
      return End(pump_->failure());
  }
}

// Whoever reads `to` may go also while nothing is written.
void State::Wait() {
  if (pump_->wants_from()) Arm(Side::kRead, Interest::kReadable);
  Arm(Side::kWrite,
      pump_->wants_to() ? Interest::kWritable : Interest::kPeerGone);
}

void State::Arm(Side side, Interest interest, bool still_ready) {
  host_->watches().Arm(watch(side), side, interest, still_ready);
}

void State::Cancel() {
  std::string text =
      absl::StrCat("splice was cancelled after ",
                   pump_.has_value() ? pump_->bytes() : 0, " bytes");
  if (pump_.has_value() && pump_->in_pipe() > 0) {
    absl::StrAppend(&text, ", ", pump_->in_pipe(), " more are lost");
  }
  End(absl::CancelledError(text));
}

void State::End(const absl::Status& why, caf::error reason) {
  if (Finish(why)) self_->quit(std::move(reason));
}

// `to` is told of the end before anybody hears that it has been. A watch that
// is on its way ends with the actor.
bool State::Finish(const absl::Status& why) {
  if (std::exchange(phase_, Phase::kOver) == Phase::kOver) return false;
  if (why.ok() && pump_->from_ended()) shutdown(to_, SHUT_WR);
  for (const WatchId watch : watches_) {
    if (watch.value == 0) continue;
    TellFrom(self_, caf::actor_cast<caf::abstract_actor*>(io_), EndWatch{watch},
             host_);
  }
  auto promise = std::exchange(promise_, {});
  if (why.ok()) {
    promise.deliver(Spliced{pump_->bytes()});
  } else {
    promise.deliver(MakeError(why));
  }
  return true;
}

Interface::behavior_type Behavior(StatefulResident<Interface, State>* self,
                                  IoHost* host, IoActor io) {
  State* state = &self->state;
  state->Init(host, std::move(io));
  self->set_exit_handler([=](const caf::exit_msg& exit) {
    if (exit.reason) state->End(StatusOf(exit.reason), exit.reason);
  });
  return {
      // CAF looks for a message's handler from the first one on.
      [=](const FdReady& ready) { state->OnReady(ready); },
      [=](const Splice& request) {
        AnswerRequestsOnly(self);
        return state->Start(request);
      },
      [=](const CancelSplice&) { state->Cancel(); },
      [=](const WatchEnded& ended) { state->End(ended.why); },
  };
}

}  // namespace

Splicer SpawnSplice(IoHost& host, const IoActor& io) {
  return SpawnResident<caf::hidden>(host, Behavior, &host, io);
}

}  // namespace troupe
