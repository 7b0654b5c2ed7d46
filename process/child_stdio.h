// Where one of a child's standard descriptors leads.
//
//   command.stdin_from = Stdio::File("input.txt", Stdio::FileMode::kRead);
//   command.stdout_to = Stdio::Pipe();
//   command.stderr_to = Stdio::Merged();
//
// Whatever we open for a child is blocking when it gets it: programs expect
// that. A descriptor of the caller's goes over as it is.
//
// A file is opened by the parent, before the child exists: its path counts from
// the parent's directory and its permissions pass the parent's umask. A FIFO is
// opened without waiting for the other side: for reading it succeeds at once
// and reads as ended until a writer comes; for writing it fails with ENXIO if
// nobody reads.
//
// A socket instead of a pipe is for programs that ask for one, or that write
// to their stdin. They cannot open it again by /dev/stdin (row P8). All that a
// child has as kPty is one terminal, see pty.h.
#ifndef TROUPE_PROCESS_CHILD_STDIO_H_
#define TROUPE_PROCESS_CHILD_STDIO_H_

#include <sys/types.h>

#include <memory>
#include <string>
#include <utility>

#include "io/owned_fd.h"

namespace troupe {

struct Stdio {
  enum class Kind {
    kInherit,     // the parent's descriptor of this number, if it has one
    kNull,        // /dev/null
    kPipe,        // a new pipe; the parent keeps the other end
    kSocketPair,  // the same with two stream sockets: see below
    kPty,         // the child's terminal; the parent keeps the other end
    kFile,        // `path`, opened by the parent
    kDescriptor,  // `fd` or `shared_fd`
    kMerged,      // for stderr: wherever stdout leads
  };

  enum class FileMode {
    kRead,
    kTruncate,  // write, made if missing, emptied if not
    kAppend,    // write, made if missing, always at the end
  };

  static Stdio Inherit() { return {}; }
  static Stdio Null() { return {.kind = Kind::kNull}; }
  static Stdio Pipe() { return {.kind = Kind::kPipe}; }
  static Stdio SocketPair() { return {.kind = Kind::kSocketPair}; }
  static Stdio Pty() { return {.kind = Kind::kPty}; }
  static Stdio Merged() { return {.kind = Kind::kMerged}; }
  static Stdio File(std::string path, FileMode mode,
                    mode_t permissions = 0666) {
    return {.kind = Kind::kFile,
            .path = std::move(path),
            .file_mode = mode,
            .permissions = permissions};
  }

  // `fd` stays the caller's and has to be open until Spawn returns.
  static Stdio Descriptor(int fd) {
    return {.kind = Kind::kDescriptor, .fd = fd};
  }

  // Kept open by whoever holds a copy of this value.
  static Stdio Descriptor(std::shared_ptr<const OwnedFd> fd) {
    return {.kind = Kind::kDescriptor, .shared_fd = std::move(fd)};
  }

  // Whether the parent keeps an end.
  bool IsStream() const {
    return kind == Kind::kPipe || kind == Kind::kSocketPair ||
           kind == Kind::kPty;
  }

  // The number behind kDescriptor; -1 when there is none.
  int descriptor() const {
    return shared_fd != nullptr ? shared_fd->get() : fd;
  }

  Kind kind = Kind::kInherit;
  std::string path = {};
  FileMode file_mode = FileMode::kRead;
  mode_t permissions = 0666;
  int fd = -1;  // borrowed
  std::shared_ptr<const OwnedFd> shared_fd = nullptr;

  friend bool operator==(const Stdio&, const Stdio&) = default;
};

}  // namespace troupe

#endif  // TROUPE_PROCESS_CHILD_STDIO_H_
