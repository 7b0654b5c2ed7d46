// The readiness of many descriptors, from the kernel.
//
//   auto selector = Selector::Create(SelectorKind::kEpoll);
//   status = (*selector)->Add(fd, /*id=*/7, EPOLLIN | EPOLLRDHUP);
//   for (const auto& event : (*selector)->Wait(/*timeout_ms=*/-1)) ...
//
// One thread, its owner's; nothing here is locked. Ids are the caller's and
// come back with the events; a descriptor number is no identity.
#ifndef TROUPE_IO_SELECTOR_H_
#define TROUPE_IO_SELECTOR_H_

#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace troupe {

enum class SelectorKind {
  kEpoll,  // for everything epoll takes
  kPoll,   // poll(2); for the few descriptors epoll refuses or that must stay
           // blocking, each on a thread of its own
};

class Selector {
 public:
  struct Event {
    uint64_t id;
    uint32_t events;  // EPOLL* bits
  };

  static absl::StatusOr<std::unique_ptr<Selector>> Create(SelectorKind kind);
  virtual ~Selector() = default;

  // Registers `fd`, with EPOLLET in `events` to be told of edges only (poll(2)
  // tells of each event once, until Rearm, either way); readiness that is there
  // already is reported too. PERMISSION_DENIED (EPERM) for what epoll cannot
  // watch: regular files, /dev/null. ALREADY_EXISTS for a descriptor registered
  // twice.
  virtual absl::Status Add(int fd, uint64_t id, uint32_t events) = 0;

  // Changes what is asked; reports again what is ready at this moment.
  virtual absl::Status Modify(int fd, uint64_t id, uint32_t events) = 0;

  // Asks for the next event of a descriptor whose last one was handled. Epoll
  // has nothing to do for it.
  void Rearm(int fd) {
    if (needs_rearm_) DoRearm(fd);
  }

  // Must come before the descriptor is closed.
  virtual void Remove(int fd) = 0;

  // Sleeps until something is ready or `timeout_ms` is over (-1: for ever).
  // The events are valid until the next call. An interrupted wait is an empty
  // answer.
  virtual absl::Span<const Event> Wait(int timeout_ms) = 0;

  // For another selector: readable while Wait would give something. -1 if there
  // is none (poll).
  virtual int fd() const { return -1; }

 protected:
  explicit Selector(bool needs_rearm) : needs_rearm_(needs_rearm) {}
  virtual void DoRearm(int) {}

 private:
  const bool needs_rearm_;
};

// Each implementation's own file has one of these.
absl::StatusOr<std::unique_ptr<Selector>> CreateEpollSelector();
absl::StatusOr<std::unique_ptr<Selector>> CreatePollSelector();

}  // namespace troupe

#endif  // TROUPE_IO_SELECTOR_H_
