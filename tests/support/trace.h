// What actors told a test, in order, and a way to wait for it without sleeping.
//
//   Trace trace;
//   ... an actor calls trace.Add("CM") in its handlers ...
//   trace.WaitFor("CL(None)");                   // fails the test after 20 s
//   EXPECT_THAT(trace.events(), ElementsAre("CM", "DR(10)", ..., "CL(None)"));
//
// Any thread.
#ifndef TROUPE_TESTS_SUPPORT_TRACE_H_
#define TROUPE_TESTS_SUPPORT_TRACE_H_

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

namespace troupe {

class Trace {
 public:
  void Add(std::string event);

  std::vector<std::string> events() const;
  size_t Count(const std::string& event) const;

  // Waits until the event is there `times` times; a failure of the test and
  // false if it does not come.
  bool WaitFor(const std::string& event, size_t times = 1);
  // The same for an event that begins so.
  bool WaitForPrefix(const std::string& prefix);

  // The same for any condition on the list.
  bool WaitUntil(
      const std::function<bool(const std::vector<std::string>&)>& holds);

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> events_;
};

}  // namespace troupe

#endif  // TROUPE_TESTS_SUPPORT_TRACE_H_
