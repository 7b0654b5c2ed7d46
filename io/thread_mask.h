// Signal masks that last as long as a scope, on the thread that made them.
//
//   std::thread loop;
//   {
//     BlockAllSignals mask;  // what a new thread inherits
//     loop = std::thread(Run);
//   }
//
//   ScopedSigpipeBlock guard;          // a caller's thread, SIGPIPE unblocked
//   ssize_t n = write(fd, data, size); // EPIPE, and nothing else happens
//
// A thread of ours takes no signal: the program's handlers run on the program's
// threads. SIGPIPE is never set to ignored, because a disposition belongs to
// the whole process and children inherit it across exec (signal(7)).
//
// Both are destroyed on the thread that made them, the latest first.
#ifndef TROUPE_IO_THREAD_MASK_H_
#define TROUPE_IO_THREAD_MASK_H_

#include <signal.h>

namespace troupe {

// For sigprocmask and its like.
sigset_t OnlySignal(int number);

// Blocks every signal but those a thread raises by its own instruction or
// call: SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT. A blocked
// fault would end the process without its handler, a sanitizer's for one.
// SIGTTIN and SIGTTOU belong to them: a background process that uses its
// terminal is stopped by them, but if they are blocked it gets EIO
// (tcsetattr(3), read(2)).
class [[nodiscard]] BlockAllSignals {
 public:
  BlockAllSignals();
  BlockAllSignals(const BlockAllSignals&) = delete;
  BlockAllSignals& operator=(const BlockAllSignals&) = delete;
  ~BlockAllSignals();

 private:
  sigset_t previous_;
};

// Blocks SIGPIPE, and takes away the one that a write in the scope made
// pending. A SIGPIPE that was pending before stays, and so does one that
// another process sends meanwhile. Not promised: one that this process sends
// to itself with kill() looks like a write's, and goes with it.
class [[nodiscard]] ScopedSigpipeBlock {
 public:
  ScopedSigpipeBlock();
  ScopedSigpipeBlock(const ScopedSigpipeBlock&) = delete;
  ScopedSigpipeBlock& operator=(const ScopedSigpipeBlock&) = delete;
  // Leaves errno alone: the write's is still to be read.
  ~ScopedSigpipeBlock();

 private:
  sigset_t previous_;
  bool was_pending_ = false;
};

}  // namespace troupe

#endif  // TROUPE_IO_THREAD_MASK_H_
