// What is still to be written to one descriptor, in order.
//
//   queue.Push(std::move(bytes), std::move(credit));
//   switch (queue.Flush(fd, kind).state) { ... }
//
// Chunks are kept, never joined or moved: a flush gathers them (writev) and
// drops those that are through; with each goes its credit. On a socket that
// keeps message boundaries each chunk is a message. What is more than bytes
// (write_piece.h) writes itself when its turn comes. The size is a running sum
// (row W27). An empty queue holds next to no memory. One thread.
#ifndef TROUPE_IO_WRITE_QUEUE_H_
#define TROUPE_IO_WRITE_QUEUE_H_

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "io/bytes.h"
#include "io/credit.h"
#include "io/descriptor_kind.h"
#include "io/transfer.h"
#include "io/write_piece.h"

namespace troupe {

class WriteQueue {
 public:
  // Empty bytes are no chunk (row W6).
  void Push(Bytes bytes, Credit credit);
  void Push(std::unique_ptr<WritePiece> piece);

  enum class State { kDrained, kBlocked, kMore, kFailed };
  struct FlushResult {
    State state;
    int error_number = 0;
  };

  // Writes until the queue is empty, the descriptor takes no more, or
  // `max_bytes` went out (kMore: it would take more).
  FlushResult Flush(int fd, DescriptorKind kind, size_t max_bytes);

  // Writes bytes at once and keeps what is left; of an empty queue. A stream
  // that takes a part takes no more for now.
  FlushResult PushAndFlush(Bytes bytes, Credit credit, int fd,
                           DescriptorKind kind);
  // Drops the pieces in front that are over without having been written.
  void DropOver();

  // Drops everything; the bytes that were dropped.
  size_t Clear();

  size_t size() const { return size_; }  // in memory: what the marks count
  bool empty() const { return first_ == chunks_.size(); }

 private:
  TransferResult WriteChunks(int fd, DescriptorKind kind, size_t most);
  TransferResult WritePieceOf(int fd, DescriptorKind kind, size_t most);
  void Consume(size_t n);
  void DropFirst();
  void DropWritten();

  struct Chunk {
    Bytes bytes;
    Credit credit;
    std::unique_ptr<WritePiece> piece;  // instead of bytes
  };
  // Before `first_` they are through.
  std::vector<Chunk> chunks_;
  size_t first_ = 0;
  size_t size_ = 0;
};

}  // namespace troupe

#endif  // TROUPE_IO_WRITE_QUEUE_H_
