// poll(2) behind the selector's interface, for descriptors that epoll refuses
// (regular files, /dev/null are always ready) or that are shared with others
// and so must stay blocking.
//
// poll reports a state, not an edge: what was reported of a descriptor is not
// asked again until Rearm, else its owner's pause would spin the thread. The
// rest is: input that nobody reads must not hide room to write.
#include <poll.h>
#include <sys/epoll.h>

#include <cerrno>
#include <vector>

#include "absl/strings/str_cat.h"
#include "io/os_error.h"
#include "io/selector.h"

namespace troupe {
namespace {

static_assert(POLLIN == EPOLLIN && POLLOUT == EPOLLOUT && POLLERR == EPOLLERR &&
              POLLHUP == EPOLLHUP && POLLRDHUP == EPOLLRDHUP);

class PollSelector final : public Selector {
 public:
  PollSelector() : Selector(/*needs_rearm=*/true) {}

  absl::Status Add(int fd, uint64_t id, uint32_t events) override {
    if (Find(fd) != nullptr) {
      return OsError(EEXIST, "poll", absl::StrCat("fd ", fd));
    }
    entries_.push_back(Entry(fd, id, events));
    return absl::OkStatus();
  }

  absl::Status Modify(int fd, uint64_t id, uint32_t events) override {
    Entry* entry = Find(fd);
    if (entry == nullptr) {
      return OsError(ENOENT, "poll", absl::StrCat("fd ", fd));
    }
    *entry = Entry(fd, id, events);
    return absl::OkStatus();
  }

  void Remove(int fd) override {
    std::erase_if(entries_, [fd](const Entry& e) { return e.fd == fd; });
  }

  absl::Span<const Event> Wait(int timeout_ms) override {
    set_.clear();
    for (const Entry& entry : entries_) {
      set_.push_back(pollfd{entry.ended ? -1 : entry.fd, entry.asked, 0});
    }
    events_.clear();
    if (poll(set_.data(), set_.size(), timeout_ms) <= 0) return events_;
    for (size_t i = 0; i < set_.size(); ++i) {
      if (set_[i].revents == 0) continue;
      Entry& entry = entries_[i];
      uint32_t got = set_[i].revents;
      // POLLNVAL: the number was closed under us; the next read says EBADF.
      if (got & POLLNVAL) got = EPOLLERR;
      entry.asked &= ~got;
      entry.ended = got & (EPOLLHUP | EPOLLERR);
      events_.push_back(Event{entry.id, got});
    }
    return events_;
  }

 protected:
  void DoRearm(int fd) override {
    if (Entry* entry = Find(fd)) *entry = Entry(fd, entry->id, entry->events);
  }

 private:
  struct Entry {
    Entry(int fd, uint64_t id, uint32_t events)
        : fd(fd), id(id), events(events & ~EPOLLET), asked(this->events) {}

    int fd;
    uint64_t id;
    short events;
    short asked;         // those of `events` that were not reported yet
    bool ended = false;  // a hang-up was reported; poll cannot be told not to
  };

  Entry* Find(int fd) {
    for (Entry& entry : entries_) {
      if (entry.fd == fd) return &entry;
    }
    return nullptr;
  }

  std::vector<Entry> entries_;
  std::vector<pollfd> set_;
  std::vector<Event> events_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Selector>> CreatePollSelector() {
  return std::make_unique<PollSelector>();
}

}  // namespace troupe
