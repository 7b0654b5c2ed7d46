// A pseudo-terminal (pty(7)): two ends, of which the child's is a terminal to
// whoever has it.
//
//   auto pty = OpenPty({.rows = 50, .columns = 132});
//   write(pty->ours.get(), "ls\n", 3);     // as if it were typed
//   ResizeTerminal(pty->ours.get(), 24, 80);
//
// When the last copy of the child's end is closed, what is left is read from
// ours, then EIO: the end, not an error (row A24; ReadTransportOptions::
// hang_up_is_end). When the last copy of ours is closed, the session that has
// the terminal gets SIGHUP.
//
// There is no half close: the child reads an end when Ctrl-D, "\x04", is
// written at the start of a line.
#ifndef TROUPE_PROCESS_PTY_H_
#define TROUPE_PROCESS_PTY_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "io/owned_fd.h"
#include "process/terminal_setup.h"

namespace troupe {

// Close-on-exec and numbered 3 or higher; nobody's controlling terminal.
struct Pty {
  OwnedFd ours;   // non-blocking
  OwnedFd child;  // blocking, for reading and writing
};

// Errors: those of open(2) for /dev/ptmx, and of ioctl_tty(2).
absl::StatusOr<Pty> OpenPty(const TerminalSetup& setup);

// `fd` is either end. The foreground group gets SIGWINCH if the size is a new
// one.
absl::Status ResizeTerminal(int fd, unsigned short rows,
                            unsigned short columns);

}  // namespace troupe

#endif  // TROUPE_PROCESS_PTY_H_
