// The environment of a child: the parent's with edits, or one of its own.
//
//   Environment edited{.set = {{"LANG", "C"}}, .unset = {"LD_PRELOAD"}};
//   Environment empty{.inherit = false};
//
// The parent's environment is read when the child is made. Nobody may call
// setenv(3) meanwhile: libc has no lock for readers.
#ifndef TROUPE_PROCESS_ENVIRONMENT_H_
#define TROUPE_PROCESS_ENVIRONMENT_H_

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace troupe {

struct Environment {
  bool inherit = true;  // start from the parent's; otherwise from nothing
  std::map<std::string, std::string> set = {};
  std::set<std::string> unset = {};

  // The parent's as it is.
  bool IsOurs() const { return inherit && set.empty() && unset.empty(); }

  friend bool operator==(const Environment&, const Environment&) = default;
};

// `NAME=value` strings: what is kept of `parent` (an array like environ(7)) in
// its order, then what is set.
std::vector<std::string> ResolveEnvironment(const Environment& environment,
                                            const char* const* parent);

// The value of `name` in an array like environ(7).
std::optional<std::string> FindVariable(const char* const* environment,
                                        absl::string_view name);

}  // namespace troupe

#endif  // TROUPE_PROCESS_ENVIRONMENT_H_
