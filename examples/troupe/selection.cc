#include "examples/troupe/selection.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace troupe {
namespace {

absl::Status CheckNames(const std::vector<ProcfileEntry>& entries,
                        const std::vector<std::string>& only,
                        const std::map<std::string, int>& counts) {
  std::vector<std::string> known;
  for (const ProcfileEntry& entry : entries) known.push_back(entry.name);
  auto unknown = [&](absl::string_view option, const std::string& name) {
    return absl::InvalidArgumentError(absl::StrCat(
        option, ": no process \"", name, "\" in the Procfile; there is ",
        absl::StrJoin(known, ", ")));
  };
  auto has = [](const std::vector<std::string>& names,
                const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  for (const std::string& name : only) {
    if (!has(known, name)) return unknown("--only", name);
  }
  for (const auto& [name, count] : counts) {
    if (!has(known, name)) return unknown("-m", name);
    if (!only.empty() && !has(only, name)) {
      return absl::InvalidArgumentError(
          absl::StrCat("-m: ", name, " is not among --only"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<NamedProcess>> SelectProcesses(
    const std::vector<ProcfileEntry>& entries,
    const std::vector<std::string>& only,
    const std::map<std::string, int>& counts) {
  absl::Status status = CheckNames(entries, only, counts);
  if (!status.ok()) return status;
  std::vector<NamedProcess> result;
  for (const auto& [name, command, line, on_exit] : entries) {
    bool chosen =
        only.empty() || std::find(only.begin(), only.end(), name) != only.end();
    auto given = counts.find(name);
    int count = !chosen ? 0 : given == counts.end() ? 1 : given->second;
    if (count == 1) result.push_back({name, command, on_exit});
    for (int i = 1; count > 1 && i <= count; ++i) {
      result.push_back({absl::StrCat(name, ".", i), command, on_exit});
    }
  }
  if (result.empty()) {
    return absl::InvalidArgumentError("nothing to run: -m leaves no process");
  }
  return result;
}

}  // namespace troupe
