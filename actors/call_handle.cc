#include "actors/call_handle.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace troupe {

absl::Duration CallHandle::when() const {
  if (!call_ || !call_->is_timer()) return -absl::InfiniteDuration();
  return absl::Nanoseconds(call_->deadline_ns());
}

std::string CallHandle::ToString() const {
  if (!call_) return "<Handle cancelled>";
  std::string text = call_->is_timer() ? "<TimerHandle" : "<Handle";
  if (call_->cancelled()) text += " cancelled";
  if (call_->is_timer()) {
    absl::StrAppendFormat(&text, " when=%.6f", absl::ToDoubleSeconds(when()));
  }
  absl::StrAppend(&text, " created at ", call_->where().file, ":",
                  call_->where().line, ">");
  return text;
}

bool operator<(const CallHandle& a, const CallHandle& b) {
  return a.call_ && b.call_ && a.call_->DueBefore(*b.call_.get());
}

}  // namespace troupe
