#include "tests/support/descriptors.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "gtest/gtest.h"

namespace troupe {

Ends MakePipe() {
  int ends[2];
  EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
  return {OwnedFd(ends[0]), OwnedFd(ends[1])};
}

Ends MakeTerminal() {
  int master = -1, slave = -1;
  termios raw = {};
  cfmakeraw(&raw);
  EXPECT_EQ(openpty(&master, &slave, nullptr, &raw, nullptr), 0);
  return {OwnedFd(slave), OwnedFd(master)};
}

Ends MakeSocketPair(int type) {
  int ends[2];
  EXPECT_EQ(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends), 0);
  return {OwnedFd(ends[0]), OwnedFd(ends[1])};
}

OwnedFd MakeFile(const std::string& content, int flags) {
  char path[] = "/tmp/troupe.XXXXXX";
  OwnedFd first(mkstemp(path));
  WriteFully(first, content);
  OwnedFd file(open(path, flags | O_CLOEXEC));
  unlink(path);
  EXPECT_TRUE(file.valid());
  return file;
}

std::string ContentOf(const OwnedFd& file) {
  std::string text(1 << 20, 0);
  ssize_t n = pread(file.get(), text.data(), text.size(), 0);
  text.resize(std::max<ssize_t>(n, 0));
  return text;
}

void SetNonBlocking(const OwnedFd& fd) {
  EXPECT_EQ(fcntl(fd.get(), F_SETFL, fcntl(fd.get(), F_GETFL) | O_NONBLOCK), 0);
}

bool IsNonBlocking(const OwnedFd& fd) {
  return fcntl(fd.get(), F_GETFL) & O_NONBLOCK;
}

bool IsOpen(int fd) { return fcntl(fd, F_GETFD) >= 0; }

void WriteFully(const OwnedFd& fd, const std::string& text) {
  for (size_t done = 0; done < text.size();) {
    ssize_t n = write(fd.get(), text.data() + done, text.size() - done);
    ASSERT_GT(n, 0);
    done += n;
  }
}

std::string ReadFully(const OwnedFd& fd, size_t size) {
  std::string text(size, 0);
  size_t got = 0;
  while (got < size) {
    ssize_t n = read(fd.get(), text.data() + got, size - got);
    if (n <= 0) break;
    got += n;
  }
  text.resize(got);
  return text;
}

void WaitForHangUp(const OwnedFd& fd) {
  pollfd set = {fd.get(), 0, 0};
  EXPECT_EQ(poll(&set, 1, /*timeout_ms=*/20000), 1) << "no hang-up in 20 s";
}

size_t Fill(const OwnedFd& fd) {
  bool was_non_blocking = IsNonBlocking(fd);
  SetNonBlocking(fd);
  std::string piece(4096, 'f');
  size_t total = 0;
  for (size_t size = piece.size(); size > 0;) {
    ssize_t n = write(fd.get(), piece.data(), size);
    if (n > 0) {
      total += n;
    } else {
      size /= 2;  // to the last byte
    }
  }
  if (!was_non_blocking) {
    int flags = fcntl(fd.get(), F_GETFL) & ~O_NONBLOCK;
    EXPECT_EQ(fcntl(fd.get(), F_SETFL, flags), 0);
  }
  return total;
}

}  // namespace troupe
