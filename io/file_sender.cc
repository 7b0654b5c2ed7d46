#include "io/file_sender.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "io/descriptor_kind.h"
#include "io/os_error.h"
#include "io/thread_mask.h"

namespace troupe {
namespace {

// A reader that keeps up could hold the thread for a whole file (and SF13).
constexpr size_t kNativeChunk = 1 << 20;
constexpr size_t kCopyChunk = 256 * 1024;

bool MayBlock(int socket) { return (fcntl(socket, F_GETFL) & O_NONBLOCK) == 0; }

// sendfile(2) does not say whose error it is.
bool IsOfSocket(int error, int socket) {
  if (error == EPIPE || error == ECONNRESET || error == ENOTCONN) return true;
  pollfd end = {socket, 0, 0};
  return poll(&end, 1, 0) == 1;  // hung up, or an error
}

}  // namespace

FileSender::~FileSender() {
  if (begun_) (void)lseek(file_, Position(), SEEK_SET);
}

absl::Status FileSender::Begin() {
  if (range_.count.has_value() && *range_.count <= 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "count must be a positive integer (got ", *range_.count, ")"));
  }
  if (range_.offset < 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "offset must be a non-negative integer (got ", range_.offset, ")"));
  }
  struct stat status;
  if (fstat(file_, &status) != 0 || !S_ISREG(status.st_mode)) {
    return absl::UnimplementedError("not a regular file");
  }
  const int64_t rest = std::max<int64_t>(status.st_size - range_.offset, 0);
  total_ = range_.count.value_or(rest);
  over_ = total_ == 0;
  begun_ = true;
  return absl::OkStatus();
}

TransferResult FileSender::Send(int socket, size_t most) {
  if (over_) return {};
  return native_ ? SendNatively(socket, most) : SendCopy(socket, most);
}

TransferResult FileSender::SendNatively(int socket, size_t most) {
  if (MayBlock(socket)) {
    return CannotNatively(
        absl::InvalidArgumentError("the socket must be non-blocking"), socket,
        most);
  }
  off_t position = Position();
  const size_t size = std::min<uint64_t>({Left(), most, kNativeChunk});
  ssize_t n;
  do {
    ScopedSigpipeBlock guard;  // there is no MSG_NOSIGNAL
    n = sendfile(socket, file_, &position, size);
  } while (n < 0 && errno == EINTR);
  if (n >= 0) return Advance(n);
  const int error = errno;
  if (error == EAGAIN) return {.would_block = true};
  if (sent_ == 0) {
    return CannotNatively(OsError(error, "os.sendfile call failed"), socket,
                          most);
  }
  if (IsOfSocket(error, socket)) return {.error_number = error};
  return Fail(OsError(error, "sendfile"));
}

TransferResult FileSender::CannotNatively(absl::Status why, int socket,
                                          size_t most) {
  if (!range_.fallback) return Fail(std::move(why));
  native_ = false;
  return SendCopy(socket, most);
}

// What the socket does not take is read again: no buffer is kept.
TransferResult FileSender::SendCopy(int socket, size_t most) {
  const size_t size = std::min<uint64_t>({Left(), most, kCopyChunk});
  const auto room = std::make_unique_for_overwrite<char[]>(size);
  const ssize_t n = ReadFile({room.get(), size});
  if (n < 0) return Fail(OsError(errno, "pread"));
  if (n == 0) return Advance(0);
  const iovec piece = {room.get(), static_cast<size_t>(n)};
  const TransferResult done =
      WriteSome(socket, DescriptorKind::kStreamSocket, {&piece, 1});
  return done.ok() ? Advance(done.size) : done;
}

TransferResult FileSender::Read(absl::Span<char> room) {
  if (over_) return {};
  const ssize_t n =
      ReadFile(room.subspan(0, std::min<uint64_t>(Left(), room.size())));
  return n < 0 ? Fail(OsError(errno, "pread")) : Advance(n);
}

ssize_t FileSender::ReadFile(absl::Span<char> room) {
  ssize_t n;
  do {
    n = pread(file_, room.data(), room.size(), Position());
  } while (n < 0 && errno == EINTR);
  return n;
}

TransferResult FileSender::Fail(absl::Status why) {
  failure_ = std::move(why);
  over_ = true;
  return {};
}

TransferResult FileSender::Advance(size_t size) {
  sent_ += size;
  over_ = size == 0 || Left() == 0;
  return {.size = size};
}

}  // namespace troupe
