#include "tests/support/trace.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace troupe {
namespace {

constexpr auto kPatience = std::chrono::seconds(20);

}  // namespace

void Trace::Add(std::string event) {
  std::lock_guard<std::mutex> lock(mutex_);
  events_.push_back(std::move(event));
  changed_.notify_all();
}

std::vector<std::string> Trace::events() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return events_;
}

size_t Trace::Count(const std::string& event) const {
  std::lock_guard<std::mutex> lock(mutex_);
  return std::count(events_.begin(), events_.end(), event);
}

bool Trace::WaitFor(const std::string& event, size_t times) {
  bool came = WaitUntil([&](const std::vector<std::string>& events) {
    return static_cast<size_t>(
               std::count(events.begin(), events.end(), event)) >= times;
  });
  if (!came) ADD_FAILURE() << "waited in vain for " << event;
  return came;
}

bool Trace::WaitUntil(
    const std::function<bool(const std::vector<std::string>&)>& holds) {
  std::unique_lock<std::mutex> lock(mutex_);
  if (changed_.wait_for(lock, kPatience, [&] { return holds(events_); })) {
    return true;
  }
  ADD_FAILURE() << "waited in vain; so far: "
                << ::testing::PrintToString(events_);
  return false;
}

bool Trace::WaitForPrefix(const std::string& prefix) {
  return WaitUntil([&](const std::vector<std::string>& events) {
    for (const std::string& event : events) {
      if (event.compare(0, prefix.size(), prefix) == 0) return true;
    }
    return false;
  });
}

}  // namespace troupe
