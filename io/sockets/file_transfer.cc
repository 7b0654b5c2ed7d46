#include "io/sockets/file_transfer.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace troupe {
namespace {

class FilePiece final : public WritePiece {
 public:
  explicit FilePiece(FileTransfer::Shared file) : file_(std::move(file)) {}

  TransferResult Write(int fd, DescriptorKind kind, size_t most) override {
    return file_->Send(fd, kind, most);
  }
  bool over() const override { return file_->over(); }
  size_t size() const override { return 0; }

 private:
  const FileTransfer::Shared file_;
};

}  // namespace

absl::StatusOr<FileTransfer::Shared> FileTransfer::Begin(OwnedFd file,
                                                         FileRange range) {
  auto transfer = std::make_shared<FileTransfer>(std::move(file), range);
  absl::Status refused = transfer->sender_->Begin();
  if (!refused.ok()) return refused;
  return transfer;
}

std::unique_ptr<WritePiece> FileTransfer::Piece(Shared file) {
  return std::make_unique<FilePiece>(std::move(file));
}

FileTransfer::FileTransfer(OwnedFd file, FileRange range)
    : file_(std::move(file)) {
  sender_.emplace(file_.get(), range);
}

FileTransfer::~FileTransfer() {
  End(absl::CancelledError("the file is not sent any more"));
}

TransferResult FileTransfer::Send(int fd, DescriptorKind kind, size_t most) {
  if (over()) return {};
  if (kind != DescriptorKind::kStreamSocket) {
    End(absl::InvalidArgumentError(
        "only SOCK_STREAM type sockets are supported"));
    return {};
  }
  return Note(sender_->Send(fd, most));
}

TransferResult FileTransfer::Read(absl::Span<char> room) {
  if (over()) return {};
  return Note(sender_->Read(room));
}

TransferResult FileTransfer::Note(TransferResult done) {
  sent_ = sender_->sent();
  if (!sender_->over()) return done;
  if (sender_->failure().ok()) {
    Tell(sent_);
  } else {
    End(sender_->failure());
  }
  return done;
}

void FileTransfer::End(absl::Status why) {
  if (!over()) Tell(std::move(why));
}

// First the position, then the descriptor.
void FileTransfer::Tell(absl::StatusOr<uint64_t> end) {
  sender_.reset();
  file_.Close();
  auto told = std::exchange(told_, nullptr);
  if (told) told(std::move(end));
}

void FileTransfers::Add(FileTransfer::Shared file) {
  DropOver();
  files_.push_back(std::move(file));
}

bool FileTransfers::empty() {
  DropOver();
  return files_.empty();
}

void FileTransfers::EndAll(const absl::Status& why) {
  for (const auto& file : std::exchange(files_, {})) file->End(why);
}

void FileTransfers::CancelAll() {
  for (const auto& file : std::exchange(files_, {})) {
    file->End(absl::CancelledError(
        absl::StrCat("sendfile was cancelled after ", file->sent(), " bytes")));
  }
}

void FileTransfers::DropOver() {
  std::erase_if(files_, [](const auto& file) { return file->over(); });
}

}  // namespace troupe
