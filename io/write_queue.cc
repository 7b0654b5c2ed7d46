#include "io/write_queue.h"

#include <sys/uio.h>

#include <algorithm>

#include "io/transfer.h"

namespace troupe {
namespace {

constexpr size_t kMaxPieces = 64;

}  // namespace

void WriteQueue::Push(Bytes bytes, Credit credit) {
  if (bytes.empty()) return;
  size_ += bytes.size();
  chunks_.push_back(Chunk{std::move(bytes), std::move(credit)});
}

WriteQueue::FlushResult WriteQueue::Flush(int fd, DescriptorKind kind,
                                          size_t max_bytes) {
  size_t sent = 0;
  while (!chunks_.empty()) {
    if (sent >= max_bytes) return {State::kMore};
    iovec pieces[kMaxPieces];
    size_t count = 0, asked = 0;
    for (auto it = chunks_.begin();
         it != chunks_.end() && count < kMaxPieces && asked < max_bytes - sent;
         ++it) {
      size_t size = std::min(it->bytes.size(), max_bytes - sent - asked);
      pieces[count++] = {const_cast<char*>(it->bytes.data()), size};
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
    Chunk& first = chunks_.front();
    if (n < first.bytes.size()) {
      first.bytes = first.bytes.Skip(n);
      return;
    }
    n -= first.bytes.size();
    chunks_.pop_front();
  }
}

size_t WriteQueue::Clear() {
  chunks_.clear();
  return std::exchange(size_, 0);
}

}  // namespace troupe
