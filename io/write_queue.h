// What is still to be written to one descriptor, in order.
//
//   queue.Push(std::move(bytes), std::move(credit));
//   switch (queue.Flush(fd, kind).state) { ... }
//
// Chunks are kept, never joined or moved: a flush gathers them (writev) and
// drops those that are through; with each goes its credit. On a socket that
// keeps message boundaries each chunk is a message. The size is a running sum
// (row W27). An empty queue holds next to no memory. One thread.
#ifndef TROUPE_IO_WRITE_QUEUE_H_
#define TROUPE_IO_WRITE_QUEUE_H_

#include <cstddef>
#include <utility>
#include <vector>

#include "io/bytes.h"
#include "io/credit.h"
#include "io/descriptor_kind.h"

namespace troupe {

class WriteQueue {
 public:
  // Empty bytes are no chunk (row W6).
  void Push(Bytes bytes, Credit credit);

  enum class State { kDrained, kBlocked, kMore, kFailed };
  struct FlushResult {
    State state;
    int error_number = 0;
  };

  // Writes until the queue is empty, the descriptor takes no more, or
  // `max_bytes` went out (kMore: it would take more).
  FlushResult Flush(int fd, DescriptorKind kind, size_t max_bytes);

  // Drops everything; the bytes that were dropped.
  size_t Clear();

  size_t size() const { return size_; }
  bool empty() const { return first_ == chunks_.size(); }

 private:
  void Consume(size_t n);
  void DropWritten();

  struct Chunk {
    Bytes bytes;
    Credit credit;
  };
  // Before `first_` they are through.
  std::vector<Chunk> chunks_;
  size_t first_ = 0;
  size_t size_ = 0;
};

}  // namespace troupe

#endif  // TROUPE_IO_WRITE_QUEUE_H_
