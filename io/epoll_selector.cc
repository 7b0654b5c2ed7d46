// epoll(7): one registration per descriptor for as long as it is watched, no
// epoll_ctl per event.
#include <sys/epoll.h>

#include <array>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "io/os_error.h"
#include "io/owned_fd.h"
#include "io/plain_call.h"
#include "io/selector.h"

namespace troupe {
namespace {

class EpollSelector final : public Selector {
 public:
  explicit EpollSelector(OwnedFd epoll)
      : Selector(/*needs_rearm=*/false), epoll_(std::move(epoll)) {}

  absl::Status Add(int fd, uint64_t id, uint32_t events) override {
    return Control(EPOLL_CTL_ADD, fd, id, events);
  }
  absl::Status Modify(int fd, uint64_t id, uint32_t events) override {
    return Control(EPOLL_CTL_MOD, fd, id, events);
  }
  int fd() const override { return epoll_.get(); }
  void Remove(int fd) override {
    epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
  }

  absl::Span<const Event> Wait(int timeout_ms) override {
    int n = PlainWait(epoll_.get(), raw_.data(), raw_.size(), timeout_ms);
    if (n < 0) n = 0;  // EINTR; the other errors are bugs of ours
    for (int i = 0; i < n; ++i) {
      events_[i] = Event{raw_[i].data.u64, raw_[i].events};
    }
    return absl::MakeConstSpan(events_.data(), n);
  }

 private:
  absl::Status Control(int operation, int fd, uint64_t id, uint32_t events) {
    epoll_event event = {};
    event.events = events;
    event.data.u64 = id;
    if (epoll_ctl(epoll_.get(), operation, fd, &event) == 0) {
      return absl::OkStatus();
    }
    return OsError(errno, "epoll_ctl", absl::StrCat("fd ", fd));
  }

  OwnedFd epoll_;
  std::array<epoll_event, 128> raw_;
  std::array<Event, 128> events_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Selector>> CreateEpollSelector() {
  OwnedFd epoll(epoll_create1(EPOLL_CLOEXEC));
  if (!epoll.valid()) return OsError(errno, "epoll_create1");
  return std::make_unique<EpollSelector>(std::move(epoll));
}

}  // namespace troupe
