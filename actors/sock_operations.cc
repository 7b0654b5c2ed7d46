#include "actors/sock_operations.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "io/descriptor_kind.h"
#include "io/os_error.h"
#include "io/transfer.h"

namespace troupe {
namespace {

constexpr absl::Duration kFirstPause = absl::Milliseconds(1);
constexpr absl::Duration kLongestPause = absl::Milliseconds(100);

class Receive final : public SockOperationOf<absl::StatusOr<Bytes>> {
 public:
  Receive(int fd, size_t max, Done done)
      : SockOperationOf(fd, std::move(done)), max_(max) {}

  Attempt Try() override {
    std::string room(max_, '\0');
    auto got = ReadSome(fd_, DescriptorKind::kStreamSocket,
                        absl::MakeSpan(room.data(), room.size()));
    if (got.would_block) return {};
    if (!got.ok()) return {Fail(OsError(got.error_number, "recv"))};
    room.resize(got.size);
    room.shrink_to_fit();
    return {Tell(Bytes(std::move(room)))};
  }

 private:
  const size_t max_;
};

class ReceiveInto final : public SockOperationOf<absl::StatusOr<size_t>> {
 public:
  ReceiveInto(int fd, absl::Span<char> room, Done done)
      : SockOperationOf(fd, std::move(done)), room_(room) {}

  Attempt Try() override {
    auto got = ReadSome(fd_, DescriptorKind::kStreamSocket, room_);
    if (got.would_block) return {};
    if (!got.ok()) return {Fail(OsError(got.error_number, "recv"))};
    return {Tell(got.size)};
  }

 private:
  const absl::Span<char> room_;
};

class Send final : public SockOperationOf<absl::Status> {
 public:
  Send(int fd, Bytes bytes, Done done)
      : SockOperationOf(fd, std::move(done)), rest_(std::move(bytes)) {}

  Attempt Try() override {
    const iovec piece = {const_cast<char*>(rest_.data()), rest_.size()};
    auto sent = WriteSome(fd_, DescriptorKind::kStreamSocket, {&piece, 1});
    if (sent.would_block) return {};
    if (!sent.ok()) return {Fail(OsError(sent.error_number, "send"))};
    rest_ = rest_.Skip(sent.size);
    if (!rest_.empty()) return {};
    return {Tell(absl::OkStatus())};
  }

 private:
  Bytes rest_;
};

class Connection final : public SockOperationOf<absl::Status> {
 public:
  Connection(int fd, const SocketAddress& address, Done done)
      : SockOperationOf(fd, std::move(done)), address_(address) {}

  Attempt Try() override {
    if (in_progress_) return {Tell(Result())};
    if (connect(fd_, address_.data(), address_.size()) == 0) {
      return {Tell(absl::OkStatus())};
    }
    switch (errno) {
      case EINPROGRESS:
      case EINTR:
        in_progress_ = true;
        return {};
      case EAGAIN:  // the backlog is full, and no event will come (row U24)
        return {nullptr,
                std::exchange(pause_, std::min(2 * pause_, kLongestPause))};
      default:
        return {Tell(OsError(errno, "connect", address_.ToString()))};
    }
  }

 private:
  absl::Status Result() const {
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size) != 0) {
      error = errno;
    }
    if (error == 0) return absl::OkStatus();
    return OsError(error,
                   absl::StrCat("Connect call failed ", address_.ToString()));
  }

  const SocketAddress address_;
  bool in_progress_ = false;
  absl::Duration pause_ = kFirstPause;
};

class Acceptance final
    : public SockOperationOf<absl::StatusOr<AcceptedSocket>> {
 public:
  using SockOperationOf::SockOperationOf;

  Attempt Try() override {
    auto accepted = AcceptConnection(fd_);
    if (!accepted.ok()) return {Fail(accepted.status())};
    if (!accepted->has_value()) return {};
    return {Tell(**std::move(accepted))};
  }
};

}  // namespace

SockHandle SockOperations::Recv(int fd, size_t max,
                                Done<absl::StatusOr<Bytes>> done,
                                CodeLocation where) {
  return queue_.Start(fd, Side::kRead,
                      std::make_shared<Receive>(fd, max, std::move(done)),
                      where);
}

SockHandle SockOperations::RecvInto(int fd, absl::Span<char> room,
                                    Done<absl::StatusOr<size_t>> done,
                                    CodeLocation where) {
  return queue_.Start(fd, Side::kRead,
                      std::make_shared<ReceiveInto>(fd, room, std::move(done)),
                      where);
}

SockHandle SockOperations::SendAll(int fd, Bytes bytes, Done<absl::Status> done,
                                   CodeLocation where) {
  return queue_.Start(
      fd, Side::kWrite,
      std::make_shared<Send>(fd, std::move(bytes), std::move(done)), where);
}

SockHandle SockOperations::Connect(int fd, const SocketAddress& address,
                                   Done<absl::Status> done,
                                   CodeLocation where) {
  return queue_.Start(
      fd, Side::kWrite,
      std::make_shared<Connection>(fd, address, std::move(done)), where);
}

SockHandle SockOperations::Accept(int fd,
                                  Done<absl::StatusOr<AcceptedSocket>> done,
                                  CodeLocation where) {
  return queue_.Start(fd, Side::kRead,
                      std::make_shared<Acceptance>(fd, std::move(done)), where);
}

}  // namespace troupe
