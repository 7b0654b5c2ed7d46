#include "io/host.h"

#include <cstdio>
#include <cstdlib>
#include <memory>

#include "caf/exit_reason.hpp"
#include "caf/scheduled_actor.hpp"
#include "caf/scheduler/abstract_coordinator.hpp"
#include "caf/system_messages.hpp"
#include "io/monitors.h"
#include "io/resident_base.h"

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

}  // namespace

Host::Host(caf::actor_system& system)
    : caf::execution_unit(&system), monitors_(std::make_shared<Monitors>()) {}

thread_local Host* Host::current_ = nullptr;

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

void Host::FetchRemote() {
  std::lock_guard<std::mutex> lock(mutex_);
  has_remote_.store(false);
  local_.insert(local_.end(), remote_.begin(), remote_.end());
  remote_.clear();
}

// Looked at only now and then, so a slice that is used up by little costs no
// clock.
bool Host::SliceIsOver() {
  const int64_t now = std::chrono::steady_clock::now().time_since_epoch() /
                      std::chrono::nanoseconds(1);
  if (slice_end_ns_ == 0) slice_end_ns_ = now + kSlice.count();
  slice_over_ = now >= slice_end_ns_;
  return slice_over_;
}

// It may grow while it is emptied.
bool Host::HandleLine() {
  if (slice_over_) return true;
  for (size_t n = 1; line_next_ < line_.size(); ++n) {
    Waiting next = std::move(line_[line_next_++]);
    next.receiver->LeaveLine();
    if (next.element == nullptr) [[likely]] {
      next.receiver->Handle(next.parcel);
    } else {
      next.receiver->Handle(std::move(next.element));
    }
    if (n % kBetweenLooks == 0 && SliceIsOver()) break;
  }
  if (line_next_ == line_.size()) {
    line_.clear();
    line_next_ = 0;
  }
  return true;
}

void Host::RunReady() {
  if (!InRound()) {
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
    if (n % kBetweenLooks == kBetweenLooks - 1 && SliceIsOver()) return;
  }
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
  std::vector<Waiting> line = std::exchange(line_, {});
  for (size_t n = std::exchange(line_next_, 0); n < line.size(); ++n) {
    Waiting& waiting = line[n];
    waiting.receiver->LeaveLine();
    waiting.receiver->EnqueueInMailbox(waiting.element == nullptr
                                           ? waiting.parcel.ToElement()
                                           : std::move(waiting.element));
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

}  // namespace troupe
