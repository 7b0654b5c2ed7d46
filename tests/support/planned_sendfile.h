// Stands in for the C library's sendfile(2): fails as planned, and notes what
// was asked for. Link it into a test of one process; any thread.
//
//   PlannedSendfile::Reset({0, EIO});   // the second call fails
#ifndef TROUPE_TESTS_SUPPORT_PLANNED_SENDFILE_H_
#define TROUPE_TESTS_SUPPORT_PLANNED_SENDFILE_H_

#include <cstddef>
#include <deque>
#include <vector>

namespace troupe {

class PlannedSendfile {
 public:
  // Of the next calls: errno, or 0 for the kernel's answer, as for all after
  // them. Forgets what was asked for.
  static void Reset(std::deque<int> errors = {});
  // How many bytes each call asked for.
  static std::vector<size_t> asked_for();
};

}  // namespace troupe

#endif  // TROUPE_TESTS_SUPPORT_PLANNED_SENDFILE_H_
