// Operations that wait for one side of a socket, in line (rows FD13, FD14).
//
//   SockQueue queue(loop);
//   SockHandle handle = queue.Start(fd, Side::kRead, std::move(op), where);
//   handle.Cancel();
//
// The first of a line is tried at once, then each time its side is ready, with
// the loop's readers and writers; a second one waits behind it (asyncio's first
// one would never be heard of again). The descriptor is watched only while
// somebody waits for it, and is free again when the last Cancel returns.
//
// If somebody else takes the side with AddReader or AddWriter, or the
// descriptor is closed under its watch and its number used anew, those in line
// end with kAborted.
//
// The loop's thread; the loop must outlive the queue. When the queue is gone no
// outcome is told any more.
#ifndef TROUPE_ACTORS_SOCK_QUEUE_H_
#define TROUPE_ACTORS_SOCK_QUEUE_H_

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "actors/call_handle.h"
#include "actors/code_location.h"
#include "actors/loop.h"
#include "io/readiness.h"

namespace troupe {

class SockQueue;

class SockOperation {
 public:
  struct Attempt {
    Callback outcome;  // tells it; empty: not finished
    // Not finished: when to try again. Zero: when the side is ready.
    absl::Duration pause = absl::ZeroDuration();
  };

  virtual ~SockOperation() = default;
  virtual Attempt Try() = 0;
  // What tells that it failed; it is not tried any more.
  virtual Callback Fail(absl::Status why) = 0;

 private:
  friend class SockQueue;
  friend class SockHandle;
  SockQueue* queue_ = nullptr;
  int fd_ = -1;
  Side side_ = Side::kRead;
  CodeLocation where_;
};

// One whose outcome goes to a callback, which may be empty.
template <class Outcome>
class SockOperationOf : public SockOperation {
 public:
  using Done = absl::AnyInvocable<void(Outcome)>;

  SockOperationOf(int fd, Done done) : fd_(fd), done_(std::move(done)) {}

  Callback Fail(absl::Status why) override { return Tell(std::move(why)); }

 protected:
  Callback Tell(Outcome outcome) {
    return [done = std::move(done_), outcome = std::move(outcome)]() mutable {
      if (done) done(std::move(outcome));
    };
  }

  const int fd_;

 private:
  Done done_;
};

// The right to cancel an operation. A reference: dropping it cancels nothing.
class SockHandle {
 public:
  SockHandle() = default;
  explicit SockHandle(absl::Status status) : status_(std::move(status)) {}
  explicit SockHandle(std::weak_ptr<SockOperation> operation)
      : operation_(std::move(operation)) {}

  // OK, or why nothing will be told: kFailedPrecondition, the loop is closed or
  // runs on another thread.
  const absl::Status& status() const { return status_; }

  bool waiting() const { return !operation_.expired(); }

  // True if it was this call that kept the operation from finishing: nothing
  // will be told. False: its outcome was told or will be. The loop's thread.
  bool Cancel();

 private:
  std::weak_ptr<SockOperation> operation_;
  absl::Status status_;
};

class SockQueue {
 public:
  explicit SockQueue(Loop& loop) : loop_(loop) {}
  ~SockQueue();
  SockQueue(const SockQueue&) = delete;
  SockQueue& operator=(const SockQueue&) = delete;

  // Told from a loop callback, never from here: the outcome, or
  // kInvalidArgument `the socket must be non-blocking`, or what CheckDescriptor
  // says.
  SockHandle Start(int fd, Side side, std::shared_ptr<SockOperation> operation,
                   CodeLocation where);

  // Those that wait for a descriptor end with `why`.
  void EndAll(int fd, const absl::Status& why);

  Loop& loop() const { return loop_; }

 private:
  friend class SockHandle;
  class Registration;
  using Key = std::pair<int, Side>;
  struct Line {
    std::deque<std::shared_ptr<SockOperation>> waiting;
    CallHandle pause;           // the first one's
    uint64_t registration = 0;  // 0: the side is not watched
  };

  bool Cancel(const SockOperation& operation);
  void TryFirst(Key key);
  void Await(Key key, absl::Duration pause);
  absl::Status Watch(Key key, Line& line);
  void StopWatching(Key key, Line& line);
  void OnTaken(Key key, uint64_t registration);
  void EndLine(Key key, const absl::Status& why);
  absl::Status Tell(Callback outcome, CodeLocation where);

  Loop& loop_;
  std::map<Key, Line> lines_;
  uint64_t last_registration_ = 0;
  std::shared_ptr<SockQueue*> alive_ = std::make_shared<SockQueue*>(this);
};

}  // namespace troupe

#endif  // TROUPE_ACTORS_SOCK_QUEUE_H_
