#include "process/admission_queue.h"

#include <algorithm>

namespace troupe {

void AdmissionQueue::Add(Ticket ticket, Owner owner, TimePoint now) {
  Line& line = lines_[owner];
  line.waiting.emplace(ticket, now);
  owners_.emplace(ticket, owner);
  ++waiting_;
  TakeTurn(owner, line);
}

bool AdmissionQueue::Cancel(Ticket ticket) {
  auto found = owners_.find(ticket);
  if (found == owners_.end()) return false;
  const Owner owner = found->second;
  owners_.erase(found);
  lines_[owner].waiting.erase(ticket);
  --waiting_;
  Forget(owner);
  return true;
}

std::optional<AdmissionQueue::Ticket> AdmissionQueue::Next(TimePoint now) {
  while (!held_.empty() && held_.begin()->first <= now) {
    const Owner owner = held_.begin()->second;
    LetGo(owner, lines_[owner]);
  }
  if (starting_.size() >= limits_.starting ||
      live_ + starting_.size() >= limits_.live) {
    return std::nullopt;
  }
  while (!turns_.empty()) {
    const Owner owner = turns_.front();
    turns_.pop_front();
    Line& line = lines_[owner];
    line.turn.reset();
    if (line.waiting.empty() || line.held_until.has_value()) continue;
    const auto [ticket, since] = *line.waiting.begin();
    line.waiting.erase(line.waiting.begin());
    owners_.erase(ticket);
    --waiting_;
    ++line.starting;
    starting_.emplace(ticket, Start{owner, since});
    TakeTurn(owner, line);
    return ticket;
  }
  return std::nullopt;
}

void AdmissionQueue::Started(Ticket ticket) {
  const Start start = Finish(ticket);
  ++live_;
  Line& line = lines_[start.owner];
  line.tries = 0;
  line.wait = std::chrono::nanoseconds(0);
  LetGo(start.owner, line);
  Forget(start.owner);
}

void AdmissionQueue::Failed(Ticket ticket) { Forget(Finish(ticket).owner); }

std::optional<AdmissionQueue::Want> AdmissionQueue::Lacked(Ticket ticket,
                                                           TimePoint now) {
  const Start start = Finish(ticket);
  Line& line = lines_[start.owner];
  if (line.tries++ == 0) line.first_try = now;
  const Want want{line.tries, now - line.first_try};
  if (want.time >= limits_.patience && now - start.since >= limits_.patience) {
    Forget(start.owner);
    return want;
  }
  line.waiting.emplace(ticket, start.since);
  owners_.emplace(ticket, start.owner);
  ++waiting_;
  Hold(start.owner, line, now);
  return std::nullopt;
}

std::optional<AdmissionQueue::TimePoint> AdmissionQueue::wake_at() const {
  if (held_.empty()) return std::nullopt;
  return held_.begin()->first;
}

void AdmissionQueue::TakeTurn(Owner owner, Line& line) {
  if (line.turn.has_value() || line.waiting.empty() ||
      line.held_until.has_value()) {
    return;
  }
  line.turn = turns_.insert(turns_.end(), owner);
}

void AdmissionQueue::LetGo(Owner owner, Line& line) {
  if (!line.held_until.has_value()) return;
  held_.erase({*line.held_until, owner});
  line.held_until.reset();
  TakeTurn(owner, line);
}

// Several that were starting and fail together are one failure. Not held past
// the end of its patience, or the first to give up would do so late.
void AdmissionQueue::Hold(Owner owner, Line& line, TimePoint now) {
  if (line.held_until.has_value()) return;
  line.wait = std::clamp(line.wait * 2, limits_.first_wait,
                         std::max(limits_.first_wait, limits_.longest_wait));
  TimePoint until = now + line.wait;
  const TimePoint end = line.first_try + limits_.patience;
  if (end > now) until = std::min(until, end);
  line.held_until = until;
  held_.insert({until, owner});
}

AdmissionQueue::Start AdmissionQueue::Finish(Ticket ticket) {
  auto found = starting_.find(ticket);
  const Start start = found->second;
  starting_.erase(found);
  --lines_[start.owner].starting;
  return start;
}

void AdmissionQueue::Forget(Owner owner) {
  auto found = lines_.find(owner);
  if (found == lines_.end()) return;
  Line& line = found->second;
  if (!line.waiting.empty() || line.starting != 0) return;
  if (line.held_until.has_value()) held_.erase({*line.held_until, owner});
  if (line.turn.has_value()) turns_.erase(*line.turn);
  lines_.erase(found);
}

}  // namespace troupe
