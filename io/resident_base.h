// What all residents are: whose resident an actor is, and how a message is
// handed to it without its mailbox.
#ifndef TROUPE_IO_RESIDENT_BASE_H_
#define TROUPE_IO_RESIDENT_BASE_H_

#include <cstdint>
#include <exception>
#include <memory>
#include <tuple>
#include <typeinfo>
#include <utility>

#include "caf/execution_unit.hpp"
#include "caf/mailbox_element.hpp"
#include "caf/scheduled_actor.hpp"
#include "io/direct_handlers.h"
#include "io/host.h"
#include "io/parcel.h"

namespace troupe {

class ResidentBase {
 public:
  using Activation = caf::scheduled_actor::activation_result;

  ResidentBase(caf::execution_unit* unit, caf::scheduled_actor* self)
      : host_(RequireHost(unit)), self_(self) {}
  virtual ~ResidentBase() = default;
  Host& host() const { return *host_; }

  // Whose handler runs on this thread, null if nobody's does. For handlers that
  // many actors share: 10,000 actors of one kind need not have each their own.
  static ResidentBase* Running() { return running_; }

  // What follows is for the host's thread.

  // Whether it can be handed a message at once, because none of before waits
  // in its mailbox or in its cache. Blocked is what CAF calls a mailbox whose
  // actor sleeps until it is not empty.
  bool IsAtRest() const {
    return self_->mailbox().blocked() &&
           self_->getf(caf::abstract_actor::is_initialized_flag) &&
           !AwaitsResponse() && NormalQueue().cache().empty();
  }

  // Runs the handler of a message of `sender`'s here and now, without memory of
  // its own, while other residents may be on the stack. False, and the message
  // untouched, if that cannot be told from sending it.
  template <class T>
  bool ActivateNow(caf::actor_control_block* sender, T& message) {
    if (on_stack_ || !host_->OnThread() || in_line_ > 0 || !IsAtRest()) {
      return false;
    }
    if (auto* handle = DirectHandlerOf(&typeid(T))) [[likely]] {
      RunDirectly(handle, &message);
    } else {
      CallBehaviorNow(sender, message);
    }
    return true;
  }

  // Puts a message from nobody into the host's line without memory of its own.
  // False, and the message untouched, if the resident has no direct handler for
  // it or it must not go there.
  template <class T>
  bool ActivateSoon(const caf::strong_actor_ptr& itself, T& message) {
    if constexpr (Parcel::kFits<T>) {
      if (!host_->HasLine() || !IsAtRest()) return false;
      auto* handle = DirectHandlerOf(&typeid(T));
      if (handle == nullptr) return false;
      EnterLine();
      host_->PutInLine(*this, itself, handle, message);
      return true;
    }
    return false;
  }

  // A message of it is in the host's line, or is not any more.
  void EnterLine() { ++in_line_; }
  void LeaveLine() { --in_line_; }

  // Runs the handler of a message that was sent when the resident was at rest;
  // it is not on the stack.
  void Handle(caf::mailbox_element_ptr element);
  void Handle(Parcel& parcel);

  // For the resident itself: its state, and what may be called without its
  // behavior.
  void SetDirectHandlers(const DirectHandlers& handlers, void* state) {
    direct_ = &handlers;
    direct_state_ = state;
  }

  // It will be handed something in a moment: brings its memory near. With many
  // actors in turn most of a handler's time is waiting for memory.
  void Prefetch() const;

  // Puts it into the mailbox all the same.
  virtual void EnqueueInMailbox(caf::mailbox_element_ptr element) = 0;

  // While it lives, `resident` is running. They nest.
  class Run {
   public:
    explicit Run(ResidentBase* resident)
        : resident_(resident), outer_(std::exchange(running_, resident)) {
      resident_->on_stack_ = true;
    }
    ~Run() {
      resident_->on_stack_ = false;
      running_ = outer_;
    }
    Run(const Run&) = delete;
    Run& operator=(const Run&) = delete;

   private:
    ResidentBase* const resident_;
    ResidentBase* const outer_;
  };

 protected:
  std::shared_ptr<Host> host_;

 private:
  bool AwaitsResponse() const;
  // CAF's own is a call.
  caf::scheduled_actor::normal_queue& NormalQueue() const {
    return std::get<caf::scheduled_actor::normal_queue_index>(
        self_->mailbox().queue().queues());
  }
  bool TakesShortWay(const caf::mailbox_element& element) const;
  bool OnlyBehaves() const;
  DirectHandlers::Function DirectHandlerOf(const std::type_info* type) const {
    return direct_ == nullptr ? nullptr : direct_->Find(type);
  }

  // Skipped messages are not kept.
  Activation Activate(caf::mailbox_element& element);
  Activation ActivatePlain(caf::mailbox_element& element);
  Activation CallBehavior(caf::mailbox_element& element);
  template <class T>
  [[gnu::noinline]] void CallBehaviorNow(caf::actor_control_block* sender,
                                         T& message) {
    caf::mailbox_element_vals<T> element(caf::strong_actor_ptr(sender),
                                         caf::make_message_id(), {},
                                         std::move(message));
    const Activation result = ActivatePlain(element);
    if (result == Activation::skipped) {
      KeepSkipped(caf::make_mailbox_element(
          std::move(element.sender), element.mid, {},
          std::move(element.template get_mutable_as<T>(0))));
    } else {
      After(result);
    }
  }
  void RunDirectly(DirectHandlers::Function handle, void* message);
  void EndByException(std::exception_ptr exception);
  Activation Outcome();
  void KeepSkipped(caf::mailbox_element_ptr element);
  void After(Activation result) {
    if (result == Activation::success && !NormalQueue().cache().empty()) {
      HandleSkipped();
    }
  }
  void HandleSkipped();

  static thread_local ResidentBase* running_;

  caf::scheduled_actor* const self_;
  uint32_t in_line_ = 0;   // messages for it in the host's line
  bool on_stack_ = false;  // it runs, or those do that it activated
  const DirectHandlers* direct_ = nullptr;
  void* direct_state_ = nullptr;
};

// Members of CAF's actors that are protected.
struct ScheduledActorParts : caf::scheduled_actor {
  static constexpr auto kAwaited = &ScheduledActorParts::awaited_responses_;
  static constexpr auto kExceptionHandler =
      &ScheduledActorParts::exception_handler_;
};

inline bool ResidentBase::AwaitsResponse() const {
  return !(self_->*ScheduledActorParts::kAwaited).empty();
}

}  // namespace troupe

#endif  // TROUPE_IO_RESIDENT_BASE_H_
