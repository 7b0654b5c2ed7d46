#include "actors/sock_sendfile.h"

#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "io/descriptor_kind.h"
#include "io/os_error.h"
#include "io/thread_mask.h"
#include "io/transfer.h"

namespace troupe {
namespace {

// A reader that keeps up could hold the loop for a whole file (and SF13).
constexpr int64_t kNativeChunk = 1 << 20;
constexpr int64_t kCopyChunk = 256 * 1024;

absl::Status Refused(std::string why) {
  return absl::InvalidArgumentError(std::move(why));
}

class Sendfile final : public SockOperationOf<absl::StatusOr<uint64_t>> {
 public:
  Sendfile(int fd, int file, FileRange range, Done done)
      : SockOperationOf(fd, std::move(done)), file_(file), range_(range) {}
  ~Sendfile() override {
    if (begun_) (void)lseek(file_, Position(), SEEK_SET);
  }

  Attempt Try() override {
    if (!begun_) {
      absl::Status refused = Check();
      if (!refused.ok()) return {Fail(std::move(refused))};
      begun_ = true;
    }
    if (Left() == 0) return {Tell(sent_)};
    return native_ ? SendNatively() : SendCopy();
  }

 private:
  absl::Status Check();
  Attempt SendNatively();
  Attempt SendCopy();
  Attempt Advance(size_t sent);

  int64_t Position() const { return range_.offset + sent_; }
  int64_t Left() const {
    return range_.count.value_or(size_) - static_cast<int64_t>(sent_);
  }

  const int file_;
  const FileRange range_;
  bool begun_ = false;
  bool native_ = true;
  int64_t size_ = 0;
  uint64_t sent_ = 0;
};

// In asyncio's order (SF2), and SF3.
absl::Status Sendfile::Check() {
  int type = 0;
  socklen_t size = sizeof type;
  if (getsockopt(fd_, SOL_SOCKET, SO_TYPE, &type, &size) != 0) {
    return OsError(errno, "getsockopt");
  }
  if (type != SOCK_STREAM) {
    return Refused("only SOCK_STREAM type sockets are supported");
  }
  if (range_.count.has_value() && *range_.count <= 0) {
    return Refused(absl::StrCat("count must be a positive integer (got ",
                                *range_.count, ")"));
  }
  if (range_.offset < 0) {
    return Refused(absl::StrCat("offset must be a non-negative integer (got ",
                                range_.offset, ")"));
  }
  struct stat status;
  if (fstat(file_, &status) != 0 || !S_ISREG(status.st_mode)) {
    return absl::UnimplementedError("not a regular file");
  }
  size_ = status.st_size;
  return absl::OkStatus();
}

SockOperation::Attempt Sendfile::SendNatively() {
  off_t position = Position();
  ssize_t n;
  {
    ScopedSigpipeBlock guard;  // there is no MSG_NOSIGNAL
    n = sendfile(fd_, file_, &position, std::min(Left(), kNativeChunk));
  }
  if (n >= 0) return Advance(n);
  if (errno == EAGAIN || errno == EINTR) return {};
  if (sent_ > 0) return {Fail(OsError(errno, "sendfile"))};
  if (!range_.fallback)
    return {Fail(OsError(errno, "os.sendfile call failed"))};
  native_ = false;
  return SendCopy();
}

// What the socket does not take is read again: no buffer is kept.
SockOperation::Attempt Sendfile::SendCopy() {
  std::string room(std::min(Left(), kCopyChunk), '\0');
  ssize_t n;
  do {
    n = pread(file_, room.data(), room.size(), Position());
  } while (n < 0 && errno == EINTR);
  if (n < 0) return {Fail(OsError(errno, "pread"))};
  if (n == 0) return {Tell(sent_)};
  const iovec piece = {room.data(), static_cast<size_t>(n)};
  auto sent = WriteSome(fd_, DescriptorKind::kStreamSocket, {&piece, 1});
  if (sent.would_block) return {};
  if (!sent.ok()) return {Fail(OsError(sent.error_number, "send"))};
  return Advance(sent.size);
}

// One chunk for each time that the socket is ready (SF5).
SockOperation::Attempt Sendfile::Advance(size_t sent) {
  sent_ += sent;
  if (sent == 0 || Left() == 0) return {Tell(sent_)};
  return {};
}

}  // namespace

SockHandle SockSendfile(SockQueue& queue, int fd, int file, FileRange range,
                        absl::AnyInvocable<void(absl::StatusOr<uint64_t>)> done,
                        CodeLocation where) {
  return queue.Start(
      fd, Side::kWrite,
      std::make_shared<Sendfile>(fd, file, range, std::move(done)), where);
}

}  // namespace troupe
