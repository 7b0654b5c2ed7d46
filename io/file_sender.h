// Sends a part of a regular file through a stream socket, a piece for each call
// (rows SF2 to SF9, SF13, V45).
//
//   FileSender sender(file, {.offset = 3, .count = 4});
//   absl::Status refused = sender.Begin();
//   while (!sender.over()) sender.Send(socket, most);  // as WriteSome
//   sender.failure(), sender.sent()
//
// The kernel copies; where it cannot (the first sendfile(2) fails) the file is
// read and sent, if `fallback` allows that. A socket that may block is never
// given to sendfile(2), which would wait. The end of the file ends it, also if
// that has come nearer; what was added since Begin is not sent.
//
// From Begin on the file's position is `offset` plus what was sent when it is
// destroyed, whatever the end was (SF7). The file is borrowed; reading it may
// wait for the disk. One thread.
#ifndef TROUPE_IO_FILE_SENDER_H_
#define TROUPE_IO_FILE_SENDER_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "io/transfer.h"

namespace troupe {

struct FileRange {
  int64_t offset = 0;
  std::optional<int64_t> count = std::nullopt;  // nothing: to the end
  bool fallback = true;
};

class FileSender {
 public:
  FileSender(int file, FileRange range) : file_(file), range_(range) {}
  ~FileSender();
  FileSender(const FileSender&) = delete;
  FileSender& operator=(const FileSender&) = delete;

  // kInvalidArgument with asyncio's text, count before offset (SF2);
  // kUnimplemented `not a regular file`, with and without fallback, because to
  // read anything else may block (SF3). A refusal moves nothing.
  absl::Status Begin();
  bool begun() const { return begun_; }

  // Sends at most `most` bytes, and at most 1 MiB. `size` 0 with ok() only if
  // it is over; an error is the socket's, and final.
  TransferResult Send(int socket, size_t most);
  // The same for whoever sends the bytes himself.
  TransferResult Read(absl::Span<char> room);

  bool over() const { return over_; }
  // Of the file, once it is over: it cannot be read; or, without fallback,
  // asyncio's `os.sendfile call failed` and the kernel's reason (SF3).
  const absl::Status& failure() const { return failure_; }
  uint64_t sent() const { return sent_; }

 private:
  TransferResult SendNatively(int socket, size_t most);
  TransferResult SendCopy(int socket, size_t most);
  ssize_t ReadFile(absl::Span<char> room);
  TransferResult CannotNatively(absl::Status why, int socket, size_t most);
  TransferResult Fail(absl::Status why);
  TransferResult Advance(size_t size);

  int64_t Position() const { return range_.offset + sent_; }
  uint64_t Left() const { return total_ - sent_; }

  const int file_;
  const FileRange range_;
  bool begun_ = false;
  bool native_ = true;
  bool over_ = false;
  uint64_t total_ = 0;  // at most
  uint64_t sent_ = 0;
  absl::Status failure_;
};

}  // namespace troupe

#endif  // TROUPE_IO_FILE_SENDER_H_
