// How a child ended and what it has used.
#ifndef TROUPE_PROCESS_EXIT_REPORT_H_
#define TROUPE_PROCESS_EXIT_REPORT_H_

#include <sys/resource.h>

#include "process/exit_status.h"

namespace troupe {

struct ExitReport {
  ExitStatus status;
  // What the child and the children it waited for have used (getrusage(2));
  // ru_maxrss in KiB. All zero when the status is lost.
  rusage usage = {};
};

}  // namespace troupe

#endif  // TROUPE_PROCESS_EXIT_REPORT_H_
