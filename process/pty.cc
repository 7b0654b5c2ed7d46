#include "process/pty.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>

#include <cerrno>
#include <utility>

#include "io/os_error.h"
#include "process/stdio_ends.h"

namespace troupe {
namespace {

absl::Status SetModes(int fd, const TerminalSetup& setup) {
  termios modes;
  if (tcgetattr(fd, &modes) != 0) return OsError(errno, "tcgetattr");
  if (setup.raw) cfmakeraw(&modes);
  if (!setup.echo) modes.c_lflag &= ~ECHO;
  if (tcsetattr(fd, TCSANOW, &modes) != 0) return OsError(errno, "tcsetattr");
  return ResizeTerminal(fd, setup.rows, setup.columns);
}

}  // namespace

absl::StatusOr<Pty> OpenPty(const TerminalSetup& setup) {
  OwnedFd ours(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK));
  if (!ours.valid()) return OsError(errno, "open", "/dev/ptmx");
  if (unlockpt(ours.get()) != 0) return OsError(errno, "ioctl(TIOCSPTLCK)");
  // Not by its name, which means another terminal in another mount namespace.
  OwnedFd child(ioctl(ours.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!child.valid()) return OsError(errno, "ioctl(TIOCGPTPEER)");
  absl::Status set = SetModes(child.get(), setup);
  if (!set.ok()) return set;
  auto moved_ours = MovedAboveStdio(std::move(ours));
  if (!moved_ours.ok()) return moved_ours.status();
  auto moved_child = MovedAboveStdio(std::move(child));
  if (!moved_child.ok()) return moved_child.status();
  return Pty{*std::move(moved_ours), *std::move(moved_child)};
}

absl::Status ResizeTerminal(int fd, unsigned short rows,
                            unsigned short columns) {
  winsize size = {};
  size.ws_row = rows;
  size.ws_col = columns;
  if (ioctl(fd, TIOCSWINSZ, &size) != 0) {
    return OsError(errno, "ioctl(TIOCSWINSZ)");
  }
  return absl::OkStatus();
}

}  // namespace troupe
