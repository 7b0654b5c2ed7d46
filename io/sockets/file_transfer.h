// A file on its way through a transport, and whoever waits for its end.
//
//   auto file = FileTransfer::Begin(std::move(fd), {.offset = 3});
//   (*file)->OnEnd([](absl::StatusOr<uint64_t> sent) { ... });
//   writing.Add(FileTransfer::Piece(*file));   // it stands in the queue
//   (*file)->End(absl::CancelledError("..."));
//
// Its end comes once: with how many bytes were sent when they all are, with the
// file's own failure, with what End says, or with kCancelled when nobody holds
// it any more. At that moment, before it is told, the file's position is behind
// what was sent and the descriptor is closed (file_sender.h; rows SF6 to SF8,
// SF12). A piece whose file has ended otherwise is over and writes nothing.
//
// One thread. OnEnd's function must not touch the queue.
#ifndef TROUPE_IO_SOCKETS_FILE_TRANSFER_H_
#define TROUPE_IO_SOCKETS_FILE_TRANSFER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "io/descriptor_kind.h"
#include "io/file_sender.h"
#include "io/owned_fd.h"
#include "io/transfer.h"
#include "io/write_piece.h"

namespace troupe {

class FileTransfer {
 public:
  using Shared = std::shared_ptr<FileTransfer>;

  // The errors of FileSender::Begin.
  static absl::StatusOr<Shared> Begin(OwnedFd file, FileRange range);
  static std::unique_ptr<WritePiece> Piece(Shared file);

  FileTransfer(OwnedFd file, FileRange range);
  ~FileTransfer();
  FileTransfer(const FileTransfer&) = delete;
  FileTransfer& operator=(const FileTransfer&) = delete;

  void OnEnd(absl::AnyInvocable<void(absl::StatusOr<uint64_t>)> told) {
    told_ = std::move(told);
  }
  void End(absl::Status why);
  bool over() const { return !sender_.has_value(); }
  uint64_t sent() const { return sent_; }

  // As FileSender's. A socket that keeps message boundaries is refused (SF2).
  TransferResult Send(int fd, DescriptorKind kind, size_t most);
  TransferResult Read(absl::Span<char> room);

 private:
  TransferResult Note(TransferResult done);
  void Tell(absl::StatusOr<uint64_t> end);

  OwnedFd file_;
  std::optional<FileSender> sender_;  // until it is over
  uint64_t sent_ = 0;
  absl::AnyInvocable<void(absl::StatusOr<uint64_t>)> told_;
};

// Those of one transport, in order.
class FileTransfers {
 public:
  void Add(FileTransfer::Shared file);
  bool empty();

  void EndAll(const absl::Status& why);
  // With kCancelled, which says how much of each went out.
  void CancelAll();

 private:
  void DropOver();

  std::vector<FileTransfer::Shared> files_;
};

}  // namespace troupe

#endif  // TROUPE_IO_SOCKETS_FILE_TRANSFER_H_
