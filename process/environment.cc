#include "process/environment.h"

#include "absl/strings/str_cat.h"

namespace troupe {
namespace {

std::string NameOf(absl::string_view entry) {
  // An entry without '=' is legal in environ(7), if odd: all of it is name.
  return std::string(entry.substr(0, entry.find('=')));
}

}  // namespace

std::vector<std::string> ResolveEnvironment(const Environment& environment,
                                            const char* const* parent) {
  std::vector<std::string> result;
  if (environment.inherit && parent != nullptr) {
    for (; *parent != nullptr; ++parent) {
      std::string name = NameOf(*parent);
      if (environment.set.count(name) || environment.unset.count(name)) {
        continue;
      }
      result.push_back(*parent);
    }
  }
  for (const auto& [name, value] : environment.set) {
    result.push_back(absl::StrCat(name, "=", value));
  }
  return result;
}

std::optional<std::string> FindVariable(
    const std::vector<std::string>& environment, absl::string_view name) {
  for (const std::string& entry : environment) {
    if (entry.size() > name.size() && entry[name.size()] == '=' &&
        NameOf(entry) == name) {
      return entry.substr(name.size() + 1);
    }
  }
  return std::nullopt;
}

}  // namespace troupe
