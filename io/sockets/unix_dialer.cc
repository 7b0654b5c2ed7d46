#include "io/sockets/unix_dialer.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "io/sockets/socket_connect.h"

namespace troupe {

absl::StatusOr<bool> UnixDialer::Try() {
  ConnectState state;
  if (!fd_.valid()) {
    auto attempt = StartConnect(address_, type_);
    if (!attempt.ok()) return attempt.status();
    fd_ = std::move(attempt->fd);
    state = attempt->state;
  } else {
    auto next = ContinueConnect(fd_.get(), address_);
    if (!next.ok()) return next.status();
    state = *next;
  }
  if (state == ConnectState::kConnected) return true;
  if (waited_ >= timeout_) {
    return absl::DeadlineExceededError(
        absl::StrCat("connect \"", address_.ToString(),
                     "\": the server's backlog was full for ",
                     absl::FormatDuration(timeout_)));
  }
  pause_ = std::min(backoff_.Next(), timeout_ - waited_);
  waited_ += pause_;
  return false;
}

}  // namespace troupe
