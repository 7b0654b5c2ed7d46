#include "actors/sock_sendfile.h"

#include <sys/socket.h>

#include <cerrno>
#include <limits>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "io/os_error.h"
#include "io/transfer.h"

namespace troupe {
namespace {

class Sendfile final : public SockOperationOf<absl::StatusOr<uint64_t>> {
 public:
  Sendfile(int fd, int file, FileRange range, Done done)
      : SockOperationOf(fd, std::move(done)), sender_(file, range) {}

  Attempt Try() override {
    absl::Status refused = Begin();
    if (!refused.ok()) return {Fail(std::move(refused))};
    // One chunk for each time that the socket is ready (SF5).
    const TransferResult done =
        sender_.Send(fd_, std::numeric_limits<size_t>::max());
    if (done.error_number != 0) {
      return {Fail(OsError(done.error_number, "send"))};
    }
    if (!sender_.over()) return {};
    if (!sender_.failure().ok()) return {Fail(sender_.failure())};
    return {Tell(sender_.sent())};
  }

 private:
  // In asyncio's order (SF2), and SF3.
  absl::Status Begin() {
    if (sender_.begun()) return absl::OkStatus();
    int type = 0;
    socklen_t size = sizeof type;
    if (getsockopt(fd_, SOL_SOCKET, SO_TYPE, &type, &size) != 0) {
      return OsError(errno, "getsockopt");
    }
    if (type != SOCK_STREAM) {
      return absl::InvalidArgumentError(
          "only SOCK_STREAM type sockets are supported");
    }
    return sender_.Begin();
  }

  FileSender sender_;
};

}  // namespace

SockHandle SockSendfile(SockQueue& queue, int fd, int file, FileRange range,
                        absl::AnyInvocable<void(absl::StatusOr<uint64_t>)> done,
                        CodeLocation where) {
  return queue.Start(
      fd, Side::kWrite,
      std::make_shared<Sendfile>(fd, file, range, std::move(done)), where);
}

}  // namespace troupe
