// Where the programs of tests/children are.
//
//   command.argv = {ChildProgram("print_argv"), "a"};
#ifndef TROUPE_TESTS_SUPPORT_CHILD_PROGRAM_H_
#define TROUPE_TESTS_SUPPORT_CHILD_PROGRAM_H_

#include <string>

#include "absl/strings/string_view.h"

namespace troupe {

// The absolute path, so that it holds after a change of directory. Under `bazel
// test` and `bazel run`; ends the program with a sentence if there is no such
// child.
std::string ChildProgram(absl::string_view name);

}  // namespace troupe

#endif  // TROUPE_TESTS_SUPPORT_CHILD_PROGRAM_H_
