#include "tests/stress/stream_player.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <random>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "caf/typed_event_based_actor.hpp"
#include "io/bytes.h"
#include "io/credit.h"
#include "io/resident.h"
#include "io/timer_id.h"

namespace troupe {
namespace {

constexpr int kMostInBurst = 4;
constexpr int kMostPauseUs = 2000;

template <class Self>
class Player {
 public:
  Player(Self self, StreamTransport stream, IoActor io, PlayerPlan plan,
         const BytePattern& pattern, PlayerReport* report)
      : self_(self),
        stream_(std::move(stream)),
        io_(std::move(io)),
        plan_(plan),
        pattern_(pattern),
        report_(*report),
        random_(plan.seed) {}

  void OnBegin() {
    begun_ = true;
    Step();
  }
  void OnMade();
  void OnData(DataReceived& data);
  void OnEof();
  void OnPause();
  void OnResume();
  void OnLost(const ConnectionLost& lost);
  void OnTimer(const TimerFired& fired);

 private:
  bool OneIn(int n) { return random_() % n == 0; }
  size_t ChunkSize(size_t most);
  TimerId Pause();
  void Complain(std::string text) {
    if (report_.complaint.empty()) report_.complaint = std::move(text);
  }

  void Step();
  void WriteBurst();
  Write NextWrite(size_t size);
  void EndOurSide();
  void AbortIfDue();

  const Self self_;
  const StreamTransport stream_;
  const IoActor io_;
  const PlayerPlan plan_;
  const BytePattern& pattern_;
  PlayerReport& report_;
  std::mt19937_64 random_;
  bool begun_ = false;
  bool over_ = false;     // writes no more
  bool waits_ = false;    // for Drained or a timer
  bool blocked_ = false;  // by the high mark
  bool reading_ = true;
  TimerId write_pause_;
  TimerId read_pause_;
  TimerId keep_;
  std::vector<Credit> kept_;
};

template <class Self>
TimerId Player<Self>::Pause() {
  const TimerId timer = TimerId::Next();
  self_->send(io_,
              StartTimer{timer, absl::Microseconds(random_() % kMostPauseUs),
                         TimerObserver(self_)});
  return timer;
}

// Each order of magnitude is as likely as the others.
template <class Self>
size_t Player<Self>::ChunkSize(size_t most) {
  std::uniform_real_distribution<> exponent(0, std::log2(most));
  return std::clamp<size_t>(std::exp2(exponent(random_)), 1, most);
}

// -- told ---------------------------------------------------------------------

template <class Self>
void Player<Self>::OnMade() {
  if (report_.received > 0 || report_.eofs > 0 || report_.lost > 0) {
    Complain("ConnectionMade is not first");
  }
  ++report_.made;
  Step();
}

template <class Self>
void Player<Self>::OnData(DataReceived& data) {
  if (report_.made == 0) Complain("data before ConnectionMade");
  if (report_.eofs > 0) Complain("data after EofReceived");
  if (report_.lost > 0) Complain("data after ConnectionLost");
  if (data.bytes.empty()) Complain("a chunk without bytes");
  if (data.bytes.view() !=
      pattern_.View(plan_.in, report_.received, data.bytes.size())) {
    Complain(absl::StrCat("other bytes than sent at ", report_.received, " of ",
                          data.bytes.size()));
  }
  report_.received += data.bytes.size();
  if (OneIn(8)) {
    kept_.push_back(std::move(data.credit));
    if (keep_ == TimerId()) keep_ = Pause();
  }
  if (reading_ && OneIn(16)) {
    reading_ = false;
    self_->send(stream_, PauseReading{});
    read_pause_ = Pause();
  }
  AbortIfDue();
}

template <class Self>
void Player<Self>::OnEof() {
  if (report_.lost > 0) Complain("EofReceived after ConnectionLost");
  ++report_.eofs;
  if (plan_.after_eof == AfterEof::kClose) over_ = true;
}

template <class Self>
void Player<Self>::OnPause() {
  if (blocked_) Complain("PauseWriting twice");
  blocked_ = true;
  ++report_.pauses;
}

template <class Self>
void Player<Self>::OnResume() {
  if (!blocked_) Complain("ResumeWriting without PauseWriting");
  blocked_ = false;
  Step();
}

template <class Self>
void Player<Self>::OnLost(const ConnectionLost& lost) {
  over_ = true;
  kept_.clear();
  report_.why = lost.why;
  report_.bytes_lost = lost.bytes_lost;
  report_.writes_refused = lost.writes_refused;
  report_.lost.fetch_add(1);
}

template <class Self>
void Player<Self>::OnTimer(const TimerFired& fired) {
  if (fired.timer == write_pause_) {
    waits_ = false;
    Step();
  } else if (fired.timer == read_pause_) {
    reading_ = true;
    self_->send(stream_, ResumeReading{});
  } else if (fired.timer == keep_) {
    keep_ = TimerId();
    kept_.clear();
  }
}

// -- done ---------------------------------------------------------------------

template <class Self>
void Player<Self>::Step() {
  if (!begun_ || report_.made == 0 || over_ || waits_ || blocked_) return;
  AbortIfDue();
  if (over_) return;
  if (report_.sent == plan_.to_send) return EndOurSide();
  waits_ = true;
  if (OneIn(8)) {
    write_pause_ = Pause();
  } else {
    WriteBurst();
  }
}

template <class Self>
Write Player<Self>::NextWrite(size_t size) {
  Write write{Bytes::Copy(pattern_.View(plan_.out, report_.sent, size)), {}};
  report_.sent += size;
  return write;
}

// The last is a request: its answer is the sign to go on.
template <class Self>
void Player<Self>::WriteBurst() {
  size_t left = std::min(plan_.max_chunk, plan_.to_send - report_.sent);
  size_t size = ChunkSize(left);
  for (int n = random_() % kMostInBurst; n > 0 && size < left; --n) {
    caf::anon_send(stream_, NextWrite(size));
    left -= size;
    size = ChunkSize(left);
  }
  self_->request(stream_, caf::infinite, NextWrite(size))
      .then(
          [this](const Drained&) {
            waits_ = false;
            Step();
          },
          [this](const caf::error&) { over_ = true; });
}

// The peer's end is the end of both after ours, or we close.
template <class Self>
void Player<Self>::EndOurSide() {
  over_ = true;
  if (report_.eofs > 0 && OneIn(2)) {
    self_->send(stream_, CloseTransport{});
  } else {
    self_->send(stream_, WriteEof{});
  }
}

template <class Self>
void Player<Self>::AbortIfDue() {
  if (report_.aborted || report_.lost > 0 ||
      report_.sent + report_.received < plan_.abort_after) {
    return;
  }
  report_.aborted = over_ = true;
  self_->send(stream_, AbortTransport{});
}

// -- the actor ----------------------------------------------------------------

template <class Self>
StreamPlayer::behavior_type Handlers(Self self, StreamTransport stream,
                                     IoActor io, const PlayerPlan& plan,
                                     const BytePattern* pattern,
                                     PlayerReport* report) {
  auto player = std::make_shared<Player<Self>>(
      self, std::move(stream), std::move(io), plan, *pattern, report);
  return {
      [=](const ConnectionMade&) { player->OnMade(); },
      [=](DataReceived& data) { player->OnData(data); },
      [=](const EofReceived&) { player->OnEof(); },
      [=](const PauseWriting&) { player->OnPause(); },
      [=](const ResumeWriting&) { player->OnResume(); },
      [=](const ConnectionLost& lost) { player->OnLost(lost); },
      [=](const Begin&) { player->OnBegin(); },
      [=](const TimerFired& fired) { player->OnTimer(fired); },
  };
}

StreamPlayer::behavior_type OnWorker(StreamPlayer::pointer self,
                                     StreamTransport stream, IoActor io,
                                     PlayerPlan plan,
                                     const BytePattern* pattern,
                                     PlayerReport* report) {
  return Handlers(self, std::move(stream), std::move(io), plan, pattern,
                  report);
}

StreamPlayer::behavior_type OnHost(Resident<StreamPlayer::base>* self,
                                   StreamTransport stream, IoActor io,
                                   PlayerPlan plan, const BytePattern* pattern,
                                   PlayerReport* report) {
  return Handlers(self, std::move(stream), std::move(io), plan, pattern,
                  report);
}

}  // namespace

StreamPlayer SpawnPlayer(caf::actor_system& system, StreamTransport stream,
                         IoActor io, PlayerPlan plan,
                         const BytePattern& pattern, PlayerReport* report) {
  return system.spawn<caf::hidden>(OnWorker, std::move(stream), std::move(io),
                                   plan, &pattern, report);
}

StreamPlayer SpawnResidentPlayer(IoHost& host, StreamTransport stream,
                                 IoActor io, PlayerPlan plan,
                                 const BytePattern& pattern,
                                 PlayerReport* report) {
  return SpawnResident<caf::hidden>(host, OnHost, std::move(stream),
                                    std::move(io), plan, &pattern, report);
}

}  // namespace troupe
