// A file descriptor with one owner, closed when the owner lets go of it.
//
//   OwnedFd fd(open(path, O_RDONLY | O_CLOEXEC));
//   if (!fd.valid()) return OsError(errno, "open", path);
//
// A bare `int fd` elsewhere in Troupe is always borrowed.
#ifndef TROUPE_IO_OWNED_FD_H_
#define TROUPE_IO_OWNED_FD_H_

#include <unistd.h>

#include <utility>

namespace troupe {

class OwnedFd {
 public:
  OwnedFd() = default;
  explicit OwnedFd(int fd) : fd_(fd) {}
  OwnedFd(OwnedFd&& other) noexcept : fd_(other.Release()) {}
  OwnedFd& operator=(OwnedFd&& other) noexcept {
    if (this != &other) {
      Close();
      fd_ = other.Release();
    }
    return *this;
  }
  ~OwnedFd() { Close(); }

  bool valid() const { return fd_ >= 0; }
  int get() const { return fd_; }

  // Gives the descriptor away; the caller closes it.
  [[nodiscard]] int Release() { return std::exchange(fd_, -1); }

  // Closes now. EINTR is no reason to try again: on Linux the number is free
  // either way (close(2)).
  void Close() {
    if (fd_ >= 0) ::close(Release());
  }

 private:
  int fd_ = -1;
};

}  // namespace troupe

#endif  // TROUPE_IO_OWNED_FD_H_
