// Moves bytes from one pipe or stream socket to another, and none of them
// through this process's memory: splice(2) again and again, as a state machine.
//
//   auto pump = SplicePump::Create(from, to, /*count=*/std::nullopt);
//   ... once `from` was ready: pump->OnFromReady();
//   switch (pump->Run(most)) {
//     case kWaiting:  // for what wants_from() and wants_to() say; then
//                     // OnFromReady or OnToReady, and Run again
//     case kMore:     // `most` were moved; Run again
//     case kOver:     // from_ended(), or `count` are through
//     case kFailed:   // failure() says which side
//   }
//
// splice(2) needs a pipe at one end. Between two sockets there is one of our
// own, of the size the kernel gives (64 KiB): nothing more is taken from `from`
// when it is full, and that is the back-pressure. What is in it when the pump
// is destroyed is lost: in_pipe().
//
// Nothing is tried before OnFromReady was called: a FIFO that nobody has opened
// for writing yet looks like one at its end. Exactly `count` bytes are taken
// from `from`. Descriptors that ride on the bytes of a UNIX socket are lost.
// Both descriptors are borrowed, may be copies of one, and are made
// non-blocking, for all who share them. One thread.
#ifndef TROUPE_IO_SOCKETS_SPLICE_PUMP_H_
#define TROUPE_IO_SOCKETS_SPLICE_PUMP_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "io/owned_fd.h"

namespace troupe {

class SplicePump {
 public:
  // INVALID_ARGUMENT for what is neither a pipe nor a stream socket, or one and
  // the same descriptor.
  static absl::StatusOr<SplicePump> Create(int from, int to,
                                           std::optional<uint64_t> count);

  void OnFromReady() { from_blocked_ = false; }
  void OnToReady() { to_blocked_ = false; }
  // Nobody reads `to` any more, it was told while only `from` was waited for.
  // What is there or an end is still taken; else it has failed.
  void OnToGone();

  enum class State { kWaiting, kMore, kOver, kFailed };
  State Run(size_t most);

  bool wants_from() const { return from_blocked_ && !pipe_full_; }
  bool wants_to() const { return to_blocked_; }

  uint64_t bytes() const { return taken_ - in_pipe_; }  // that `to` has got
  size_t in_pipe() const { return in_pipe_; }
  bool from_ended() const { return from_ended_; }
  // The kernel's reason; its step is `splice from` or `splice to`.
  const absl::Status& failure() const { return failure_; }

 private:
  enum class Step { kMoved, kBlocked, kFailed };

  SplicePump(int from, int to, uint64_t count)
      : from_(from), to_(to), count_(count) {}

  bool direct() const { return !pipe_in_.valid(); }
  bool TakenAll() const { return from_ended_ || taken_ == count_; }
  Step MoveDirectly(size_t most);
  Step MoveByPipe(size_t most);
  Step Fill(size_t most);
  Step Drain();
  Step Take(ssize_t got);
  Step FindOut();
  Step Fail(int error, bool of_from);

  int from_;
  int to_;
  bool to_is_pipe_ = false;
  OwnedFd pipe_out_, pipe_in_;  // our own, if any
  uint64_t count_;
  uint64_t taken_ = 0;
  size_t in_pipe_ = 0;
  bool from_blocked_ = true;
  bool to_blocked_ = false;
  bool pipe_full_ = false;  // or `from` is empty: known when it is drained
  bool from_ended_ = false;
  absl::Status failure_;
};

}  // namespace troupe

#endif  // TROUPE_IO_SOCKETS_SPLICE_PUMP_H_
