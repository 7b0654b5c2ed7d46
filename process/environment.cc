#include "process/environment.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

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

std::optional<std::string> FindVariable(const char* const* environment,
                                        absl::string_view name) {
  for (; *environment != nullptr; ++environment) {
    absl::string_view entry = *environment;
    if (absl::ConsumePrefix(&entry, name) && absl::ConsumePrefix(&entry, "=")) {
      return std::string(entry);
    }
  }
  return std::nullopt;
}

}  // namespace troupe
