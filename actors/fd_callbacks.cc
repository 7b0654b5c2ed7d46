#include "actors/fd_callbacks.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

namespace troupe {
namespace {

Interest InterestOf(Side side) {
  return side == Side::kRead ? Interest::kReadable : Interest::kWritable;
}

}  // namespace

// Keeps the call and cancels it when its registration ends, so that one that is
// in the ready list already does not run any more.
class FdCallbacks::Sink final : public ReadinessSink {
 public:
  Sink(FdCallbacks& owner, int fd, CallRef call)
      : owner_(owner), fd_(fd), call_(std::move(call)) {}
  ~Sink() override { call_->Cancel(); }

  void OnReady(WatchId watch, Side side, Readiness) override {
    if (call_->cancelled()) {
      owner_.Remove(fd_, side);  // row FD7
      return;
    }
    owner_.calls_.Append(*call_.get());
    owner_.watches_.Arm(watch, side, InterestOf(side));
  }
  void OnEnded(WatchId, absl::Status) override { owner_.Forget(fd_); }
  std::string Describe() const override { return "<a callback>"; }

 private:
  FdCallbacks& owner_;
  const int fd_;
  const CallRef call_;
};

CallHandle FdCallbacks::Add(int fd, Side side, Callback callback,
                            CodeLocation where) {
  absl::Status refused =
      calls_.Check(callback, side == Side::kRead ? "AddReader" : "AddWriter");
  if (!refused.ok()) return CallHandle(std::move(refused));
  CallRef call = calls_.Repeatable(std::move(callback), where);
  auto added = AddSink(fd, side, std::make_unique<Sink>(*this, fd, call));
  if (!added.ok()) return CallHandle(added.status());
  watches_.Arm(added->watch, side, InterestOf(side));
  return CallHandle(call.release());
}

absl::StatusOr<FdCallbacks::Registration> FdCallbacks::AddSink(
    int fd, Side side, std::unique_ptr<ReadinessSink> sink) {
  absl::Status refused = calls_.CheckThread();
  if (!refused.ok()) return refused;
  auto found = entries_.find(fd);
  // A number that was closed and opened anew is another descriptor.
  if (found == entries_.end() || !watches_.StillThere(found->second.watch)) {
    auto watch = Watch(fd);
    if (!watch.ok()) return watch.status();
    found = entries_.insert_or_assign(fd, Entry{*watch}).first;
  }
  const Registration added{found->second.watch, ++last_token_};
  found->second.tokens[static_cast<int>(side)] = added.token;
  // What goes with the sink before may remove the entry.
  watches_.SetSink(added.watch, side, std::move(sink));
  return added;
}

absl::StatusOr<WatchId> FdCallbacks::Watch(int fd) {
  const WatchId holder = watches_.WatchOf(fd);
  auto watch = watches_.AddBorrowed(fd, nullptr, nullptr, Trigger::kLevel);
  if (!absl::IsAlreadyExists(watch.status())) return watch;
  return UsedBy(fd, holder);
}

absl::Status FdCallbacks::UsedBy(int fd, WatchId holder) const {
  return absl::FailedPreconditionError(absl::StrCat("File descriptor ", fd,
                                                    " is used by transport ",
                                                    watches_.Describe(holder)));
}

absl::Status FdCallbacks::Check(int fd) {
  absl::Status refused = calls_.CheckThread();
  if (!refused.ok()) return refused;
  if (fd < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("Invalid file descriptor: ", fd));
  }
  const WatchId holder = watches_.WatchOf(fd);
  if (holder.value == 0 || entries_.contains(fd)) return absl::OkStatus();
  return watches_.StillThere(holder) ? UsedBy(fd, holder) : absl::OkStatus();
}

bool FdCallbacks::Remove(int fd, Side side, uint64_t only) {
  auto found = entries_.find(fd);
  if (found == entries_.end()) return false;
  Entry& entry = found->second;
  uint64_t& token = entry.tokens[static_cast<int>(side)];
  if (token == 0 || (only != 0 && token != only)) return false;
  token = 0;
  const WatchId watch = entry.watch;
  if (entry.tokens[0] == 0 && entry.tokens[1] == 0) entries_.erase(found);
  watches_.Drop(watch, side);
  return true;
}

}  // namespace troupe
