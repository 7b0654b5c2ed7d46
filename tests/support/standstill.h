// Holds up a host's thread, so that what is sent meanwhile meets it all at
// once.
//
//   WhileStandingStill(host, [&] {
//     Send(first);
//     Send(second);  // waits beside the first
//   });
#ifndef TROUPE_TESTS_SUPPORT_STANDSTILL_H_
#define TROUPE_TESTS_SUPPORT_STANDSTILL_H_

#include <functional>

#include "io/io_host.h"

namespace troupe {

// While `body` runs on the test's thread the host's stands still.
void WhileStandingStill(IoHost& host, const std::function<void()>& body);

}  // namespace troupe

#endif  // TROUPE_TESTS_SUPPORT_STANDSTILL_H_
