// A Procfile and the `.env` beside it, read from disk.
//
//   auto project = LoadProject("examples/troupe/Procfile");
//   project->folder     // "examples/troupe": where the processes run
//   project->problems   // "examples/troupe/Procfile:3:1: no colon; ..."
//
// No `.env` means no variables. A file that is there and cannot be read is an
// error of OsError, with its path.
#ifndef TROUPE_EXAMPLES_TROUPE_PROJECT_H_
#define TROUPE_EXAMPLES_TROUPE_PROJECT_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "examples/troupe/dotenv.h"
#include "examples/troupe/procfile.h"

namespace troupe {

struct Project {
  std::string folder;                  // as near to absolute as the path was
  std::vector<ProcfileEntry> entries;  // at least one if there is no problem
  std::vector<EnvVariable> variables;  // they go before the inherited ones
  std::vector<std::string> problems;   // of both files, each one line
};

absl::StatusOr<Project> LoadProject(const std::string& procfile);

}  // namespace troupe

#endif  // TROUPE_EXAMPLES_TROUPE_PROJECT_H_
