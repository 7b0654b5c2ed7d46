#include <cmath>

#include "absl/strings/str_cat.h"
#include "tests/oracle/operations.h"

namespace troupe {
namespace {

using Value = absl::StatusOr<std::string>;

bool Past(Stage& stage, const std::string& ms) {
  return stage.loop().Time() >= stage.zero() + ParseMs(ms);
}

void AddScheduling(Stage::Operations& operations) {
  operations["soon"] = [](Stage& stage, const Words& words) -> Value {
    return stage.Keep(words.at(0),
                      stage.loop().CallSoon(stage.CallbackOf(words.at(0))));
  };
  operations["threadsafe"] = [](Stage& stage, const Words& words) -> Value {
    return stage.Keep(words.at(0), stage.loop().CallSoonThreadsafe(
                                       stage.CallbackOf(words.at(0))));
  };
  operations["later"] = [](Stage& stage, const Words& words) -> Value {
    return stage.Keep(words.at(1),
                      stage.loop().CallLater(ParseMs(words.at(0)),
                                             stage.CallbackOf(words.at(1))));
  };
  operations["at"] = [](Stage& stage, const Words& words) -> Value {
    return stage.Keep(words.at(1),
                      stage.loop().CallAt(stage.zero() + ParseMs(words.at(0)),
                                          stage.CallbackOf(words.at(1))));
  };
}

void AddHandles(Stage::Operations& operations) {
  operations["cancel"] = [](Stage& stage, const Words& words) -> Value {
    stage.handle(words.at(0)).Cancel();
    return "";
  };
  operations["cancelled"] = [](Stage& stage, const Words& words) -> Value {
    return PythonBool(stage.handle(words.at(0)).cancelled());
  };
  operations["when"] = [](Stage& stage, const Words& words) -> Value {
    const absl::Duration after =
        stage.handle(words.at(0)).when() - stage.zero();
    return absl::StrCat(std::lround(absl::ToDoubleMilliseconds(after)));
  };
  operations["before"] = [](Stage& stage, const Words& words) -> Value {
    return PythonBool(stage.handle(words.at(0)) < stage.handle(words.at(1)));
  };
}

void AddTime(Stage::Operations& operations) {
  operations["base"] = [](Stage& stage, const Words&) -> Value {
    stage.SetZero();
    return "";
  };
  operations["past"] = [](Stage& stage, const Words& words) -> Value {
    return PythonBool(Past(stage, words.at(0)));
  };
  operations["wait-until"] = [](Stage& stage, const Words& words) -> Value {
    while (!Past(stage, words.at(0))) {
    }
    return "";
  };
}

}  // namespace

void AddCallbackOperations(Stage::Operations& operations) {
  AddScheduling(operations);
  AddHandles(operations);
  AddTime(operations);
}

}  // namespace troupe
