// Residents: actors pinned to a thread of ours. The one place that knows CAF's
// execution units; a change of CAF's scheduling interface is a change here.
//
//   using Counter = caf::typed_actor<caf::reacts_to<Increment>>;
//   Counter::behavior_type CounterActor(Resident<Counter::base>* self);
//
//   Counter counter = SpawnResident(host, CounterActor);
//
// A Host is a queue of actors that are ready to run and a thread that runs
// them. What the thread sleeps in when the queue is empty is the subclass's
// business (IoHost: a selector). The mixin Resident makes an actor run there
// and nowhere else: a message from the host's own thread costs no lock and no
// system call, one from another thread at most one wake-up per sleep. The
// message types are those of any actor.
//
// A message from one resident to another that is at rest does not even pass its
// mailbox: it waits in a line of the host's, which is emptied before any actor
// runs that was made ready. So the order in which a sender's messages arrive is
// that of any actor, and so is all else.
//
// Lifetime: a resident keeps its host object alive, so a handle may outlive
// the host's thread. When the host stops it kills the residents that are left;
// from then on messages to them bounce like those to any dead actor.
//
// A handler must not block: it holds up its neighbours. Actors whose job is to
// block get a host of their own.
#ifndef TROUPE_IO_RESIDENT_H_
#define TROUPE_IO_RESIDENT_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <exception>
#include <memory>
#include <mutex>
#include <type_traits>
#include <typeinfo>
#include <unordered_map>
#include <utility>
#include <vector>

#include "caf/actor_config.hpp"
#include "caf/actor_system.hpp"
#include "caf/execution_unit.hpp"
#include "caf/exit_reason.hpp"
#include "caf/mailbox_element.hpp"
#include "caf/resumable.hpp"
#include "caf/scheduled_actor.hpp"
#include "caf/typed_event_based_actor.hpp"

namespace troupe {

class ResidentBase;

class Host : public caf::execution_unit,
             public std::enable_shared_from_this<Host> {
 public:
  explicit Host(caf::actor_system& system) : caf::execution_unit(&system) {}
  ~Host() override;

  // Whether the caller is on the host's thread, inside its run.
  bool OnThread() const { return current_ == this; }
  static bool AnyOnThisThread() { return current_ != nullptr; }

  // Queues an actor of which the caller holds a reference for us. CAF's
  // interface; any thread.
  void exec_later(caf::resumable* job) final;

  // Ends the sleep of the host's thread if it sleeps; any thread.
  void WakeIfAsleep() {
    if (sleeping_.load()) Wake();
  }

  // Residents announce themselves and leave; any thread. False when the host
  // takes no more.
  bool Enter(caf::abstract_actor* resident);
  void Leave(caf::abstract_actor* resident);
  size_t resident_count() const;

  // For residents: whether the line is empty, whether a message may go into it
  // now, and how.
  bool LineIsEmpty() const { return line_.empty(); }
  bool HasLine() const { return OnThread() && line_open_ && line_left_ > 0; }
  void PutInLine(ResidentBase& receiver, caf::strong_actor_ptr keep_alive,
                 caf::mailbox_element_ptr element) {
    line_.push_back({&receiver, std::move(keep_alive), std::move(element)});
    --line_left_;
  }

 protected:
  // Ends the sleep of the host's thread; any thread.
  virtual void Wake() = 0;

  // What follows is for the host's own thread.

  // The host belongs to the calling thread until PauseRun, or for good until
  // EndRun. Before and between it counts as asleep. One may end inside another.
  void BeginRun() {
    outer_ = current_;
    current_ = this;
    sleeping_.store(false);
  }
  void PauseRun() {
    sleeping_.store(true);
    current_ = outer_;
  }
  void EndRun();

  // Between these two a message from another thread calls Wake().
  // BeginSleep is false when there is work and so no reason to sleep.
  bool BeginSleep();
  void EndSleep() { sleeping_.store(false); }

  // Hands over what is in the line, and what comes into it meanwhile. Between
  // events it keeps what belongs together in the processor's caches.
  bool EmptyLine();

  // Empties the line, then runs what was ready when the round
  // began, or a part of it if that is a lot; false if there was neither. What
  // an actor makes ready meanwhile comes after it.
  bool RunRound();

  // From now on a new resident is dead before it begins: without that a thread
  // that goes on spawning would keep the end from coming.
  void CloseToNewcomers();

  // Ends all residents but `last`; they are gone when the rounds after it have
  // run.
  void KillResidents(const caf::abstract_actor* last = nullptr);

 private:
  // Messages that the line takes between two rounds; more go to mailboxes. So
  // neither a flood nor two residents in ping-pong keep the others from
  // running.
  static constexpr size_t kMaxLine = 1024;

  struct Waiting {
    ResidentBase* receiver;
    caf::strong_actor_ptr keep_alive;
    caf::mailbox_element_ptr element;
  };

  bool TakeRemote();
  bool InRound() const { return next_ < round_.size(); }

  static thread_local Host* current_;

  Host* outer_ = nullptr;  // current_ before BeginRun
  std::vector<caf::resumable*> local_;
  std::vector<caf::resumable*> round_;
  size_t next_ = 0;  // in round_
  std::vector<Waiting> line_;
  size_t line_left_ = kMaxLine;
  bool line_open_ = true;  // until the end
  std::atomic<bool> sleeping_{true};
  std::atomic<bool> has_remote_{false};

  mutable std::mutex mutex_;  // guards what follows
  std::vector<caf::resumable*> remote_;
  bool full_ = false;    // takes no new residents
  bool closed_ = false;  // runs nobody any more
  std::unordered_map<caf::abstract_actor*, caf::weak_actor_ptr> residents_;
};

// The host behind `unit`; aborts with a sentence if it is none, because an
// actor spawned without one would run on a worker and break every promise.
std::shared_ptr<Host> RequireHost(caf::execution_unit* unit);

// What a resident is told again and again, as calls: handlers of its behavior
// without the behavior, `state->HandleDirectly(T&)` for each of a few types.
// They run as the behavior would, for plain messages only; their result goes
// nowhere.
class DirectHandlers {
 public:
  template <class State, class... Ts>
  static const DirectHandlers& For() {
    static const DirectHandlers handlers(
        std::array<Entry, kMost>{Entry{&typeid(Ts), &Call<State, Ts>}...});
    return handlers;
  }

  using Function = void (*)(void* state, void* message);
  // Null for a type that is not one of them.
  Function Find(const std::type_info* type) const {
    for (const auto& [one, function] : entries_) {
      if (one == type) return function;
    }
    return nullptr;
  }

 private:
  struct Entry {
    const std::type_info* type;
    Function function;
  };
  static constexpr size_t kMost = 2;

  explicit DirectHandlers(std::array<Entry, kMost> entries)
      : entries_(entries) {}
  template <class State, class T>
  static void Call(void* state, void* message) {
    static_cast<State*>(state)->HandleDirectly(*static_cast<T*>(message));
  }

  const std::array<Entry, kMost> entries_;
};

// Non-template part of the mixin: whose resident an actor is, and how a message
// is handed to it without its mailbox.
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
           !AwaitsResponse() && self_->get_normal_queue().cache().empty();
  }

  // Hands it over; the resident is at rest and not on the stack. A message that
  // its handler skips is not kept.
  Activation Activate(caf::mailbox_element& element);

  // Runs the handler of a message of `sender`'s here and now, without memory of
  // its own, while other residents may be on the stack. False, and the message
  // untouched, if that cannot be told from sending it.
  template <class T>
  bool ActivateNow(caf::actor_control_block* sender, T& message) {
    if (on_stack_ || !host_->OnThread() || !host_->LineIsEmpty() ||
        !IsAtRest()) {
      return false;
    }
    if (auto* handle = DirectHandlerOf(&typeid(T))) {
      RunDirectly(handle, &message);
      return true;
    }
    caf::mailbox_element_vals<T> element(caf::strong_actor_ptr(sender),
                                         caf::make_message_id(), {},
                                         std::move(message));
    const Activation result = Activate(element);
    if (result == Activation::skipped) {
      KeepSkipped(caf::make_mailbox_element(
          std::move(element.sender), element.mid, {},
          std::move(element.template get_mutable_as<T>(0))));
    } else {
      After(result);
    }
    return true;
  }

  // For the resident itself: its state, and what may be called without it.
  void SetDirectHandlers(const DirectHandlers& handlers, void* state) {
    direct_ = &handlers;
    direct_state_ = state;
  }

  // The same, for a resident that was at rest when the message was sent. What
  // is skipped goes to its cache.
  void Handle(caf::mailbox_element_ptr element);

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
  bool TakesShortWay(const caf::mailbox_element& element) const;
  Activation CallBehavior(caf::mailbox_element& element);
  void EndByException(std::exception_ptr exception);
  void KeepSkipped(caf::mailbox_element_ptr element);
  void After(Activation result);

  caf::scheduled_actor* const self_;
  bool on_stack_ = false;  // it runs, and those that it activated
  DirectHandlers::Function DirectHandlerOf(const std::type_info* type) const {
    return direct_ == nullptr ? nullptr : direct_->Find(type);
  }
  void RunDirectly(DirectHandlers::Function handle, void* message);
  Activation Outcome();

  static thread_local ResidentBase* running_;

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

// Hands messages to one actor, again and again. If it is a resident of `host`
// and at rest the handler runs at once, with no mailbox and no allocation; else
// they are sent. For the host's thread.
class DirectLine {
 public:
  DirectLine(caf::strong_actor_ptr receiver, Host& host);

  template <class T>
  void Send(T message) {
    if (resident_ != nullptr && resident_->ActivateNow(nullptr, message)) {
      return;
    }
    receiver_->enqueue(nullptr, caf::make_message_id(),
                       caf::make_message(std::move(message)), nullptr);
  }

  void Prefetch() const {
    if (resident_ != nullptr) resident_->Prefetch();
  }

  const caf::strong_actor_ptr& receiver() const { return receiver_; }

 private:
  caf::strong_actor_ptr receiver_;
  ResidentBase* resident_ = nullptr;  // null: not of this host
};

}  // namespace troupe

#endif  // TROUPE_IO_RESIDENT_H_
