#include "io/write_queue.h"

#include <sys/uio.h>

#include <algorithm>

#include "io/transfer.h"

namespace troupe {
namespace {

constexpr size_t kMaxPieces = 64;
// An empty queue has room for as many chunks.
constexpr size_t kMostKept = 8;

}  // namespace

void WriteQueue::Push(Bytes bytes, Credit credit) {
  if (bytes.empty()) return;
  size_ += bytes.size();
  chunks_.push_back(Chunk{std::move(bytes), std::move(credit)});
}

WriteQueue::FlushResult WriteQueue::Flush(int fd, DescriptorKind kind,
                                          size_t max_bytes) {
  const size_t max_pieces =
      kind == DescriptorKind::kMessageSocket ? 1 : kMaxPieces;
  size_t sent = 0;
  while (!empty()) {
    if (sent >= max_bytes) return {State::kMore};
    iovec pieces[kMaxPieces];
    size_t count = 0, asked = 0;
    for (size_t at = first_;
         at < chunks_.size() && count < max_pieces && asked < max_bytes - sent;
         ++at) {
      const Bytes& bytes = chunks_[at].bytes;
      size_t size = std::min(bytes.size(), max_bytes - sent - asked);
      pieces[count++] = {const_cast<char*>(bytes.data()), size};
      asked += size;
    }
    TransferResult done = WriteSome(fd, kind, {pieces, count});
    if (done.would_block) return {State::kBlocked};
    if (!done.ok()) return {State::kFailed, done.error_number};
    Consume(done.size);
    sent += done.size;
  }
  return {State::kDrained};
}

void WriteQueue::Consume(size_t n) {
  size_ -= n;
  while (n > 0) {
    Chunk& first = chunks_[first_];
    if (n < first.bytes.size()) {
      first.bytes = first.bytes.Skip(n);
      break;
    }
    n -= first.bytes.size();
    first = Chunk();
    ++first_;
  }
  DropWritten();
}

// Moves the rest forward when it is the smaller part, so that each chunk is
// moved once on average.
void WriteQueue::DropWritten() {
  if (empty()) {
    if (chunks_.capacity() > kMostKept) chunks_ = {};
    chunks_.clear();
    first_ = 0;
  } else if (first_ >= kMaxPieces && first_ > chunks_.size() / 2) {
    chunks_.erase(chunks_.begin(), chunks_.begin() + first_);
    first_ = 0;
  }
}

size_t WriteQueue::Clear() {
  chunks_ = {};
  first_ = 0;
  return std::exchange(size_, 0);
}

}  // namespace troupe
