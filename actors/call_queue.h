// The callbacks of one event loop: ready ones in order, timers by time, and the
// iteration that runs them (rows L2 to L8, L12; core of the loop, no actors).
//
//   CallQueue calls(SystemClock::Get(), owner);
//   calls.Enter();                       // this thread runs it
//   calls.Soon([] { ... });
//   calls.Begin(false); calls.Run();     // one iteration
//   calls.Leave();
//
// An iteration runs what is ready when its Run begins, due timers last; what
// these schedule waits for the next one, so nobody starves the descriptors. A
// timer never runs early.
//
// Soon, At and Every belong to the thread between Enter and Leave, or, outside,
// to one thread at a time; from elsewhere they are refused. SoonThreadsafe and
// CallHandle::Cancel are for every thread.
#ifndef TROUPE_ACTORS_CALL_QUEUE_H_
#define TROUPE_ACTORS_CALL_QUEUE_H_

#include <atomic>
#include <cstdint>
#include <exception>
#include <mutex>
#include <vector>

#include "absl/status/status.h"
#include "actors/call_handle.h"
#include "actors/code_location.h"
#include "actors/loop_metrics.h"
#include "actors/scheduled_call.h"
#include "io/clock.h"
#include "io/timer_heap.h"
#include "io/turn.h"

namespace troupe {

class CallQueue final : public Turn, private ScheduledCall::Keeper {
 public:
  // What the queue needs of whoever runs it.
  class Owner {
   public:
    virtual ~Owner() = default;
    // There is something new to do, and the caller is not the running thread.
    // Any thread, also under a lock of the queue.
    virtual void Wake() = 0;
    // A callback threw. Must not throw.
    virtual void OnException(const CallHandle& call,
                             std::exception_ptr exception) = 0;
    // A callback took longer than the slow duration. Must not throw.
    virtual void OnSlow(const CallHandle& call, absl::Duration took) = 0;
  };

  CallQueue(Clock& clock, Owner& owner) : clock_(clock), owner_(owner) {}
  ~CallQueue() override { Close(); }
  CallQueue(const CallQueue&) = delete;
  CallQueue& operator=(const CallQueue&) = delete;

  // A refused call gives a handle whose status says why.
  CallHandle Soon(Callback&& callback, CodeLocation where);
  CallHandle SoonThreadsafe(Callback&& callback, CodeLocation where);
  CallHandle At(int64_t when_ns, Callback&& callback, CodeLocation where);
  // First at `first_ns`, then on a grid of `period_ns`; a period that was
  // missed altogether is left out. A period below 1 ns counts as 1.
  CallHandle Every(int64_t first_ns, int64_t period_ns, Callback&& callback,
                   CodeLocation where);

  // A call that the caller keeps and appends each time its event happens.
  CallRef Repeatable(Callback&& callback, CodeLocation where);
  void Append(ScheduledCall& call);

  // OK on the running thread, or on any if none runs it; else, or when closed,
  // what asyncio says.
  absl::Status CheckThread() const;
  // The same, and whether there is a callback for `function`.
  absl::Status Check(const Callback& callback, const char* function) const;

  // Nothing that waits will run; its captures are destroyed. Not while running.
  void Close();
  bool closed() const { return closed_.load(); }

  // The calling thread runs it from now on, or no longer.
  void Enter();
  void Leave();
  bool running() const { return running_.load(std::memory_order_relaxed); }
  bool OnThread() const { return current_ == this; }

  // Owner::OnSlow from this duration on; at first, never. With it each call is
  // measured alone, otherwise several at a time: a look at the clock costs as
  // much as a call.
  void SetSlowNs(int64_t slow_ns) {
    slow_ns_ = slow_ns;
    measured_together_ = slow_ns == kNeverSlow ? kMeasuredTogether : 1;
  }
  static constexpr int64_t kNeverSlow = TimerHeap<ScheduledCall>::kNever;

  LoopMetrics Metrics();

  // Turn.
  bool Ready() override;
  int64_t next_deadline_ns() const override {
    return timers_.next_deadline_ns();
  }
  void Begin(bool straight_on) override;
  void Run() override;

 private:
  using State = ScheduledCall::State;
  static constexpr size_t kMeasuredTogether = 16;

  CallHandle Arm(ScheduledCall* call, int64_t when_ns);
  void Nudge();
  void OnCancelled(ScheduledCall& call) override;
  void TakeRemote();
  void Disarm(ScheduledCall& call);
  void TakeDueTimers();
  void RunBatch();
  void Execute(ScheduledCall& call);
  void Measure(ScheduledCall& last, int64_t took_ns);
  void Repeat(ScheduledCall& call);
  void Discard(ScheduledCall& call);

  static thread_local CallQueue* current_;

  Clock& clock_;
  Owner& owner_;
  std::atomic<bool> running_{false};
  std::atomic<bool> closed_{false};
  bool nudged_ = false;
  int64_t slow_ns_ = kNeverSlow;
  size_t measured_together_ = kMeasuredTogether;
  uint64_t iterations_ = 0;
  uint64_t callbacks_ = 0;
  int64_t longest_ns_ = 0;
  int64_t measured_until_ns_ = 0;  // 0: what comes next begins later
  int64_t lag_ns_ = 0;
  int64_t longest_lag_ns_ = 0;

  // Each of these holds one reference to each of its calls.
  std::vector<ScheduledCall*> ready_;
  std::vector<ScheduledCall*> batch_;  // what this iteration runs
  TimerHeap<ScheduledCall> timers_;

  std::atomic<bool> has_remote_{false};
  std::mutex mutex_;  // guards what follows
  std::vector<ScheduledCall*> remote_ready_;
  std::vector<ScheduledCall*> remote_cancelled_;
};

}  // namespace troupe

#endif  // TROUPE_ACTORS_CALL_QUEUE_H_
