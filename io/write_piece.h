// Something to be written that is more than bytes in memory: a part of a file,
// or bytes that descriptors ride on. It stands in a WriteQueue, in its order.
//
// A failure that is not the descriptor's (the file cannot be read) is the
// piece's own affair: it tells whoever asked for it, is over, and what stands
// behind it is written. One thread; destroyed before it is over when the queue
// is cleared, and then still has to tell that.
#ifndef TROUPE_IO_WRITE_PIECE_H_
#define TROUPE_IO_WRITE_PIECE_H_

#include <cstddef>

#include "io/descriptor_kind.h"
#include "io/transfer.h"

namespace troupe {

class WritePiece {
 public:
  virtual ~WritePiece() = default;

  // Writes at most `most` (not 0) bytes, as WriteSome does. `size` 0 with ok()
  // only if it is over now.
  virtual TransferResult Write(int fd, DescriptorKind kind, size_t most) = 0;
  virtual bool over() const = 0;

  // Bytes that it keeps in memory, and what else it holds as bytes: what the
  // water marks count.
  virtual size_t size() const = 0;
  // Of these, what is lost if it is not written.
  virtual size_t unwritten() const { return size(); }
};

}  // namespace troupe

#endif  // TROUPE_IO_WRITE_PIECE_H_
