#include "actors/sock_operations.h"

#include <sys/uio.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "io/descriptor_kind.h"
#include "io/os_error.h"
#include "io/sockets/backoff.h"
#include "io/sockets/socket_connect.h"
#include "io/transfer.h"

namespace troupe {
namespace {

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
    auto state = in_progress_ ? FinishConnect(fd_, address_)
                              : ContinueConnect(fd_, address_);
    if (!state.ok()) return {Tell(Refusal(state.status()))};
    in_progress_ = *state == ConnectState::kInProgress;
    switch (*state) {
      case ConnectState::kConnected:
        return {Tell(absl::OkStatus())};
      case ConnectState::kInProgress:
        return {};
      case ConnectState::kTryAgain:  // no event will come (row U24)
        return {nullptr, backoff_.Next()};
    }
    return {};
  }

 private:
  // A late one in asyncio's words.
  absl::Status Refusal(const absl::Status& why) const {
    const auto failure = OsFailureOf(why);
    if (!in_progress_ || !failure.has_value()) return why;
    return OsError(failure->error_number,
                   absl::StrCat("Connect call failed ", address_.ToString()));
  }

  const SocketAddress address_;
  bool in_progress_ = false;
  Backoff backoff_;
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
