#include "examples/troupe/exit_code.h"

#include <cerrno>

namespace troupe {

int SpawnFailureCode(const absl::Status& why) {
  auto failure = OsFailureOf(why);
  bool missing = failure.has_value() && (failure->error_number == ENOENT ||
                                         failure->error_number == ENOTDIR);
  return missing ? 127 : 126;
}

}  // namespace troupe
