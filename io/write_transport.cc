#include "io/write_transport.h"

#include <optional>
#include <utility>
#include <vector>

#include "io/answer_requests.h"
#include "io/connection.h"
#include "io/drain_waiters.h"
#include "io/hear_of_ends.h"
#include "io/resident.h"
#include "io/status_error.h"
#include "io/water_marks.h"
#include "io/write_side.h"

namespace troupe {
namespace {

using Interface =
    WriteTransport::extend<caf::reacts_to<FdReady>, caf::reacts_to<WatchEnded>>;

class State : public Connection<Interface, WriteProtocol>,
              public WriteSide::Owner {
 public:
  static constexpr const char* name = "write-transport";

  explicit State(Self* self) : Connection(self, Sides::kWrite) {}
  ~State() override { Forgotten(); }

  void Init(IoHost* host, IoActor io);
  caf::result<Drained> Accept(Bytes bytes, Credit credit);
  caf::result<Drained> Accept(std::vector<Bytes> lines);
  void OnReady(const FdReady& ready);
  void CloseWhenWritten();
  void Abort() { End(absl::OkStatus()); }
  caf::result<TransportInfo> SetLimits(const SetWriteBufferLimits& limits);
  void OnDown(const caf::down_msg& down);
  TransportInfo Info() const override;

 private:
  void Opened() override;
  ConnectionLost LastWords(absl::Status why) override;
  bool Refuses();
  void AnswerIfDrained();

  void OnPause() override { Tell(PauseWriting{}); }
  void OnResume() override {
    Tell(ResumeWriting{});
    waiters_.Answer(writing_->buffered());
  }
  void OnWritten() override {
    waiters_.Answer(0);
    End(absl::OkStatus());
  }
  void OnWriteError(absl::Status why) override { End(std::move(why)); }
  void OnPeerGone() override {
    Note(" was closed by peer");
    End(absl::OkStatus());
  }

  std::optional<WriteSide> writing_;
  DrainWaiters waiters_;
  size_t refused_ = 0;
};

void State::Init(IoHost* host, IoActor io) {
  Serve(host, std::move(io));
  writing_.emplace(host->watches(), host->blocking(), *this,
                   WriteSide::PeerWatch::kHangUp);
}

// Writes that came before the connection was made go out now.
void State::Opened() {
  writing_->Open(watch_, fd_, kind_);
  AnswerIfDrained();
}

bool State::Refuses() {
  const bool refuses = writing_->finishing() || phase_ == Phase::kClosed;
  if (refuses) ++refused_;
  return refuses;
}

// The answer waits for the buffer; a plain message gets none.
caf::result<Drained> State::Accept(Bytes bytes, Credit credit) {
  if (Refuses()) return MakeError(WriteRefused());
  caf::result<Drained> answer = waiters_.Add(self_);
  writing_->Write(std::move(bytes), std::move(credit));
  AnswerIfDrained();
  return answer;
}

caf::result<Drained> State::Accept(std::vector<Bytes> lines) {
  if (Refuses()) return MakeError(WriteRefused());
  caf::result<Drained> answer = waiters_.Add(self_);
  for (Bytes& line : lines) writing_->Add(std::move(line), Credit());
  writing_->Write();
  AnswerIfDrained();
  return answer;
}

void State::AnswerIfDrained() {
  if (phase_ == Phase::kOpen && !writing_->paused()) {
    waiters_.Answer(writing_->buffered());
  }
}

void State::OnReady(const FdReady& ready) {
  if (ready.watch == watch_ && phase_ == Phase::kOpen) {
    writing_->OnReady(ready.readiness);
  }
}

void State::CloseWhenWritten() {
  if (phase_ != Phase::kClosed) writing_->Finish();
}

caf::result<TransportInfo> State::SetLimits(
    const SetWriteBufferLimits& limits) {
  auto marks = WaterMarks::Create(limits.high, limits.low);
  if (!marks.ok()) return MakeError(marks.status());
  writing_->SetMarks(*marks);
  return Info();
}

void State::OnDown(const caf::down_msg& down) {
  if (!LostProtocol(down)) return;
  SetReceiver(WriteProtocol());
  if (owner_) self_->send(owner_, ObserverLost{});
  CloseWhenWritten();
}

TransportInfo State::Info() const {
  const bool closed = phase_ == Phase::kClosed;
  return {.kind = TransportInfo::Kind::kWrite,
          .fd = fd_,
          .closing = writing_->finishing() || closed,
          .closed = closed,
          .reading = {},
          .writing = writing_->Info()};
}

// No ResumeWriting on a loss (W23): the waiters are told by the error.
ConnectionLost State::LastWords(absl::Status why) {
  waiters_.Fail(why.ok() ? absl::CancelledError("the transport was closed")
                         : why);
  const size_t lost = writing_.has_value() ? writing_->Close() : 0;
  return ConnectionLost{std::move(why), lost, refused_};
}

Interface::behavior_type Behavior(StatefulResident<Interface, State>* self,
                                  IoHost* host, IoActor io) {
  State* state = &self->state;
  state->Init(host, std::move(io));
  HearOfEnds(self, state);
  auto asked = [=] { AnswerRequestsOnly(self); };
  return {
      // CAF looks for a message's handler from the first one on.
      [=](Write& write) {
        asked();
        return state->Accept(std::move(write.bytes), std::move(write.credit));
      },
      [=](const FdReady& ready) { state->OnReady(ready); },
      [=](ConnectWritePipe& request) {
        asked();
        return state->Connect(request.fd, std::move(request.protocol),
                              std::move(request.owner));
      },
      [=](WriteLines& write) {
        asked();
        return state->Accept(std::move(write.lines));
      },
      [=](const WriteEof&) { state->CloseWhenWritten(); },
      [=](const CloseTransport&) { state->CloseWhenWritten(); },
      [=](const AbortTransport&) { state->Abort(); },
      [=](SetWriteProtocol& set) {
        asked();
        return state->SetProtocol(std::move(set.protocol));
      },
      [=](const SetWriteBufferLimits& limits) {
        asked();
        return state->SetLimits(limits);
      },
      [=](const GetTransportInfo&) { return state->Info(); },
      [=](const WatchEnded& ended) { state->End(ended.why); },
  };
}

}  // namespace

WriteTransport SpawnWriteTransport(IoHost& host, const IoActor& io) {
  return SpawnResident<caf::hidden>(host, Behavior, &host, io);
}

}  // namespace troupe
