// Sends a part of a regular file through a stream socket, asyncio's
// loop.sock_sendfile (rows SF1 to SF9, SF13, V45).
//
//   SockSendfile(socks.queue(), fd, file, {.offset = 3, .count = 4},
//                [](absl::StatusOr<uint64_t> sent) { ... });
//
// The kernel copies; where it cannot (the first sendfile(2) fails) the file is
// read and sent in chunks, if `fallback` allows that. Either way the file's
// position is `offset` plus what was sent when it is over, and also after an
// error or a Cancel once it has begun (SF7). The end of the file ends it.
//
// It takes its turn in the line of the socket's write side, for all of it. The
// file must stay open until `done` or Cancel; reading it may wait for the disk.
#ifndef TROUPE_ACTORS_SOCK_SENDFILE_H_
#define TROUPE_ACTORS_SOCK_SENDFILE_H_

#include <cstdint>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "actors/code_location.h"
#include "actors/sock_queue.h"
#include "io/file_sender.h"

namespace troupe {

// Tells how many bytes were sent. Errors: kInvalidArgument with asyncio's text
// (SF2); kUnimplemented `not a regular file`, with and without fallback,
// because to read anything else may block; `os.sendfile call failed` without
// (SF3); the kernel's.
SockHandle SockSendfile(SockQueue& queue, int fd, int file, FileRange range,
                        absl::AnyInvocable<void(absl::StatusOr<uint64_t>)> done,
                        CodeLocation where = CodeLocation::Here());

}  // namespace troupe

#endif  // TROUPE_ACTORS_SOCK_SENDFILE_H_
