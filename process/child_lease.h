// A child that somebody answers for.
//
//   auto lease = std::make_shared<ChildLease>(pid, pidfd, own_group, abandon);
//   ... travels in a message, is kept by the actor that looks after the child
//   lease->Settle();          // the child is reaped
//
//   lease->AtEnd([] { ... }, ChildLease::Until::kReaped);
//
// Somebody who counts children is called when the child is settled or,
// abandoned, when it has been ended. Whoever cares for those bound to our own
// life is called when the child is detached already: then nobody ends it with
// us, but it lives and may still be reaped by us.
//
// When the last holder is gone and the child was not settled, `abandon` is
// called with it, on that thread: an answer that nobody took, or an actor that
// died in the middle, leaves no child behind.
#ifndef TROUPE_PROCESS_CHILD_LEASE_H_
#define TROUPE_PROCESS_CHILD_LEASE_H_

#include <sys/types.h>

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "io/owned_fd.h"
#include "process/child_signal.h"
#include "process/reap.h"

namespace troupe {

// A pidfd that everyone concerned holds: the number is the child's as long as
// one of them does.
using SharedFd = std::shared_ptr<const OwnedFd>;

class ChildLease {
 public:
  using Abandon = std::function<void(pid_t, SharedFd, bool own_group)>;

  ChildLease(pid_t pid, SharedFd pidfd, bool own_group, Abandon abandon)
      : pid_(pid),
        pidfd_(std::move(pidfd)),
        own_group_(own_group),
        abandon_(std::move(abandon)) {}
  ~ChildLease() { GiveUp(); }
  ChildLease(const ChildLease&) = delete;
  ChildLease& operator=(const ChildLease&) = delete;

  void Settle() {
    abandon_ = nullptr;
    ends_.clear();
  }

  // Now, as with the last holder; nothing for a child that is settled or
  // detached. The lease stays for questions.
  void GiveUp() {
    if (auto abandon = std::exchange(abandon_, nullptr)) {
      abandon(pid_, WithEnds(), own_group_);
    }
  }

  // Nobody answers for it any more: the end of the last holder does nothing.
  void Detach() {
    abandon_ = nullptr;
    std::erase_if(
        ends_, [](const auto& end) { return end.second == Until::kDetached; });
  }

  enum class Until { kReaped, kDetached };

  // Calls `end` once, on the thread where that comes; where nobody settles or
  // ends the child, with the lease. Before the lease is given to others.
  template <class Function>
  void AtEnd(Function end, Until until) {
    ends_.emplace_back(
        End(nullptr, [end = std::move(end)](const void*) { end(); }), until);
  }

  pid_t pid() const { return pid_; }
  // Never null, but not valid where pidfds are forbidden (see spawn.h).
  const SharedFd& pidfd() const { return pidfd_; }
  ChildId id() const { return ChildId::Of(pid_, pidfd_->get()); }
  absl::Status Signal(int number) const {
    return SignalChild(pid_, pidfd_->get(), number);
  }
  absl::Status SignalGroup(int number) const {
    return SignalGroupOf(pid_, pidfd_->get(), number);
  }
  // The child leads a process group of its own.
  bool own_group() const { return own_group_; }

 private:
  using End = std::shared_ptr<const void>;  // its deleter is what is called
  using Ends = std::vector<std::pair<End, Until>>;

  // Whoever ends the child has the pidfd until then, and with it the ends.
  SharedFd WithEnds() {
    if (ends_.empty()) return pidfd_;
    return SharedFd(std::make_shared<std::pair<SharedFd, Ends>>(
                        pidfd_, std::exchange(ends_, {})),
                    pidfd_.get());
  }

  pid_t pid_;
  SharedFd pidfd_;
  bool own_group_;
  Abandon abandon_;
  Ends ends_;
};

}  // namespace troupe

#endif  // TROUPE_PROCESS_CHILD_LEASE_H_
