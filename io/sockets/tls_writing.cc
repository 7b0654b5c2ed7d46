// The writing side of a stream with TLS.
#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "io/sockets/tls_state.h"
#include "io/transfer.h"

namespace troupe {
namespace {

// Of files, before the neighbours get their turn.
constexpr size_t kFileBytesPerTurn = 1024 * 1024;

}  // namespace

// They would go beside the session, for whoever reads the socket.
absl::Status TlsState::CheckPassing(int) const {
  return absl::InvalidArgumentError("descriptors do not go through TLS");
}

void TlsState::Send(Bytes bytes, Credit credit) {
  if (held_ || !later_.empty()) {
    later_.Push(std::move(bytes), std::move(credit));
    return NoteKept();
  }
  Encrypt(bytes.view(), std::move(credit));
}

void TlsState::Send(FileTransfer::Shared file) {
  later_.Push(std::move(file));
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
  if (held_ || !later_.empty()) {
    Send(std::move(bytes), std::move(credit));
    return writing_->Write();
  }
  absl::Status written = session_->Write(bytes.view());
  if (!written.ok()) return Fail(written);
  Bytes last = PutOutputButLast();
  unsent_ = true;
  writing_->Write(std::move(last), std::move(credit));
}

// The marks count it, but not before there is a connection.
void TlsState::NoteKept() {
  if (!held_) writing_->SetKept(later_.size());
}

// Of a file no more than there is room for; what is behind it follows when it
// has ended.
void TlsState::Pump() {
  size_t sent = 0;
  while (phase_ == Phase::kOpen && !held_ && !later_.empty()) {
    const bool file = later_.file() != nullptr;
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
  if (later_.file() != nullptr) return EncryptFile();
  auto [bytes, credit] = later_.PopBytes();
  NoteKept();
  Encrypt(bytes.view(), std::move(credit));
  return bytes.size();
}

// A record of it.
size_t TlsState::EncryptFile() {
  const FileTransfer::Shared file = later_.file();
  std::array<char, kRecord> record;
  const TransferResult got = file->Read(absl::MakeSpan(record));
  if (file->over()) later_.PopFile();
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
    later_.Clear();
    return StreamState::OnWriteError(std::move(why));
  }
  GiveUpWriting();
}

// How much it was. The credit of what was encrypted goes with its last piece.
size_t TlsState::PutOutput(Credit credit) {
  const size_t before = writing_->queued();
  writing_->Add(PutOutputButLast(), std::move(credit));
  return writing_->queued() - before;
}

Bytes TlsState::PutOutputButLast() {
  if (writing_->queued() == 0) unsent_ = false;
  Bytes piece = session_->TakeOutput();
  while (session_->has_output()) {
    writing_->Add(std::move(piece), Credit());
    piece = session_->TakeOutput();
  }
  return piece;
}

// The alert is worth a try.
void TlsState::Fail(const absl::Status& why) {
  PutOutput();
  writing_->Write();
  if (phase_ != Phase::kClosed) End(why);
}

}  // namespace troupe
