#include "process/silence_watch.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "io/resident.h"

namespace troupe {
namespace {

// Whoever is told to wait for nothing must not spin.
constexpr absl::Duration kShortest = absl::Milliseconds(1);

class State {
 public:
  static constexpr const char* name = "silence-watch";
  using Self = TimerObserver::stateful_base<State>;

  explicit State(Self* self) : self_(self) {}

  void Begin(IoActor io, WatchedStreams streams) {
    io_ = std::move(io);
    streams_ = std::move(streams);
    Look();
  }

  // Asks every output how it stands.
  void Look() {
    asked_ = streams_.outputs.size();
    delivered_ = 0;
    busy_ = false;
    if (asked_ == 0) return Judge();
    for (const ReadTransport& output : streams_.outputs) {
      self_->request(output, caf::infinite, GetTransportInfo{})
          .then([this](const TransportInfo& info) { Hear(info); },
                [this](const caf::error&) { Hear(std::nullopt); });
    }
  }

 private:
  // Nothing: that stream is gone.
  void Hear(const std::optional<TransportInfo>& info) {
    if (info.has_value()) {
      const ReadingInfo& reading = info->reading;
      delivered_ += reading.delivered;
      busy_ =
          busy_ || info->fd < 0 || reading.in_flight > 0 || reading.unread > 0;
    }
    if (--asked_ == 0) Judge();
  }

  // Silence is from one look to the next, and neither finds a stream busy: one
  // may have been busy until just before it.
  void Judge() {
    const std::optional<size_t> now =
        busy_ ? std::nullopt : std::optional<size_t>(delivered_);
    const bool silent = now.has_value() && last_delivered_ == now;
    last_delivered_ = now;
    if (!silent) {
      self_->send(io_, StartTimer{TimerId::Next(),
                                  std::max(streams_.silence, kShortest),
                                  TimerObserver(self_)});
      return;
    }
    for (const ReadTransport& output : streams_.outputs) {
      self_->send(output, CloseTransport{});
    }
    if (streams_.in) self_->send(streams_.in, AbortTransport{});
    self_->quit();
  }

  Self* self_;
  IoActor io_;
  WatchedStreams streams_;
  size_t asked_ = 0;  // not answered yet
  size_t delivered_ = 0;
  bool busy_ = false;
  std::optional<size_t> last_delivered_;  // at the last look, if none was busy
};

TimerObserver::behavior_type Behavior(
    StatefulResident<TimerObserver, State>* self, IoActor io,
    WatchedStreams streams) {
  State* state = &self->state;
  state->Begin(std::move(io), std::move(streams));
  return {[=](const TimerFired&) { state->Look(); }};
}

}  // namespace

TimerObserver SpawnSilenceWatch(IoHost& host, const IoActor& io,
                                WatchedStreams streams) {
  return SpawnResident<caf::hidden>(host, Behavior, io, std::move(streams));
}

}  // namespace troupe
