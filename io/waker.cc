#include "io/waker.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "io/os_error.h"

namespace troupe {

absl::StatusOr<Waker> Waker::Create() {
  OwnedFd fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!fd.valid()) return OsError(errno, "eventfd");
  return Waker(std::move(fd));
}

void Waker::Wake() const {
  uint64_t one = 1;
  (void)!write(fd_.get(), &one, sizeof one);
}

void Waker::Clear() const {
  uint64_t count;
  (void)!read(fd_.get(), &count, sizeof count);
}

}  // namespace troupe
