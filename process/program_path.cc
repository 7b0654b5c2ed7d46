#include "process/program_path.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace troupe {

std::vector<std::string> ProgramCandidates(
    absl::string_view program, const std::optional<std::string>& path) {
  if (program.find('/') != absl::string_view::npos) {
    return {std::string(program)};
  }
  std::vector<std::string> result;
  for (absl::string_view folder :
       absl::StrSplit(path.has_value() ? *path : "/bin:/usr/bin", ':')) {
    // An empty entry is the current folder (environ(7)).
    result.push_back(folder.empty() ? absl::StrCat("./", program)
                                    : absl::StrCat(folder, "/", program));
  }
  return result;
}

}  // namespace troupe
