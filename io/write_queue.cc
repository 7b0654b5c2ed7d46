#include "io/write_queue.h"

#include <sys/uio.h>

#include <algorithm>

namespace troupe {
namespace {

constexpr size_t kMaxPieces = 64;
// An empty queue has room for as many chunks.
constexpr size_t kMostKept = 8;

}  // namespace

void WriteQueue::Push(Bytes bytes, Credit credit) {
  if (bytes.empty()) return;
  size_ += bytes.size();
  chunks_.push_back(Chunk{std::move(bytes), std::move(credit), nullptr});
}

void WriteQueue::Push(std::unique_ptr<WritePiece> piece) {
  size_ += piece->size();
  chunks_.push_back(Chunk{Bytes(), Credit(), std::move(piece)});
}

WriteQueue::FlushResult WriteQueue::Flush(int fd, DescriptorKind kind,
                                          size_t max_bytes) {
  size_t sent = 0;
  while (!empty()) {
    if (sent >= max_bytes) return {State::kMore};
    const size_t most = max_bytes - sent;
    const TransferResult done = chunks_[first_].piece == nullptr
                                    ? WriteChunks(fd, kind, most)
                                    : WritePieceOf(fd, kind, most);
    if (done.would_block) return {State::kBlocked};
    if (!done.ok()) return {State::kFailed, done.error_number};
    sent += done.size;
  }
  return {State::kDrained};
}

// What goes out at once, nearly all of it, never stands in the queue.
WriteQueue::FlushResult WriteQueue::PushAndFlush(Bytes bytes, Credit credit,
                                                 int fd, DescriptorKind kind) {
  if (bytes.empty()) return {State::kDrained};
  const iovec all = {const_cast<char*>(bytes.data()), bytes.size()};
  const TransferResult done = WriteSome(fd, kind, {&all, 1});
  if (done.ok() && done.size == bytes.size()) [[likely]] {
    return {State::kDrained};
  }
  Push(bytes.Skip(done.size), std::move(credit));
  if (done.ok() || done.would_block) return {State::kBlocked};
  return {State::kFailed, done.error_number};
}

// As many as one call takes.
TransferResult WriteQueue::WriteChunks(int fd, DescriptorKind kind,
                                       size_t most) {
  const size_t max_pieces =
      kind == DescriptorKind::kMessageSocket ? 1 : kMaxPieces;
  iovec pieces[kMaxPieces];
  size_t count = 0, asked = 0;
  for (size_t at = first_; at < chunks_.size() && count < max_pieces &&
                           asked < most && chunks_[at].piece == nullptr;
       ++at) {
    const Bytes& bytes = chunks_[at].bytes;
    size_t size = std::min(bytes.size(), most - asked);
    pieces[count++] = {const_cast<char*>(bytes.data()), size};
    asked += size;
  }
  const TransferResult done = WriteSome(fd, kind, {pieces, count});
  if (done.ok()) Consume(done.size);
  return done;
}

TransferResult WriteQueue::WritePieceOf(int fd, DescriptorKind kind,
                                        size_t most) {
  WritePiece& piece = *chunks_[first_].piece;
  const size_t before = piece.size();
  const TransferResult done = piece.Write(fd, kind, most);
  size_ -= before - piece.size();
  if (piece.over()) DropFirst();
  return done;
}

void WriteQueue::Consume(size_t n) {
  size_ -= n;
  while (n > 0) {
    Bytes& first = chunks_[first_].bytes;
    if (n < first.size()) {
      first = first.Skip(n);
      break;
    }
    n -= first.size();
    chunks_[first_++] = Chunk();
  }
  DropWritten();
}

void WriteQueue::DropFirst() {
  chunks_[first_++] = Chunk();
  DropWritten();
}

void WriteQueue::DropOver() {
  while (!empty() && chunks_[first_].piece != nullptr &&
         chunks_[first_].piece->over()) {
    DropFirst();
  }
}

// Moves the rest forward when it is the smaller part, so that each chunk is
// moved once on average.
void WriteQueue::DropWritten() {
  if (empty()) {
    if (chunks_.capacity() > kMostKept) chunks_ = std::vector<Chunk>();
    chunks_.clear();
    first_ = 0;
  } else if (first_ >= kMaxPieces && first_ > chunks_.size() / 2) {
    chunks_.erase(chunks_.begin(), chunks_.begin() + first_);
    first_ = 0;
  }
}

// The pieces tell that, so the queue is empty before they do.
size_t WriteQueue::Clear() {
  const std::vector<Chunk> dropped =
      std::exchange(chunks_, std::vector<Chunk>());
  first_ = 0;
  size_t lost = std::exchange(size_, 0);
  for (const Chunk& chunk : dropped) {
    if (chunk.piece == nullptr) continue;
    lost -= chunk.piece->size() - chunk.piece->unwritten();
  }
  return lost;
}

}  // namespace troupe
