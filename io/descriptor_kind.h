// What a descriptor refers to, as far as reading and writing it differ.
#ifndef TROUPE_IO_DESCRIPTOR_KIND_H_
#define TROUPE_IO_DESCRIPTOR_KIND_H_

#include "absl/status/statusor.h"

namespace troupe {

enum class DescriptorKind {
  kFifo,             // pipes, too
  kStreamSocket,     // a short read means drained
  kMessageSocket,    // datagrams and sequenced packets: it does not
  kCharacterDevice,  // terminals, /dev/null: it does not
  kRegularFile,
  kOther,  // directories, block devices, eventfds
};

// INVALID_ARGUMENT for a number that cannot be one, else what fstat(2) says.
absl::StatusOr<DescriptorKind> KindOf(int fd);

// Whether a pipe transport takes it (rows R1, W1).
bool IsPipeLike(DescriptorKind kind);

// Whether a read that gives less than asked for has emptied it. True for pipes
// and stream sockets only: a terminal gives a line at a time.
bool ShortReadMeansDrained(DescriptorKind kind);

}  // namespace troupe

#endif  // TROUPE_IO_DESCRIPTOR_KIND_H_
