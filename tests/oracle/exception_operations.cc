#include <exception>
#include <stdexcept>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/oracle/operations.h"

namespace troupe {
namespace {

using Value = absl::StatusOr<std::string>;

std::string What(const std::exception_ptr& exception) {
  if (!exception) return "none";
  try {
    std::rethrow_exception(exception);
  } catch (const std::exception& e) {
    return e.what();
  }
}

void AddExceptions(Stage::Operations& operations) {
  operations["raise"] = [](Stage&, const Words& words) -> Value {
    throw std::runtime_error(JoinWords(words));
  };
  operations["report"] = [](Stage& stage, const Words& words) -> Value {
    ExceptionContext context;
    context.message = JoinWords(words);
    stage.loop().CallExceptionHandler(context);
    return "";
  };
  operations["handler"] = [](Stage& stage, const Words& words) -> Value {
    const bool fails = words.at(0) == "failing";
    ExceptionHandler handler = [=](Loop&, const ExceptionContext& context) {
      Trace(absl::StrCat("handler: ", context.message, ", ",
                         What(context.exception)));
      if (fails) throw std::runtime_error("the handler failed");
    };
    if (words.at(0) == "off") handler = nullptr;
    stage.loop().SetExceptionHandler(std::move(handler));
    return "";
  };
  operations["has-handler"] = [](Stage& stage, const Words&) -> Value {
    return PythonBool(stage.loop().GetExceptionHandler() != nullptr);
  };
}

void AddDebugging(Stage::Operations& operations) {
  operations["debug"] = [](Stage& stage, const Words& words) -> Value {
    stage.loop().SetDebug(words.at(0) == "on");
    return "";
  };
  operations["get-debug"] = [](Stage& stage, const Words&) -> Value {
    return PythonBool(stage.loop().GetDebug());
  };
  operations["slow"] = [](Stage& stage, const Words& words) -> Value {
    stage.loop().SetSlowCallbackDuration(ParseMs(words.at(0)));
    return "";
  };
}

}  // namespace

void AddExceptionOperations(Stage::Operations& operations) {
  AddExceptions(operations);
  AddDebugging(operations);
}

}  // namespace troupe
