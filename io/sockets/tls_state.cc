#include "io/sockets/tls_state.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "io/read_buffer.h"
#include "io/resident.h"
#include "io/status_error.h"

namespace troupe {
namespace {

// Answers that a peer may ask for and not read (key updates).
constexpr size_t kMostAnswers = 1024 * 1024;

}  // namespace

void TlsState::Init(IoHost* host, IoActor io, TlsTransportOptions options) {
  StreamState::Init(host, std::move(io), options.stream.window);
  reading_->LendChunks();
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
  if (closing_ && later_.empty()) return End(absl::OkStatus());
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
  Pump();
  AnswerIfDrained();
  if (closing_) StopReading();
  if (!paused_ && !closing_) Resume();
}

// -- reading ------------------------------------------------------------------

void TlsState::OnChunk(Bytes bytes, Credit) {
  session_->Receive(std::move(bytes));
  GoOn();
  session_->KeepCopy();
}

void TlsState::OnEof() {
  session_->ReceiveEnd();
  GoOn();
}

// What was read before is delivered first.
void TlsState::OnReadError(absl::Status why) {
  if (phase_ != Phase::kOpen) return StreamState::OnReadError(std::move(why));
  read_error_ = std::move(why);
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
  while (phase_ == Phase::kOpen && !ended_ && !ReceiverGone() &&
         reading_->MayDeliver() && DeliverOnce()) {
  }
  reading_->buffer().GiveBack();
  if (!later_.empty() || end_wanted_) Pump();
}

// False: there is nothing more to deliver.
bool TlsState::DeliverOnce() {
  ReadBuffer& buffer = reading_->buffer();
  auto got = session_->Read(buffer.Room(kRecord));
  const size_t answered = session_->has_output() ? PutOutput() : 0;
  if (!got.ok()) {
    Fail(got.status());
    return false;
  }
  if (TooManyAnswers(answered)) return false;
  if (got->size > 0) {
    if (host_->warm().Enter(*this)) session_->KeepBuffers(true);
    auto [bytes, credit] = buffer.Commit(got->size);
    TellNow(DataReceived{std::move(bytes), std::move(credit)});
    return !got->would_block || !read_error_.ok();
  }
  if (got->would_block) {
    if (!read_error_.ok()) StreamState::OnReadError(read_error_);
  } else {
    ended_ = true;
    reading_->Close();
    StreamState::OnEof();
  }
  return false;
}

// That nobody reads, and that would fill our memory.
bool TlsState::TooManyAnswers(size_t more) {
  if (more == 0) return false;
  writing_->Write();
  if (phase_ != Phase::kOpen) return true;
  answers_ = writing_->queued() == 0 ? 0 : answers_ + more;
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

// What waits must not look like nothing.
void TlsState::OnReady(const FdReady& ready) {
  if (ready.side == Side::kRead) return StreamState::OnReady(ready);
  if (!later_.empty()) Pump();
  StreamState::OnReady(ready);
  if (!later_.empty()) Pump();
}

void TlsState::OnCredit() {
  GoOn();
  StreamState::OnCredit();
}

caf::result<TlsInfo> TlsState::Tls() const {
  if (!Established()) return StreamState::Tls();
  return TlsInfo{session_->version(), session_->cipher(), session_->alpn(),
                 session_->peer_certificate()};
}

}  // namespace troupe
