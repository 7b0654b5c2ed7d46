#include "examples/troupe/on_exit.h"

namespace troupe {

std::optional<OnExit> ParseOnExit(absl::string_view word) {
  for (OnExit value : {OnExit::kStop, OnExit::kRestart, OnExit::kIgnore}) {
    if (word == OnExitName(value)) return value;
  }
  return std::nullopt;
}

absl::string_view OnExitName(OnExit on_exit) {
  switch (on_exit) {
    case OnExit::kStop:
      return "stop";
    case OnExit::kRestart:
      return "restart";
    case OnExit::kIgnore:
      return "ignore";
  }
  return "";
}

}  // namespace troupe
