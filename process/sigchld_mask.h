// Whether the thread that makes children blocks SIGCHLD.
//
// The kernel drops a signal that is ignored, as SIGCHLD is by default, but not
// if the thread it is for blocks it: that is the child's parent, the thread
// that made it. It then goes to any other thread of the program, whose
// epoll_wait(2) fails with EINTR though nobody handles the signal. A handler,
// on the other hand, is to run on the program's threads.
#ifndef TROUPE_PROCESS_SIGCHLD_MASK_H_
#define TROUPE_PROCESS_SIGCHLD_MASK_H_

namespace troupe {

// Blocks SIGCHLD on the calling thread if it is handled now, else unblocks it.
// A handler that is installed later may run here until the next call.
void BlockSigchldIfHandled();

}  // namespace troupe

#endif  // TROUPE_PROCESS_SIGCHLD_MASK_H_
