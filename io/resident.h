// Residents: actors pinned to a thread of ours. This file, host, resident_base
// and direct_line are the one place that knows CAF's execution units; a change
// of CAF's scheduling interface is a change here.
//
//   using Counter = caf::typed_actor<caf::reacts_to<Increment>>;
//   Counter::behavior_type CounterActor(Resident<Counter::base>* self);
//
//   Counter counter = SpawnResident(host, CounterActor);
//
// The mixin Resident makes an actor run on a Host (host.h) and nowhere else: a
// message from the host's own thread costs no lock and no system call, one from
// another thread at most one wake-up per sleep. The message types are those of
// any actor.
//
// Lifetime: a resident keeps its host object alive, so a handle may outlive
// the host's thread.
//
// A handler must not block: it holds up its neighbours. Actors whose job is to
// block get a host of their own.
#ifndef TROUPE_IO_RESIDENT_H_
#define TROUPE_IO_RESIDENT_H_

#include <exception>
#include <type_traits>
#include <utility>

#include "caf/actor_config.hpp"
#include "caf/actor_system.hpp"
#include "caf/execution_unit.hpp"
#include "caf/exit_reason.hpp"
#include "caf/mailbox_element.hpp"
#include "caf/resumable.hpp"
#include "caf/scheduled_actor.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "io/host.h"
#include "io/resident_base.h"

namespace troupe {

// What residents do with an exception of a handler: they end with its text as
// the reason, and say nothing on stdout.
caf::error ExceptionToError(std::exception_ptr& exception);

template <class Base>
class Resident : public Base, public ResidentBase {
 public:
  template <class... Ts>
  explicit Resident(caf::actor_config& config, Ts&&... xs)
      : Base(config, std::forward<Ts>(xs)...), ResidentBase(config.host, this) {
    this->set_exception_handler(
        [](caf::scheduled_actor*, std::exception_ptr& exception) {
          return ExceptionToError(exception);
        });
    this->set_down_handler([](caf::scheduled_actor*, caf::down_msg&) {});
    this->set_default_handler(caf::drop);
  }

  using Base::enqueue;
  void enqueue(caf::mailbox_element_ptr element,
               caf::execution_unit*) override {
    if (host_->HasLine() && element->mid.is_normal_message() && IsAtRest()) {
      EnterLine();
      host_->PutInLine(*this, caf::strong_actor_ptr(this->ctrl()),
                       std::move(element));
    } else {
      Base::enqueue(std::move(element), host_.get());
    }
  }
  void launch(caf::execution_unit*, bool lazy, bool hide) override {
    if (host_->Enter(this)) {
      Base::launch(host_.get(), lazy, hide);
    } else {
      this->on_exit();
      Base::cleanup(caf::exit_reason::kill, host_.get());
    }
  }
  caf::resumable::subtype_t subtype() const override {
    return caf::resumable::io_actor;
  }
  caf::resumable::resume_result resume(caf::execution_unit* unit,
                                       size_t most) override {
    const Run run(this);
    return Base::resume(unit, most);
  }

  void EnqueueInMailbox(caf::mailbox_element_ptr element) final {
    Base::enqueue(std::move(element), host_.get());
  }

 protected:
  bool cleanup(caf::error&& reason, caf::execution_unit* unit) override {
    host_->Leave(this);
    return Base::cleanup(std::move(reason), unit);
  }
};

// An actor with typed interface `Handle` and state `State`, pinned. CAF
// destroys the state when the actor ends: the state's destructor is the place
// to release what the actor owns.
template <class Handle, class State>
using StatefulResident =
    Resident<typename Handle::template stateful_base<State>>;

template <class T>
struct IsResident : std::false_type {};
template <class Base>
struct IsResident<Resident<Base>*> : std::true_type {};

// The first parameter of a function or of a lambda.
template <class F>
struct FirstArgument : FirstArgument<decltype(&F::operator())> {};
template <class R, class T, class... Ts>
struct FirstArgument<R (*)(T, Ts...)> {
  using type = T;
};
template <class C, class R, class T, class... Ts>
struct FirstArgument<R (C::*)(T, Ts...) const> {
  using type = T;
};

// Spawns the actor `f(self, xs...)` on `host`; any thread. Infrastructure is
// spawned `caf::hidden`: a program does not wait for it at its end.
template <caf::spawn_options Options = caf::no_spawn_options, class F,
          class... Ts>
auto SpawnResident(Host& host, F f, Ts&&... xs) {
  static_assert(IsResident<typename FirstArgument<F>::type>::value,
                "the first parameter must be a Resident<...>*: anything else "
                "would run on a worker");
  caf::actor_config config{&host};
  return host.system().template spawn_functor<Options>(
      std::true_type{}, config, f, std::forward<Ts>(xs)...);
}

// Whether messages to the actor go nowhere any more: true a moment before its
// monitors are told, because CAF empties the mailbox first. Any thread.
bool HasEnded(const caf::strong_actor_ptr& actor);

}  // namespace troupe

#endif  // TROUPE_IO_RESIDENT_H_
