// A callback that a loop will run, and the right to cancel it (asyncio's Handle
// and TimerHandle, rows L6, L17).
//
//   CallHandle handle = loop.CallLater(absl::Seconds(1), [] { ... });
//   if (!handle.status().ok()) ...   // the loop was closed; it never runs
//   handle.Cancel();
//
// A handle is a reference: it may be copied, kept after the loop has ended, or
// dropped, which cancels nothing.
//
// Cancel may be called on any thread (V43): when it returns true the callback
// does not run, or not again, and its captures are destroyed, on the caller's
// thread unless it is running at this moment. Only the destruction of the loop
// must not happen at the same time.
#ifndef TROUPE_ACTORS_CALL_HANDLE_H_
#define TROUPE_ACTORS_CALL_HANDLE_H_

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "actors/scheduled_call.h"

namespace troupe {

class CallHandle {
 public:
  // Of nothing: cancelled from the start.
  CallHandle() = default;
  // What was refused: never runs.
  explicit CallHandle(absl::Status refused) : status_(std::move(refused)) {}
  // Takes over one reference.
  explicit CallHandle(ScheduledCall* call) : call_(call) {}

  // OK, or why the call was not accepted: FAILED_PRECONDITION
  // `Event loop is closed`, or the wrong thread (rows L2, L21).
  const absl::Status& status() const { return status_; }

  // True if it was this call that kept the callback from running (again).
  bool Cancel() { return call_ && call_->Cancel(); }
  bool cancelled() const { return !call_ || call_->cancelled(); }

  // When it is due (next), on the loop's clock; the loop's thread only.
  absl::Duration when() const;

  // `<Handle created at main.cc:17>`, `<TimerHandle when=12.5 created at ...>`,
  // `<Handle cancelled created at ...>`.
  std::string ToString() const;

  friend bool operator==(const CallHandle& a, const CallHandle& b) {
    return a.call_ == b.call_;
  }
  // Timers by time, then by order of arming.
  friend bool operator<(const CallHandle& a, const CallHandle& b);

 private:
  CallRef call_;
  absl::Status status_;
};

}  // namespace troupe

#endif  // TROUPE_ACTORS_CALL_HANDLE_H_
