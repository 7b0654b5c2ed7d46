#include "io/read_side.h"

#include <sys/ioctl.h>

#include <cerrno>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "io/os_error.h"

namespace troupe {
namespace {

// Before the neighbours get their turn; the rest follows in the next
// iteration.
constexpr int kReadsPerDispatch = 4;

}  // namespace

ReadSide::ReadSide(WatchTable& table, BlockPool& pool, bool may_block,
                   Receiver& receiver, size_t window,
                   std::function<void()> wake)
    : table_(table),
      receiver_(receiver),
      account_(std::make_shared<CreditAccount>(window, std::move(wake))),
      buffer_(pool, account_),
      may_block_(may_block) {}

void ReadSide::Open(WatchId watch, int fd, DescriptorKind kind) {
  watch_ = watch;
  fd_ = fd;
  kind_ = kind;
  open_ = true;
  Arm();
}

void ReadSide::Close() {
  open_ = false;
  account_->Close();
}

void ReadSide::Resume() {
  paused_ = false;
  Arm();
}

// Asks for readiness, if there is somebody to read for and credit to read on.
void ReadSide::Arm() {
  if (!open_ || paused_ || armed_) return;
  if (!account_->MayCharge() && account_->Park()) return;
  armed_ = true;
  // What may block is asked again: others may have read it meanwhile.
  const bool still_ready = std::exchange(readable_, false) && !may_block_;
  table_.Arm(watch_, Side::kRead, Interest::kReadable, still_ready);
}

void ReadSide::OnReady(Readiness readiness) {
  armed_ = false;
  readable_ = true;
  for (int i = 0; i < kReadsPerDispatch && readable_; ++i) {
    if (!open_ || paused_ || !account_->MayCharge()) break;
    if (receiver_.ReceiverGone() || !ReadOnce(readiness)) return;
  }
  Arm();
}

// One read and what comes of it; false if that was the end.
bool ReadSide::ReadOnce(Readiness readiness) {
  return kind_ == DescriptorKind::kMessageSocket ? ReadMessage()
                                                 : ReadChunk(readiness);
}

bool ReadSide::ReadChunk(Readiness readiness) {
  absl::Span<char> room = buffer_.Room();
  const TransferResult got = Read(room);
  if (got.would_block) return Nothing();
  if (!got.ok()) return Fail(got.error_number);
  if (got.size == 0) [[unlikely]] {
    // The edge of the next writer's first byte comes as if nothing had been.
    return ends_.outlast_writers && kind_ == DescriptorKind::kFifo ? Nothing()
                                                                   : Eof();
  }
  auto chunk = lends_ ? std::make_pair(buffer_.Lend(got.size), Credit())
                      : buffer_.Commit(got.size);
  // What may block is read once per readiness.
  readable_ =
      !may_block_ && (got.size == room.size() || readiness.EndFollows() ||
                      got.more || !ShortReadMeansDrained(kind_));
  Deliver(std::move(chunk));
  if (!readable_) buffer_.GiveBack();
  return true;
}

// As a whole, so its size is asked first. No size is an empty message, unless
// the peer is gone.
bool ReadSide::ReadMessage() {
  const TransferResult next = PeekMessage(fd_);
  if (next.would_block) return Nothing();
  if (!next.ok()) return Fail(next.error_number);
  if (next.size == 0 && PeerIsGone(fd_)) return Eof();
  std::string large(next.size > Block::kSize ? next.size : 0, '\0');
  absl::Span<char> room =
      large.empty() ? buffer_.Room(next.size) : absl::MakeSpan(large);
  const TransferResult got = Read(room);
  if (got.would_block) return Nothing();
  if (!got.ok()) return Fail(got.error_number);
  Deliver(large.empty() ? buffer_.Commit(got.size)
                        : buffer_.Charged(Bytes(std::move(large))));
  return true;
}

TransferResult ReadSide::Read(absl::Span<char> room) {
  if (reader_ == nullptr) return ReadSome(fd_, kind_, room);
  return reader_->Read(fd_, room, delivered_);
}

void ReadSide::Deliver(std::pair<Bytes, Credit> chunk) {
  delivered_ += chunk.first.size();
  receiver_.OnChunk(std::move(chunk.first), std::move(chunk.second));
}

bool ReadSide::Nothing() {
  buffer_.GiveBack();
  readable_ = false;
  return true;
}

bool ReadSide::Eof() {
  open_ = false;
  receiver_.OnEof();
  return false;
}

bool ReadSide::Fail(int error_number) {
  if (error_number == EIO && ends_.hang_up_is_end &&
      kind_ == DescriptorKind::kCharacterDevice) {
    return Eof();
  }
  open_ = false;
  receiver_.OnReadError(
      OsError(error_number, "read", absl::StrCat("fd ", fd_)));
  return false;
}

ReadingInfo ReadSide::Info() const {
  int unread = 0;
  if (fd_ < 0 || ioctl(fd_, FIONREAD, &unread) != 0) unread = 0;
  return {.polling = open_ && armed_ && !paused_,
          .paused = paused_,
          .in_flight = account_->in_flight(),
          .delivered = delivered_,
          .unread = static_cast<size_t>(unread)};
}

}  // namespace troupe
