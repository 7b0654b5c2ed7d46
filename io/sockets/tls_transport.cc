#include "io/sockets/tls_transport.h"

#include <deque>
#include <memory>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "io/bytes.h"
#include "io/credit.h"
#include "io/resident.h"
#include "io/sockets/stream_behavior.h"
#include "io/sockets/stream_state.h"
#include "io/status_error.h"
#include "io/timer_id.h"
#include "io/tls/tls_session.h"

namespace troupe {
namespace {

// A record's plaintext.
constexpr size_t kRecord = 16 * 1024;
// Answers that a peer may ask for and not read (key updates).
constexpr size_t kMostAnswers = 1024 * 1024;

class TlsState : public StreamState {
 public:
  static constexpr const char* name = "tls-transport";

  explicit TlsState(Self* self) : StreamState(self) {}

  void Init(IoHost* host, IoActor io, TlsTransportOptions options);

  void Pause() override;
  void Resume() override;
  void OnCredit() override;
  void OnTimer(const TimerFired& fired) override;
  caf::result<TlsInfo> Tls() const override;

 private:
  // StreamState.
  void Send(Bytes bytes, Credit credit) override;
  void SendAtOnce(Bytes bytes, Credit credit) override;
  bool SendEnd() override;
  void ShutDown() override {}
  void StopReading() override;

  // Connection.
  absl::StatusOr<DescriptorKind> CheckDescriptor(const FdTicket& fd) override;
  void Watched() override;
  void Opened() override;

  // WriteSide::Owner.
  void OnWriteError(absl::Status why) override;

  // ReadSide::Receiver.
  void OnChunk(Bytes bytes, Credit) override;
  void OnEof() override;

  bool Established() const { return session_ && session_->handshake_done(); }
  void GoOn();
  void ShakeHands();
  void Deliver();
  size_t PutOutput(Credit credit = Credit());
  bool TooManyAnswers(size_t more);
  void Fail(const absl::Status& why);

  TlsTransportOptions options_;
  std::unique_ptr<TlsSession> session_;
  TimerId handshake_timer_;
  std::deque<std::pair<Bytes, Credit>> early_;  // written before
  bool held_ = true;     // nothing is delivered before the protocol is ready
  bool paused_ = false;  // by the protocol
  bool ended_ = false;   // the session has nothing more to read
  bool end_wanted_ = false;
  bool unsent_ = false;  // something of the protocol's may be in the buffer
  size_t answers_ = 0;
};

void TlsState::Init(IoHost* host, IoActor io, TlsTransportOptions options) {
  StreamState::Init(host, std::move(io), options.stream.window);
  options_ = std::move(options);
}

// -- the handshake ------------------------------------------------------------

absl::StatusOr<DescriptorKind> TlsState::CheckDescriptor(const FdTicket& fd) {
  auto kind = StreamState::CheckDescriptor(fd);
  if (!kind.ok()) return kind;
  if (*kind != DescriptorKind::kStreamSocket) {
    return absl::InvalidArgumentError(
        "TLS needs a stream: this socket keeps message boundaries");
  }
  if (options_.context == nullptr) {
    return absl::InvalidArgumentError("TLS without a context");
  }
  auto session =
      options_.context->is_server()
          ? TlsSession::Server(options_.context)
          : TlsSession::Client(options_.context, options_.server_hostname);
  if (!session.ok()) return session.status();
  session_ = *std::move(session);
  return kind;
}

void TlsState::Watched() {
  if (closing_ && early_.empty()) return End(absl::OkStatus());
  handshake_timer_ = TimerId::Next();
  self_->send(io_, StartTimer{handshake_timer_, options_.handshake_timeout,
                              TimerObserver(self_)});
  writing_->Open(watch_, fd_, kind_);
  reading_->Open(watch_, fd_, kind_);
  ShakeHands();
}

void TlsState::ShakeHands() {
  absl::Status done = session_->Handshake();
  if (!done.ok()) return Fail(done);
  PutOutput();
  writing_->Write();
  if (phase_ != Phase::kGreeting || !session_->handshake_done()) return;
  self_->send(io_, CancelTimer{handshake_timer_});
  reading_->Pause();
  Introduce();
}

void TlsState::OnTimer(const TimerFired& fired) {
  if (!(fired.timer == handshake_timer_)) return StreamState::OnTimer(fired);
  if (phase_ != Phase::kGreeting) return;
  Fail(absl::DeadlineExceededError(
      absl::StrCat("TLS handshake took longer than ",
                   absl::FormatDuration(options_.handshake_timeout))));
}

// What was written before goes out now, that of ConnectionMade included. A
// close before is remembered.
void TlsState::Opened() {
  held_ = false;
  for (auto& [bytes, credit] : std::exchange(early_, {})) {
    if (phase_ == Phase::kOpen) Send(std::move(bytes), std::move(credit));
  }
  if (phase_ == Phase::kOpen) writing_->Write();
  AnswerIfDrained();
  if (closing_) StopReading();
  if (end_wanted_ && phase_ == Phase::kOpen) FinishWriting();
  if (!paused_ && !closing_) Resume();
}

// -- reading ------------------------------------------------------------------

void TlsState::OnChunk(Bytes bytes, Credit) {
  session_->Receive(std::move(bytes));
  GoOn();
}

void TlsState::OnEof() {
  session_->ReceiveEnd();
  GoOn();
}

void TlsState::GoOn() {
  if (phase_ == Phase::kGreeting) {
    ShakeHands();
  } else if (phase_ == Phase::kOpen && !held_) {
    Deliver();
  }
}

// As far as credit goes. What is left in the session comes when it is back.
void TlsState::Deliver() {
  ReadBuffer& buffer = reading_->buffer();
  while (phase_ == Phase::kOpen && !ended_ && !ReceiverGone() &&
         reading_->MayDeliver()) {
    auto got = session_->Read(buffer.Room(kRecord));
    const size_t answered = PutOutput();
    if (!got.ok()) return Fail(got.status());
    if (TooManyAnswers(answered)) return;
    if (got->would_block) break;
    if (got->size == 0) {
      ended_ = true;
      reading_->Close();
      StreamState::OnEof();
      break;
    }
    auto [bytes, credit] = buffer.Commit(got->size);
    TellNow(DataReceived{std::move(bytes), std::move(credit)});
  }
  buffer.GiveBack();
  if (phase_ == Phase::kOpen) writing_->Write();
}

// That nobody reads, and that would fill our memory.
bool TlsState::TooManyAnswers(size_t more) {
  if (more == 0) return false;
  writing_->Write();
  if (phase_ != Phase::kOpen) return true;
  answers_ = writing_->buffered() == 0 ? 0 : answers_ + more;
  if (answers_ <= kMostAnswers) return false;
  Fail(absl::ResourceExhaustedError(
      "the TLS peer asks for answers and does not read them"));
  return true;
}

void TlsState::Pause() {
  paused_ = true;
  StreamState::Pause();
}

void TlsState::Resume() {
  paused_ = false;
  if (held_ || phase_ != Phase::kOpen) return;
  reading_->Resume();
  Deliver();
}

void TlsState::OnCredit() {
  GoOn();
  StreamState::OnCredit();
}

// -- writing ------------------------------------------------------------------

void TlsState::Send(Bytes bytes, Credit credit) {
  if (held_) {
    early_.emplace_back(std::move(bytes), std::move(credit));
    return;
  }
  absl::Status written = session_->Write(bytes.view());
  if (!written.ok()) return Fail(written);
  PutOutput(std::move(credit));
  unsent_ = true;
}

void TlsState::SendAtOnce(Bytes bytes, Credit credit) {
  Send(std::move(bytes), std::move(credit));
  writing_->Write();
}

bool TlsState::SendEnd() {
  end_wanted_ = true;
  if (held_) return false;
  absl::Status closed = session_->Close();
  PutOutput();
  if (!closed.ok()) Fail(closed);
  return true;
}

// The handshake goes on, if something waits for it.
void TlsState::StopReading() {
  if (!held_) return StreamState::StopReading();
  if (phase_ == Phase::kGreeting && early_.empty()) End(absl::OkStatus());
}

// A peer that is gone does not need our tickets and our goodbye.
void TlsState::OnWriteError(absl::Status why) {
  if (unsent_ || !early_.empty()) {
    return StreamState::OnWriteError(std::move(why));
  }
  GiveUpWriting();
}

// The credit of what was encrypted goes with its last piece.
size_t TlsState::PutOutput(Credit credit) {
  if (writing_->buffered() == 0) unsent_ = false;
  size_t size = 0;
  Bytes piece = session_->TakeOutput();
  while (!piece.empty()) {
    Bytes next = session_->TakeOutput();
    size += piece.size();
    writing_->Add(std::move(piece),
                  next.empty() ? std::move(credit) : Credit());
    piece = std::move(next);
  }
  return size;
}

// The alert is worth a try.
void TlsState::Fail(const absl::Status& why) {
  PutOutput();
  writing_->Write();
  if (phase_ != Phase::kClosed) End(why);
}

caf::result<TlsInfo> TlsState::Tls() const {
  if (!Established()) return StreamState::Tls();
  return TlsInfo{session_->version(), session_->cipher(), session_->alpn(),
                 session_->peer_certificate()};
}

StreamInterface::behavior_type Behavior(
    StatefulResident<StreamInterface, TlsState>* self, IoHost* host, IoActor io,
    TlsTransportOptions options) {
  self->state.Init(host, std::move(io), std::move(options));
  return StreamBehavior(self, &self->state);
}

}  // namespace

StreamTransport SpawnTlsTransport(IoHost& host, const IoActor& io,
                                  TlsTransportOptions options) {
  return SpawnResident<caf::hidden>(host, Behavior, &host, io,
                                    std::move(options));
}

}  // namespace troupe
