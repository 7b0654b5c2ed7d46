#include "io/resident_base.h"

#include <cstddef>
#include <cstdint>

#include "caf/detail/default_invoke_result_visitor.hpp"
#include "caf/detail/invoke_result_visitor.hpp"
#include "caf/match_case.hpp"
#include "caf/type_nr.hpp"

namespace troupe {
namespace {

// What a handler returned for a plain message. Mostly nothing, of which CAF's
// own visitor makes a response promise first.
class PlainResult final : public caf::detail::invoke_result_visitor {
 public:
  explicit PlainResult(caf::scheduled_actor* self) : self_(self) {}

  void operator()() override {}
  void operator()(caf::message& result) override {
    if (!result.empty()) Answer(result);
  }
  void operator()(caf::error& why) override { Answer(why); }
  void operator()(const caf::none_t& none) override { Answer(none); }

 private:
  template <class T>
  void Answer(T& result) {
    caf::detail::default_invoke_result_visitor<caf::scheduled_actor> visitor(
        self_);
    visitor(result);
  }

  caf::scheduled_actor* const self_;
};

// The type of which this is the token stands for all that CAF does not know.
constexpr uint32_t kOneTypeOfOurs = caf::make_type_token<PlainResult>();

}  // namespace

thread_local ResidentBase* ResidentBase::running_ = nullptr;

// The mixin is the last part of the actor's memory.
void ResidentBase::Prefetch() const {
  constexpr size_t kCacheLine = 64;
  auto* end = reinterpret_cast<const char*>(this + 1);
  for (auto* at = reinterpret_cast<const char*>(self_->ctrl()); at < end;
       at += kCacheLine) {
    __builtin_prefetch(at);
  }
}

// A plain message, not one of CAF's own, to an actor that waits for nothing
// else: all that scheduled_actor::activate does beside calling the behavior is
// without effect then, and takes longer than the rest.
bool ResidentBase::TakesShortWay(const caf::mailbox_element& element) const {
  return element.mid.is_async() && !AwaitsResponse() &&
         element.content().type_token() == kOneTypeOfOurs && OnlyBehaves();
}

bool ResidentBase::OnlyBehaves() const {
  return self_->has_behavior() &&
         !self_->getf(caf::abstract_actor::has_timeout_flag);
}

ResidentBase::Activation ResidentBase::Activate(caf::mailbox_element& element) {
  const Run run(this);
  return TakesShortWay(element) ? CallBehavior(element)
                                : self_->activate(host_.get(), element);
}

// Of one that is at rest.
ResidentBase::Activation ResidentBase::ActivatePlain(
    caf::mailbox_element& element) {
  const Run run(this);
  return OnlyBehaves() ? CallBehavior(element)
                       : self_->activate(host_.get(), element);
}

// What a handler that quits leaves to be done.
inline ResidentBase::Activation ResidentBase::Outcome() {
  self_->bhvr_stack().cleanup();
  if (self_->alive()) return Activation::success;
  self_->finalize();
  return Activation::terminated;
}

ResidentBase::Activation ResidentBase::CallBehavior(
    caf::mailbox_element& element) {
  self_->context(host_.get());
  self_->current_mailbox_element(&element);
  caf::type_erased_tuple& content = element.content();
  try {
    if (direct_ != nullptr && !content.shared()) {
      if (auto* handle = direct_->Find(content.type(0).second)) {
        handle(direct_state_, content.get_mutable(0));
        return Outcome();
      }
    }
    PlainResult result(self_);
    switch (self_->bhvr_stack().back()(result, content)) {
      case caf::match_case::no_match:
        return self_->activate(host_.get(), element);
      case caf::match_case::skip:
        return Activation::skipped;
      default:
        break;
    }
  } catch (...) {
    EndByException(std::current_exception());
  }
  return Outcome();
}

void ResidentBase::RunDirectly(DirectHandlers::Function handle, void* message) {
  const Run run(this);
  self_->context(host_.get());
  self_->current_mailbox_element(nullptr);
  try {
    handle(direct_state_, message);
  } catch (...) {
    EndByException(std::current_exception());
  }
  After(Outcome());
}

// As scheduled_actor::reactivate does it.
void ResidentBase::EndByException(std::exception_ptr exception) {
  self_->quit(
      (self_->*ScheduledActorParts::kExceptionHandler)(self_, exception));
}

void ResidentBase::Handle(caf::mailbox_element_ptr element) {
  if (self_->mailbox().closed()) {  // bounces requests
    return EnqueueInMailbox(std::move(element));
  }
  const Activation result = Activate(*element);
  if (result == Activation::skipped) {
    KeepSkipped(std::move(element));
  } else {
    After(result);
  }
}

void ResidentBase::Handle(Parcel& parcel) {
  if (self_->mailbox().closed()) return;
  if (AwaitsResponse() || !OnlyBehaves()) return Handle(parcel.ToElement());
  RunDirectly(parcel.handle(), parcel.message());
}

// Not push_to_cache: it counts the message twice, and CAF then pops one too
// many.
void ResidentBase::KeepSkipped(caf::mailbox_element_ptr element) {
  NormalQueue().cache().push_back(element.release());
}

// What was skipped before may fit now.
void ResidentBase::HandleSkipped() {
  NormalQueue().flush_cache();
  if (!self_->mailbox().try_unblock()) return;
  caf::intrusive_ptr_add_ref(self_->ctrl());
  host_->exec_later(self_);
}

}  // namespace troupe
