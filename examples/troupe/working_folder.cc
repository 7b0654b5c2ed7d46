#include "examples/troupe/working_folder.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>

#include "io/os_error.h"

namespace troupe {

absl::Status EnterWorkingFolder() {
  const char* value = getenv("BUILD_WORKING_DIRECTORY");
  if (value == nullptr) return absl::OkStatus();
  std::string folder = value;
  if (chdir(folder.c_str()) != 0) return OsError(errno, "chdir", folder);
  setenv("PWD", folder.c_str(), 1);
  unsetenv("BUILD_WORKING_DIRECTORY");
  unsetenv("BUILD_WORKSPACE_DIRECTORY");
  return absl::OkStatus();
}

}  // namespace troupe
