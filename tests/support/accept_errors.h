// Makes the next calls of accept4 in this program fail.
//
//   AcceptErrors errors({EMFILE});   // the next one; then the kernel's again
//   AcceptErrors errors({0, EMFILE});  // the one after the next
//
// Some failures cannot be had from the kernel (ECONNABORTED), others only for
// the whole process. One at a time; the thread that made it.
#ifndef TROUPE_TESTS_SUPPORT_ACCEPT_ERRORS_H_
#define TROUPE_TESTS_SUPPORT_ACCEPT_ERRORS_H_

#include <cstddef>
#include <deque>

namespace troupe {

class AcceptErrors {
 public:
  explicit AcceptErrors(std::deque<int> errors);
  AcceptErrors(const AcceptErrors&) = delete;
  AcceptErrors& operator=(const AcceptErrors&) = delete;
  ~AcceptErrors();

  size_t left() const;
};

}  // namespace troupe

#endif  // TROUPE_TESTS_SUPPORT_ACCEPT_ERRORS_H_
