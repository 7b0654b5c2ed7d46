#include "io/sockets/tls_transport.h"

#include <array>
#include <deque>
#include <memory>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "io/bytes.h"
#include "io/credit.h"
#include "io/resident.h"
#include "io/sockets/file_transfer.h"
#include "io/sockets/stream_behavior.h"
#include "io/sockets/stream_state.h"
#include "io/status_error.h"
#include "io/timer_id.h"
#include "io/tls/tls_session.h"
#include "io/transfer.h"

namespace troupe {
namespace {

// A record's plaintext.
constexpr size_t kRecord = 16 * 1024;
// Of files, before the neighbours get their turn.
constexpr size_t kFileBytesPerTurn = 1024 * 1024;
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
  void OnReady(const FdReady& ready) override;

 private:
  // What waits for the handshake, or for the end of a file in front of it.
  struct Later {
    Bytes bytes;
    Credit credit;
    FileTransfer::Shared file;  // instead of bytes
  };

  // StreamState.
  void Send(Bytes bytes, Credit credit) override;
  void SendAtOnce(Bytes bytes, Credit credit) override;
  void Send(FileTransfer::Shared file) override;
  absl::Status CheckFile(const SendFile& request) const override;
  void FilesEnded() override { Pump(); }
  bool SendEnd() override;
  void ShutDown() override {}
  absl::Status CheckPassing(int fd) const override;
  bool StandsStill() const override { return paused_; }
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
  void OnReadError(absl::Status why) override;

  bool Established() const { return session_ && session_->handshake_done(); }
  void GoOn();
  void ShakeHands();
  void Deliver();
  void Encrypt(absl::string_view plaintext, Credit credit);
  size_t PutOutput(Credit credit = Credit());
  void Postpone(Later later);
  void Pump();
  bool HasRoom() const;
  size_t EncryptNext();
  size_t EncryptFile(FileTransfer::Shared file);
  bool TooManyAnswers(size_t more);
  void Fail(const absl::Status& why);

  TlsTransportOptions options_;
  std::unique_ptr<TlsSession> session_;
  TimerId handshake_timer_;
  std::deque<Later> later_;
  size_t kept_ = 0;      // bytes in later_
  bool held_ = true;     // nothing is delivered before the protocol is ready
  bool paused_ = false;  // by the protocol
  bool ended_ = false;   // the session has nothing more to read
  absl::Status read_error_;  // not OK: the end, when all is delivered
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
  ReadBuffer& buffer = reading_->buffer();
  while (phase_ == Phase::kOpen && !ended_ && !ReceiverGone() &&
         reading_->MayDeliver()) {
    auto got = session_->Read(buffer.Room(kRecord));
    const size_t answered = PutOutput();
    if (!got.ok()) return Fail(got.status());
    if (TooManyAnswers(answered)) return;
    if (got->would_block && !read_error_.ok()) {
      return StreamState::OnReadError(read_error_);
    }
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
  Pump();
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

// -- writing ------------------------------------------------------------------

// They would go beside the session, for whoever reads the socket.
absl::Status TlsState::CheckPassing(int) const {
  return absl::InvalidArgumentError("descriptors do not go through TLS");
}

void TlsState::Send(Bytes bytes, Credit credit) {
  if (held_ || !later_.empty()) {
    return Postpone({std::move(bytes), std::move(credit), nullptr});
  }
  Encrypt(bytes.view(), std::move(credit));
}

void TlsState::Send(FileTransfer::Shared file) {
  Postpone({Bytes(), Credit(), std::move(file)});
  Pump();
}

// Row SF10.
absl::Status TlsState::CheckFile(const SendFile& request) const {
  if (request.fallback) return absl::OkStatus();
  return absl::UnimplementedError(
      absl::StrCat("fallback is disabled and native sendfile is not supported "
                   "for transport ",
                   name));
}

void TlsState::Encrypt(absl::string_view plaintext, Credit credit) {
  absl::Status written = session_->Write(plaintext);
  if (!written.ok()) return Fail(written);
  PutOutput(std::move(credit));
  unsent_ = true;
}

void TlsState::SendAtOnce(Bytes bytes, Credit credit) {
  Send(std::move(bytes), std::move(credit));
  writing_->Write();
}

// The marks count it, but not before there is a connection.
void TlsState::Postpone(Later later) {
  kept_ += later.bytes.size();
  if (!held_) writing_->SetKept(kept_);
  later_.push_back(std::move(later));
}

// Of a file no more than there is room for; what is behind it follows when it
// has ended.
void TlsState::Pump() {
  size_t sent = 0;
  while (phase_ == Phase::kOpen && !held_ && !later_.empty()) {
    const bool file = later_.front().file != nullptr;
    if (file && !HasRoom()) {
      writing_->Write();
      if (phase_ != Phase::kOpen || !HasRoom()) break;
      continue;
    }
    if (file && sent >= kFileBytesPerTurn) {
      writing_->AskAgain();
      break;
    }
    sent += EncryptNext();
  }
  if (phase_ == Phase::kOpen) writing_->Write();
  if (phase_ == Phase::kOpen && end_wanted_) FinishWriting();
}

// At or below the low mark. What the session cannot encrypt yet counts, too.
bool TlsState::HasRoom() const {
  return writing_->queued() + session_->output_size() <= writing_->Info().low;
}

// How much it was.
size_t TlsState::EncryptNext() {
  Later& next = later_.front();
  if (next.file != nullptr) return EncryptFile(next.file);
  const Later bytes = std::move(next);
  later_.pop_front();
  kept_ -= bytes.bytes.size();
  writing_->SetKept(kept_);
  Encrypt(bytes.bytes.view(), bytes.credit);
  return bytes.bytes.size();
}

// A record of it.
size_t TlsState::EncryptFile(FileTransfer::Shared file) {
  std::array<char, kRecord> record;
  const TransferResult got = file->Read(absl::MakeSpan(record));
  if (file->over()) later_.pop_front();
  if (got.size > 0) Encrypt({record.data(), got.size}, Credit());
  return got.size;
}

bool TlsState::SendEnd() {
  end_wanted_ = true;
  if (held_ || !later_.empty()) return false;
  absl::Status closed = session_->Close();
  PutOutput();
  if (!closed.ok()) Fail(closed);
  return true;
}

// The handshake goes on, if something waits for it.
void TlsState::StopReading() {
  if (!held_) return StreamState::StopReading();
  if (phase_ == Phase::kGreeting && later_.empty()) End(absl::OkStatus());
}

// A peer that is gone does not need our tickets and our goodbye.
void TlsState::OnWriteError(absl::Status why) {
  if (unsent_ || !later_.empty() || !SaysPeerIsGone(why)) {
    later_.clear();
    return StreamState::OnWriteError(std::move(why));
  }
  GiveUpWriting();
}

// The credit of what was encrypted goes with its last piece.
size_t TlsState::PutOutput(Credit credit) {
  if (writing_->queued() == 0) unsent_ = false;
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
