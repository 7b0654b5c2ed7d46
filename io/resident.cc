#include "io/resident.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "caf/detail/default_invoke_result_visitor.hpp"
#include "caf/detail/invoke_result_visitor.hpp"
#include "caf/exit_reason.hpp"
#include "caf/match_case.hpp"
#include "caf/scheduler/abstract_coordinator.hpp"
#include "caf/sec.hpp"
#include "caf/send.hpp"
#include "caf/system_messages.hpp"
#include "caf/type_nr.hpp"

namespace troupe {
namespace {

// Messages one actor handles before its neighbours get their turn.
constexpr size_t kMaxThroughput = 64;
// Actors that run before the host looks at its selector or its end again: while
// a round runs others may make ready more than it had.
constexpr size_t kMaxPerRound = 1024;

// Ends an actor that was ready to run but has no thread any more. CAF's own
// cleanup_and_release leaves the state of a stateful actor undestroyed.
void Discard(caf::resumable* job, caf::execution_unit* unit) {
  auto* actor = static_cast<caf::scheduled_actor*>(job);
  if (!actor->getf(caf::abstract_actor::is_cleaned_up_flag)) {
    actor->on_exit();
    actor->cleanup(caf::exit_reason::kill, unit);
  }
  caf::intrusive_ptr_release(job);
}

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

thread_local Host* Host::current_ = nullptr;
thread_local ResidentBase* ResidentBase::running_ = nullptr;

Host::~Host() = default;

void Host::exec_later(caf::resumable* job) {
  if (job->subtype() == caf::resumable::scheduled_actor) {
    // An ordinary actor that one of ours woke: a worker runs it.
    system().scheduler().enqueue(job);
    return;
  }
  if (OnThread()) {
    local_.push_back(job);
    return;
  }
  bool first;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (closed_) {
      first = false;
    } else {
      first = remote_.empty();
      remote_.push_back(job);
      has_remote_.store(true);
      job = nullptr;
    }
  }
  if (job != nullptr) {
    Discard(job, this);
  } else if (first && sleeping_.load()) {
    Wake();
  }
}

bool Host::Enter(caf::abstract_actor* resident) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (full_) return false;
  residents_.emplace(resident, caf::actor_control_block::from(resident));
  return true;
}

void Host::CloseToNewcomers() {
  std::lock_guard<std::mutex> lock(mutex_);
  full_ = true;
}

void Host::Leave(caf::abstract_actor* resident) {
  std::lock_guard<std::mutex> lock(mutex_);
  residents_.erase(resident);
}

size_t Host::resident_count() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return residents_.size();
}

bool Host::TakeRemote() {
  if (has_remote_.load()) {
    std::lock_guard<std::mutex> lock(mutex_);
    has_remote_.store(false);
    local_.insert(local_.end(), remote_.begin(), remote_.end());
    remote_.clear();
  }
  return !local_.empty();
}

// `sleeping_` is set before the queue is looked at again: whoever queues after
// that look sees the flag and wakes us.
bool Host::BeginSleep() {
  if (!line_.empty() || InRound() || TakeRemote()) return false;
  sleeping_.store(true);
  if (!TakeRemote()) return true;
  sleeping_.store(false);
  return false;
}

// It may grow while it is emptied.
bool Host::EmptyLine() {
  if (line_.empty()) return false;
  for (size_t n = 0; n < line_.size(); ++n) {
    Waiting next = std::move(line_[n]);
    next.receiver->Handle(std::move(next.element));
  }
  line_.clear();
  return true;
}

bool Host::RunRound() {
  const bool had_line = EmptyLine();
  line_left_ = kMaxLine;
  if (!InRound()) {
    if (!TakeRemote()) return had_line;
    round_.clear();
    round_.swap(local_);
    next_ = 0;
  }
  for (size_t n = 0; n < kMaxPerRound && InRound(); ++n) {
    caf::resumable* job = round_[next_++];
    if (job->resume(this, kMaxThroughput) == caf::resumable::resume_later) {
      local_.push_back(job);
    } else {
      caf::intrusive_ptr_release(job);
    }
  }
  return true;
}

void Host::KillResidents(const caf::abstract_actor* last) {
  std::vector<caf::strong_actor_ptr> alive;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    for (auto& [resident, weak] : residents_) {
      if (resident == last) continue;
      if (auto strong = weak.lock()) alive.push_back(std::move(strong));
    }
  }
  for (const auto& actor : alive) {
    actor->enqueue(nullptr, caf::make_message_id(),
                   caf::make_message(
                       caf::exit_msg{actor->address(), caf::exit_reason::kill}),
                   this);
  }
}

void Host::EndRun() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    full_ = closed_ = true;
  }
  line_open_ = false;
  for (Waiting& waiting : std::exchange(line_, {})) {
    waiting.receiver->EnqueueInMailbox(std::move(waiting.element));
  }
  TakeRemote();
  while (InRound()) Discard(round_[next_++], this);
  // An actor that ends may wake others.
  while (!local_.empty()) {
    round_.clear();
    round_.swap(local_);
    for (caf::resumable* job : round_) Discard(job, this);
  }
  round_.clear();
  current_ = outer_;
}

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
         element.content().type_token() == kOneTypeOfOurs &&
         self_->has_behavior() &&
         !self_->getf(caf::abstract_actor::has_timeout_flag);
}

ResidentBase::Activation ResidentBase::Activate(caf::mailbox_element& element) {
  const Run run(this);
  return TakesShortWay(element) ? CallBehavior(element)
                                : self_->activate(host_.get(), element);
}

ResidentBase::Activation ResidentBase::CallBehavior(
    caf::mailbox_element& element) {
  self_->context(host_.get());
  self_->current_mailbox_element(&element);
  caf::type_erased_tuple& content = element.content();
  try {
    auto* handle = DirectHandlerOf(content.type(0).second);
    if (handle != nullptr && !content.shared()) {
      handle(direct_state_, content.get_mutable(0));
      return Outcome();
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

// What a handler that quits leaves to be done.
ResidentBase::Activation ResidentBase::Outcome() {
  self_->bhvr_stack().cleanup();
  if (self_->alive()) return Activation::success;
  self_->finalize();
  return Activation::terminated;
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

// Not push_to_cache: it counts the message twice, and CAF then pops one too
// many.
void ResidentBase::KeepSkipped(caf::mailbox_element_ptr element) {
  self_->get_normal_queue().cache().push_back(element.release());
}

// What was skipped before may fit now.
void ResidentBase::After(Activation result) {
  if (result != Activation::success) return;
  auto& queue = self_->get_normal_queue();
  if (queue.cache().empty()) return;
  queue.flush_cache();
  if (!self_->mailbox().try_unblock()) return;
  caf::intrusive_ptr_add_ref(self_->ctrl());
  host_->exec_later(self_);
}

std::shared_ptr<Host> RequireHost(caf::execution_unit* unit) {
  auto* host = dynamic_cast<Host*>(unit);
  if (host == nullptr) {
    std::fputs(
        "troupe: a resident actor was spawned without a host; use "
        "SpawnResident(host, ...) instead of spawn(...)\n",
        stderr);
    std::abort();
  }
  return host->shared_from_this();
}

caf::error ExceptionToError(std::exception_ptr& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const std::exception& e) {
    return caf::make_error(caf::sec::runtime_error, std::string(e.what()));
  } catch (...) {
    return caf::make_error(caf::sec::runtime_error,
                           std::string("unknown exception"));
  }
}

bool HasEnded(const caf::strong_actor_ptr& actor) {
  if (actor == nullptr) return true;
  auto* scheduled = dynamic_cast<caf::scheduled_actor*>(actor->get());
  return scheduled != nullptr && scheduled->mailbox().closed();
}

DirectLine::DirectLine(caf::strong_actor_ptr receiver, Host& host)
    : receiver_(std::move(receiver)) {
  auto* resident = dynamic_cast<ResidentBase*>(receiver_->get());
  if (resident != nullptr && &resident->host() == &host) resident_ = resident;
}

}  // namespace troupe
