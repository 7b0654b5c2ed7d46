#include "examples/troupe/check.h"

#include "absl/strings/str_join.h"
#include "examples/troupe/project.h"

namespace troupe {

int Check(const CheckOptions& options, std::ostream& out, std::ostream& err) {
  absl::StatusOr<Project> project = LoadProject(options.procfile);
  if (!project.ok()) {
    err << "troupe check: " << project.status().message() << '\n';
    return 2;
  }
  for (const std::string& problem : project->problems) err << problem << '\n';
  if (!project->problems.empty()) return 2;
  auto name = [](std::string* list, const ProcfileEntry& entry) {
    list->append(entry.name);
  };
  out << options.procfile << ": sound; "
      << absl::StrJoin(project->entries, ", ", name) << '\n';
  return 0;
}

}  // namespace troupe
