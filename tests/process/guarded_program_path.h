// Where guarded_program.cc is, for a test that has it as `data`.
#ifndef TROUPE_TESTS_PROCESS_GUARDED_PROGRAM_PATH_H_
#define TROUPE_TESTS_PROCESS_GUARDED_PROGRAM_PATH_H_

#include <string>

#include "tests/support/child_program.h"

namespace troupe {

inline std::string GuardedProgram() {
  return ChildProgram("../process/guarded_program");
}

}  // namespace troupe

#endif  // TROUPE_TESTS_PROCESS_GUARDED_PROGRAM_PATH_H_
