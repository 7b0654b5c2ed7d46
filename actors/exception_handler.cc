#include "actors/exception_handler.h"

#include <cstdio>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace troupe {
namespace {

std::string What(const std::exception_ptr& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "an exception that is no std::exception";
  }
}

// The log that was given threw: nobody else is left to tell.
void LogOrStderr(const LogSink& log, absl::string_view failure,
                 const ExceptionContext& context) {
  try {
    LogException(log, context);
  } catch (...) {
    LogToStderr(absl::StrCat(failure,
                             "\nexception: ", What(std::current_exception()),
                             "\ncontext: {", context.ToString(), "}"));
  }
}

}  // namespace

std::string ExceptionContext::ToString() const {
  std::map<std::string, std::string> lines = details;
  if (exception) lines["exception"] = What(exception);
  if (handle != CallHandle()) lines["handle"] = handle.ToString();
  std::string text =
      message.empty() ? "Unhandled exception in event loop" : message;
  for (const auto& [key, value] : lines) {
    absl::StrAppend(&text, "\n", key, ": ", value);
  }
  return text;
}

void HandleException(const ExceptionHandler& handler, const LogSink& log,
                     Loop& loop, const ExceptionContext& context) {
  if (!handler) {
    LogOrStderr(log, "Exception in default exception handler", context);
    return;
  }
  try {
    handler(loop, context);
  } catch (...) {
    ExceptionContext failure;
    failure.message = "Unhandled error in exception handler";
    failure.exception = std::current_exception();
    failure.details["context"] = absl::StrCat("{", context.ToString(), "}");
    LogOrStderr(log,
                "Exception in default exception handler while handling an "
                "unexpected error in custom exception handler",
                failure);
  }
}

void LogException(const LogSink& log, const ExceptionContext& context) {
  if (log) {
    log(context.ToString());
  } else {
    LogToStderr(context.ToString());
  }
}

void LogToStderr(absl::string_view report) {
  absl::FPrintF(stderr, "%s\n", report);
}

}  // namespace troupe
