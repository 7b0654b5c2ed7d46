// Which files a program's name may mean, in the order they are tried.
//
//   ProgramCandidates("ls", "/usr/bin:/bin")   {"/usr/bin/ls", "/bin/ls"}
//   ProgramCandidates("./ls", "/usr/bin:/bin") {"./ls"}
//
// As in execvp(3), but with the child's PATH; without one, /bin:/usr/bin. A
// relative candidate counts from the child's directory.
#ifndef TROUPE_PROCESS_PROGRAM_PATH_H_
#define TROUPE_PROCESS_PROGRAM_PATH_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace troupe {

std::vector<std::string> ProgramCandidates(
    absl::string_view program, const std::optional<std::string>& path);

}  // namespace troupe

#endif  // TROUPE_PROCESS_PROGRAM_PATH_H_
