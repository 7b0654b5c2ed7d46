#include "actors/sock_queue.h"

#include "actors/non_blocking.h"

namespace troupe {

// In the callback that the loop keeps for a line: if the loop lets go of it
// although the queue did not ask for that, the queue is told.
class SockQueue::Registration {
 public:
  Registration(SockQueue& queue, Key key, uint64_t id)
      : queue_(queue.alive_), key_(key), id_(id) {}
  Registration(Registration&& other) = default;
  ~Registration() {
    if (auto queue = queue_.lock()) (*queue)->OnTaken(key_, id_);
  }

  void operator()() const {
    if (auto queue = queue_.lock()) (*queue)->TryFirst(key_);
  }

 private:
  std::weak_ptr<SockQueue*> queue_;  // null when moved from
  Key key_;
  uint64_t id_;
};

bool SockHandle::Cancel() {
  auto operation = operation_.lock();
  return operation != nullptr && operation->queue_->Cancel(*operation);
}

SockQueue::~SockQueue() {
  alive_.reset();
  // What goes with the operations may cancel others, and shall find none.
  auto dead = std::exchange(lines_, {});
  for (auto& [key, line] : dead) {
    line.pause.Cancel();
    StopWatching(key, line);
  }
}

SockHandle SockQueue::Start(int fd, Side side,
                            std::shared_ptr<SockOperation> operation,
                            CodeLocation where) {
  absl::Status refused = loop_.CheckDescriptor(fd);
  if (refused.ok()) refused = CheckNonBlocking(fd);
  if (!refused.ok()) return SockHandle(Tell(operation->Fail(refused), where));
  operation->queue_ = this;
  operation->fd_ = fd;
  operation->side_ = side;
  operation->where_ = where;
  SockHandle handle{std::weak_ptr<SockOperation>(operation)};
  Line& line = lines_[{fd, side}];
  line.waiting.push_back(std::move(operation));
  if (line.waiting.size() == 1) TryFirst({fd, side});
  return handle;
}

void SockQueue::TryFirst(Key key) {
  Line& line = lines_.at(key);
  SockOperation::Attempt attempt = line.waiting.front()->Try();
  if (attempt.outcome) {
    auto finished = std::move(line.waiting.front());
    line.waiting.pop_front();
    (void)Tell(std::move(attempt.outcome), finished->where_);
  }
  Await(key, attempt.pause);
}

// Sees to it that the first of the line is tried again when it should be.
void SockQueue::Await(Key key, absl::Duration pause) {
  Line& line = lines_.at(key);
  if (line.waiting.empty() || pause > absl::ZeroDuration()) {
    StopWatching(key, line);
  }
  if (line.waiting.empty()) {
    lines_.erase(key);
  } else if (pause > absl::ZeroDuration()) {
    line.pause = loop_.CallLater(
        pause, [this, key] { TryFirst(key); }, line.waiting.front()->where_);
  } else if (line.registration == 0) {
    absl::Status refused = Watch(key, line);
    if (!refused.ok()) EndLine(key, refused);
  }
}

absl::Status SockQueue::Watch(Key key, Line& line) {
  const auto [fd, side] = key;
  const CodeLocation where = line.waiting.front()->where_;
  const uint64_t id = ++last_registration_;
  Registration callback(*this, key, id);
  CallHandle added = side == Side::kRead
                         ? loop_.AddReader(fd, std::move(callback), where)
                         : loop_.AddWriter(fd, std::move(callback), where);
  if (added.status().ok()) line.registration = id;
  return added.status();
}

void SockQueue::StopWatching(Key key, Line& line) {
  if (std::exchange(line.registration, 0) == 0) return;
  if (key.second == Side::kRead) {
    loop_.RemoveReader(key.first);
  } else {
    loop_.RemoveWriter(key.first);
  }
}

void SockQueue::OnTaken(Key key, uint64_t registration) {
  auto found = lines_.find(key);
  if (found == lines_.end() || found->second.registration != registration) {
    return;
  }
  found->second.registration = 0;  // no longer ours to remove
  EndLine(key, absl::AbortedError("the descriptor was taken by another use"));
}

void SockQueue::EndLine(Key key, const absl::Status& why) {
  auto found = lines_.find(key);
  if (found == lines_.end()) return;
  Line line = std::move(found->second);
  lines_.erase(found);
  line.pause.Cancel();
  StopWatching(key, line);
  for (const auto& operation : line.waiting) {
    (void)Tell(operation->Fail(why), operation->where_);
  }
}

void SockQueue::EndAll(int fd, const absl::Status& why) {
  EndLine({fd, Side::kRead}, why);
  EndLine({fd, Side::kWrite}, why);
}

bool SockQueue::Cancel(const SockOperation& operation) {
  const Key key{operation.fd_, operation.side_};
  auto found = lines_.find(key);
  if (found == lines_.end()) return false;
  Line& line = found->second;
  for (auto it = line.waiting.begin(); it != line.waiting.end(); ++it) {
    if (it->get() != &operation) continue;
    const bool was_first = it == line.waiting.begin();
    line.waiting.erase(it);
    if (was_first) {
      line.pause.Cancel();
      Await(key, absl::ZeroDuration());
    }
    return true;
  }
  return false;
}

absl::Status SockQueue::Tell(Callback outcome, CodeLocation where) {
  return loop_
      .CallSoon(
          [alive = std::weak_ptr<SockQueue*>(alive_),
           outcome = std::move(outcome)]() mutable {
            if (!alive.expired()) outcome();
          },
          where)
      .status();
}

}  // namespace troupe
