#include "io/sockets/splice_pump.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "io/descriptor_kind.h"
#include "io/os_error.h"
#include "io/thread_mask.h"

namespace troupe {
namespace {

constexpr size_t kMostPerCall = 1 << 20;

// Whether it is a pipe.
absl::StatusOr<bool> Prepare(int fd, const char* side) {
  auto kind = KindOf(fd);
  if (!kind.ok()) return kind.status();
  if (*kind != DescriptorKind::kFifo &&
      *kind != DescriptorKind::kStreamSocket) {
    return absl::InvalidArgumentError(absl::StrCat(
        "splice is for pipes and stream sockets, ", side, " is fd ", fd));
  }
  const int flags = fcntl(fd, F_GETFL);
  if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) {
    return OsError(errno, "fcntl", absl::StrCat("fd ", fd));
  }
  return *kind == DescriptorKind::kFifo;
}

ssize_t Splice(int from, int to, size_t size) {
  ssize_t n;
  do {
    n = splice(from, nullptr, to, nullptr, size,
               SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
  } while (n < 0 && errno == EINTR);
  return n;
}

bool IsReady(int fd, short events) {
  pollfd one = {fd, events, 0};
  return poll(&one, 1, 0) == 1;
}

}  // namespace

absl::StatusOr<SplicePump> SplicePump::Create(int from, int to,
                                              std::optional<uint64_t> count) {
  if (from == to && from >= 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "splice between fd ", from, " and itself: a copy is needed (dup)"));
  }
  SplicePump pump(from, to,
                  count.value_or(std::numeric_limits<uint64_t>::max()));
  auto from_is_pipe = Prepare(from, "`from`");
  if (!from_is_pipe.ok()) return from_is_pipe.status();
  auto to_is_pipe = Prepare(to, "`to`");
  if (!to_is_pipe.ok()) return to_is_pipe.status();
  pump.to_is_pipe_ = *to_is_pipe;
  if (!*from_is_pipe && !*to_is_pipe) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return OsError(errno, "pipe");
    pump.pipe_out_ = OwnedFd(ends[0]);
    pump.pipe_in_ = OwnedFd(ends[1]);
  }
  return pump;
}

SplicePump::State SplicePump::Run(size_t most) {
  if (!failure_.ok()) return State::kFailed;
  ScopedSigpipeBlock guard;  // there is no MSG_NOSIGNAL
  const uint64_t before = bytes();
  while (!TakenAll() || in_pipe_ > 0) {
    const uint64_t moved = bytes() - before;
    if (moved >= most) return State::kMore;
    switch (direct() ? MoveDirectly(most - moved) : MoveByPipe(most - moved)) {
      case Step::kMoved:
        continue;
      case Step::kBlocked:
        return wants_from() || wants_to() ? State::kWaiting : State::kMore;
      case Step::kFailed:
        return State::kFailed;
    }
  }
  return State::kOver;
}

SplicePump::Step SplicePump::MoveDirectly(size_t most) {
  if (from_blocked_ || to_blocked_) return Step::kBlocked;
  const size_t size = std::min<uint64_t>({count_ - taken_, most, kMostPerCall});
  const ssize_t n = Splice(from_, to_, size);
  if (n >= 0) return Take(n);
  if (errno == EAGAIN) return FindOut();
  // A pipe that is written to fails in no other way than by EPIPE; a socket
  // that is read, in any other.
  return Fail(errno, to_is_pipe_ && errno != EPIPE);
}

// What is in the pipe first: so a pipe that takes nothing while it is empty
// says that there is nothing.
SplicePump::Step SplicePump::MoveByPipe(size_t most) {
  if (in_pipe_ > 0 && !to_blocked_) return Drain();
  if (TakenAll() || from_blocked_ || pipe_full_) return Step::kBlocked;
  return Fill(most);
}

SplicePump::Step SplicePump::Fill(size_t most) {
  const size_t size = std::min<uint64_t>({count_ - taken_, most, kMostPerCall});
  const ssize_t n = Splice(from_, pipe_in_.get(), size);
  if (n > 0) in_pipe_ += n;
  if (n >= 0) return Take(n);
  if (errno != EAGAIN) return Fail(errno, /*of_from=*/true);
  (in_pipe_ > 0 ? pipe_full_ : from_blocked_) = true;
  return Step::kMoved;
}

SplicePump::Step SplicePump::Drain() {
  const ssize_t n = Splice(pipe_out_.get(), to_, in_pipe_);
  if (n >= 0) {
    in_pipe_ -= n;
    pipe_full_ = false;
    return Step::kMoved;
  }
  if (errno != EAGAIN) return Fail(errno, /*of_from=*/false);
  to_blocked_ = true;
  return Step::kMoved;
}

SplicePump::Step SplicePump::Take(ssize_t got) {
  taken_ += got;
  from_ended_ = got == 0;
  return Step::kMoved;
}

// splice(2) does not say which of the two is not ready.
SplicePump::Step SplicePump::FindOut() {
  from_blocked_ = !IsReady(from_, POLLIN);
  to_blocked_ = !IsReady(to_, POLLOUT);
  return Step::kBlocked;
}

void SplicePump::OnToGone() {
  if (IsReady(from_, POLLIN)) {
    from_blocked_ = false;
  } else {
    Fail(EPIPE, /*of_from=*/false);
  }
}

SplicePump::Step SplicePump::Fail(int error, bool of_from) {
  failure_ = of_from ? OsError(error, "splice from", absl::StrCat("fd ", from_))
                     : OsError(error, "splice to", absl::StrCat("fd ", to_));
  return Step::kFailed;
}

}  // namespace troupe
