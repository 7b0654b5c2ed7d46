#include "io/write_side.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "io/os_error.h"

namespace troupe {
namespace {

// Before the neighbours get their turn.
constexpr size_t kBytesPerDispatch = 1024 * 1024;
// What a pipe or a terminal that polls writable takes without blocking
// (PIPE_BUF, pipe(7)).
constexpr size_t kBytesPerBlockingWrite = 4096;

}  // namespace

void WriteSide::Wait(Interest interest, bool still_ready) {
  waiting_ = interest == Interest::kWritable;
  table_.Arm(watch_, Side::kWrite, interest, still_ready);
}

inline void WriteSide::UpdateFlow() {
  switch (marks_.Next(paused_, buffered())) {
    case WaterMarks::Change::kNone:
      return;
    case WaterMarks::Change::kPause:
      paused_ = true;
      return owner_.OnPause();
    case WaterMarks::Change::kResume:
      paused_ = false;
      return owner_.OnResume();
  }
}

inline void WriteSide::Done() {
  if (finishing_) [[unlikely]] {
    UpdateFlow();
    open_ = false;
    owner_.OnWritten();
  } else if (peer_watch_ == PeerWatch::kHangUp) {
    Wait(Interest::kPeerGone, false);
  }
}

inline void WriteSide::Follow(const WriteQueue::FlushResult& result) {
  switch (result.state) {
    case WriteQueue::State::kDrained:
      return Done();
    case WriteQueue::State::kBlocked:
      return Wait(Interest::kWritable, false);
    case WriteQueue::State::kMore:
      return Wait(Interest::kWritable, !may_block_);
    case WriteQueue::State::kFailed:
      open_ = false;
      return owner_.OnWriteError(
          OsError(result.error_number, "write", absl::StrCat("fd ", fd_)));
  }
}

// What waited goes out now.
void WriteSide::Open(WatchId watch, int fd, DescriptorKind kind) {
  watch_ = watch;
  fd_ = fd;
  kind_ = kind;
  open_ = true;
  Write();
}

size_t WriteSide::Close() {
  open_ = false;
  return queue_.Clear() + std::exchange(kept_, 0);
}

// Unless older bytes wait for room (row W7). The marks are looked at after
// every write (W19, "do instead").
void WriteSide::Write() {
  if (!open_) return;
  Start();
  if (open_) UpdateFlow();
}

void WriteSide::Write(Bytes bytes, Credit credit) {
  if (!open_ || waiting_ || may_block_ || !queue_.empty()) [[unlikely]] {
    Add(std::move(bytes), std::move(credit));
    return Write();
  }
  Follow(queue_.PushAndFlush(std::move(bytes), std::move(credit), fd_, kind_));
  if (open_) UpdateFlow();
}

// A descriptor that may block is written to only after poll said so.
void WriteSide::Start() {
  if (waiting_) return;
  if (may_block_ && !queue_.empty()) {
    Wait(Interest::kWritable, false);
  } else {
    Flush();
  }
}

void WriteSide::Flush() {
  const size_t most = !may_block_ || kind_ == DescriptorKind::kRegularFile
                          ? kBytesPerDispatch
                          : kBytesPerBlockingWrite;
  Follow(queue_.Flush(fd_, kind_, most));
}

void WriteSide::DropOver() {
  queue_.DropOver();
  if (!open_ || !waiting_ || !queue_.empty()) return;
  waiting_ = false;
  table_.Disarm(watch_, Side::kWrite);
  Done();
}

void WriteSide::AskAgain() {
  if (open_ && !waiting_) Wait(Interest::kWritable, !may_block_);
}

// Before the descriptor is there it only remembers.
void WriteSide::Finish() {
  if (finishing_) return;
  finishing_ = true;
  Write();  // also when nothing is left
}

void WriteSide::WatchPeer() {
  peer_watch_ = PeerWatch::kHangUp;
  if (open_ && !waiting_ && queue_.empty()) Wait(Interest::kPeerGone, false);
}

void WriteSide::OnReady(Readiness readiness) {
  if (!open_) return;
  waiting_ = false;
  if (!queue_.empty()) {
    // A reader that is gone makes this write fail with EPIPE.
    Flush();
    if (open_) UpdateFlow();
  } else if (peer_watch_ == PeerWatch::kNone ||
             kind_ == DescriptorKind::kCharacterDevice) {
    return;
  } else if (readiness.HungUp() || readiness.Error()) {
    open_ = false;
    owner_.OnPeerGone();
  } else {
    Wait(Interest::kPeerGone, false);  // by AskAgain
  }
}

void WriteSide::SetMarks(const WaterMarks& marks) {
  marks_ = marks;
  if (open_ && !paused_) UpdateFlow();
}

WritingInfo WriteSide::Info() const {
  return {.polling = open_ && waiting_,
          .paused = paused_,
          .buffered = buffered(),
          .high = marks_.high(),
          .low = marks_.low()};
}

}  // namespace troupe
