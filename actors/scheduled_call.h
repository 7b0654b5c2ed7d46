// One callback on its way through a CallQueue: the part of it that its handle,
// the queue and other threads share. See call_handle.h for its use.
//
//   waiting  ->  running  ->  done          once
//   waiting <->  running                    each time, if it repeats
//   waiting or running  ->  cancelled
//
// Whoever moves it from waiting to running may call and destroy the callback;
// whoever moves it to cancelled destroys it, but for a running one, which the
// runner destroys afterwards. That is what makes Cancel safe on any thread
// (V43).
#ifndef TROUPE_ACTORS_SCHEDULED_CALL_H_
#define TROUPE_ACTORS_SCHEDULED_CALL_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "actors/code_location.h"
#include "io/timer_heap.h"

namespace troupe {

// May be move-only; called many times if its call repeats.
using Callback = absl::AnyInvocable<void()>;

class ScheduledCall : public TimerHeapEntry {
 public:
  // Whoever keeps the call in lists; CallQueue.
  class Keeper {
   public:
    // The call was cancelled while it waited. Any thread.
    virtual void OnCancelled(ScheduledCall& call) = 0;

   protected:
    ~Keeper() = default;
  };

  enum class State { kWaiting, kRunning, kDone, kCancelled };

  // With references for `holders`.
  ScheduledCall(Keeper& keeper, Callback&& callback, CodeLocation where,
                int32_t holders)
      : references_(holders),
        keeper_(keeper),
        where_(where),
        callback_(std::move(callback)) {}
  ScheduledCall(const ScheduledCall&) = delete;
  ScheduledCall& operator=(const ScheduledCall&) = delete;

  void AddReference() { references_.fetch_add(1, std::memory_order_relaxed); }
  void DropReference() {
    // The last holder needs no locked instruction.
    if (HasOneHolder() ||
        references_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      delete this;
    }
  }

  // From a short list of each thread: callbacks come and go by the thousand.
  static void* operator new(size_t size);
  static void operator delete(void* block);

  // Any thread.
  bool Cancel() {
    if (Move(State::kWaiting, State::kCancelled)) {
      Callback dead = std::move(callback_);
      keeper_.OnCancelled(*this);
      return true;
    }
    return repeats_ && Move(State::kRunning, State::kCancelled);
  }
  bool cancelled() const { return state_.load() == State::kCancelled; }
  bool is_timer() const { return is_timer_; }
  const CodeLocation& where() const { return where_; }

 private:
  friend class CallQueue;
  ~ScheduledCall() = default;

  bool Move(State from, State to) {
    return state_.compare_exchange_strong(from, to, std::memory_order_acq_rel);
  }

  // Nobody else can cancel it meanwhile.
  bool HasOneHolder() const {
    return references_.load(std::memory_order_acquire) == 1;
  }

  std::atomic<int32_t> references_;
  std::atomic<State> state_{State::kWaiting};
  bool is_timer_ = false;
  bool repeats_ = false;
  int64_t period_ns_ = 0;
  Keeper& keeper_;
  const CodeLocation where_;
  Callback callback_;
};

// A counted reference.
class CallRef {
 public:
  CallRef() = default;
  explicit CallRef(ScheduledCall* adopted) : call_(adopted) {}
  CallRef(const CallRef& other) : call_(other.call_) {
    if (call_ != nullptr) call_->AddReference();
  }
  CallRef(CallRef&& other) noexcept
      : call_(std::exchange(other.call_, nullptr)) {}
  CallRef& operator=(CallRef other) noexcept {
    std::swap(call_, other.call_);
    return *this;
  }
  ~CallRef() {
    if (call_ != nullptr) call_->DropReference();
  }

  ScheduledCall* get() const { return call_; }
  ScheduledCall* release() { return std::exchange(call_, nullptr); }
  ScheduledCall* operator->() const { return call_; }
  explicit operator bool() const { return call_ != nullptr; }
  friend bool operator==(const CallRef&, const CallRef&) = default;

 private:
  ScheduledCall* call_ = nullptr;
};

}  // namespace troupe

#endif  // TROUPE_ACTORS_SCHEDULED_CALL_H_
