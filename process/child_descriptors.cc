#include "process/child_descriptors.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "process/child_code.h"

namespace troupe {
namespace {

TROUPE_CHILD bool IsTarget(const ChildSetup* setup, long number) {
  for (int i = 0; i < setup->move_count; ++i) {
    if (setup->moves[i].target == number) return true;
  }
  return false;
}

// A copy of `source` where no move will overwrite it. One that lands on a
// target is left there: the move to come closes it.
TROUPE_CHILD long CopyAside(const ChildSetup* setup, int source) {
  long copy = 2;
  do {
    copy = syscall(SYS_fcntl, source, F_DUPFD_CLOEXEC, copy + 1);
  } while (Ok(copy) && IsTarget(setup, copy));
  return copy;
}

}  // namespace

TROUPE_CHILD bool MoveDescriptors(ChildSetup* setup) {
  setup->step = SpawnStep::kDescriptors;
  for (int i = 0; i < setup->move_count; ++i) {
    FdMove& move = setup->moves[i];
    setup->detail = move.target;
    if (move.source == move.target || !IsTarget(setup, move.source)) continue;
    long copy = CopyAside(setup, move.source);
    if (!Ok(copy)) return false;
    move.source = static_cast<int>(copy);
  }
  for (int i = 0; i < setup->move_count; ++i) {
    const FdMove& move = setup->moves[i];
    setup->detail = move.target;
    long result = move.source == move.target
                      ? syscall(SYS_fcntl, move.source, F_SETFD, 0)
                      : syscall(SYS_dup3, move.source, move.target, 0);
    if (!Ok(result)) return false;
  }
  return true;
}

namespace {

TROUPE_CHILD bool CloseRanges(const ChildSetup* setup) {
  unsigned first = 0;
  for (int i = 0; i < setup->move_count; ++i) {
    unsigned target = static_cast<unsigned>(setup->moves[i].target);
    if (target > first && !Ok(syscall(SYS_close_range, first, target - 1, 0))) {
      return false;
    }
    first = target + 1;
  }
  return Ok(syscall(SYS_close_range, first, ~0U, 0));
}

// What getdents64(2) gives: the length of an entry, then its name, behind two
// numbers and before a byte.
constexpr int kLengthAt = 16, kNameAt = 19;

// -1 for "." and "..".
TROUPE_CHILD long NumberAt(const char* name) {
  if (*name == '.') return -1;
  long number = 0;
  for (; *name != '\0'; ++name) number = number * 10 + (*name - '0');
  return number;
}

// The list goes by numbers, so that it may shrink meanwhile. It is itself
// closed by the exec.
TROUPE_CHILD bool CloseListed(const ChildSetup* setup) {
  const long list = syscall(SYS_openat, AT_FDCWD, "/proc/self/fd",
                            O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
  if (!Ok(list)) return false;
  alignas(8) char entries[2048];
  long size = 0;
  while ((size = syscall(SYS_getdents64, list, entries, sizeof entries)) > 0) {
    for (long at = 0; at < size;) {
      const char* entry = entries + at;
      const long number = NumberAt(entry + kNameAt);
      if (number >= 0 && number != list && !IsTarget(setup, number)) {
        syscall(SYS_close, number);
      }
      at += static_cast<unsigned char>(entry[kLengthAt]) |
            static_cast<unsigned char>(entry[kLengthAt + 1]) << 8;
    }
  }
  return Ok(size);
}

}  // namespace

TROUPE_CHILD bool CloseOthers(ChildSetup* setup) {
  setup->step = SpawnStep::kCloseOthers;
  setup->detail = -1;
  if (CloseRanges(setup)) return true;
  const int refused = errno;
  const bool forbidden = refused == ENOSYS || refused == EPERM;
  if (forbidden && CloseListed(setup)) return true;
  errno = refused;
  return false;
}

}  // namespace troupe
