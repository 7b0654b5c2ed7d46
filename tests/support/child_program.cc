#include "tests/support/child_program.h"

#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstdio>

#include "absl/strings/str_cat.h"

namespace troupe {

std::string ChildProgram(absl::string_view name) {
  const char* root = getenv("TEST_SRCDIR");
  const char* workspace = getenv("TEST_WORKSPACE");
  std::string path = absl::StrCat("tests/children/", name);
  if (root != nullptr && workspace != nullptr) {
    path = absl::StrCat(root, "/", workspace, "/", path);
  }
  char absolute[PATH_MAX];
  if (realpath(path.c_str(), absolute) == nullptr) {
    fprintf(stderr, "no child program %s: is it in the target's data?\n",
            path.c_str());
    abort();
  }
  return absolute;
}

}  // namespace troupe
