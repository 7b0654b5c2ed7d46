#include "examples/troupe/project.h"

#include <utility>

#include "examples/troupe/source_text.h"

namespace troupe {
namespace {

void Tell(const std::string& file, const std::vector<Problem>& problems,
          std::vector<std::string>* texts) {
  for (const Problem& problem : problems) {
    texts->push_back(Describe(file, problem));
  }
}

}  // namespace

absl::StatusOr<Project> LoadProject(const std::string& procfile) {
  absl::StatusOr<std::string> text = ReadSourceText(procfile);
  if (!text.ok()) return text.status();
  // "a/Procfile" has its .env at "a/.env", "Procfile" at ".env".
  size_t slash = procfile.rfind('/');
  std::string prefix =
      slash == std::string::npos ? "" : procfile.substr(0, slash + 1);
  std::string env_path = prefix + ".env";
  absl::StatusOr<std::string> env_text = ReadSourceText(env_path);
  if (absl::IsNotFound(env_text.status())) env_text = "";
  if (!env_text.ok()) return env_text.status();

  Procfile processes = ParseProcfile(*text);
  Dotenv env = ParseDotenv(*env_text);
  Project project;
  project.folder = prefix.size() > 1 ? prefix.substr(0, slash) : prefix;
  if (project.folder.empty()) project.folder = ".";
  project.entries = std::move(processes.entries);
  project.variables = std::move(env.variables);
  Tell(procfile, processes.problems, &project.problems);
  Tell(env_path, env.problems, &project.problems);
  return project;
}

}  // namespace troupe
