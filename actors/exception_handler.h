// What becomes of an exception that a callback of a loop throws (rows L16 to
// L20): the handler the program has set, and behind it the default one, which
// writes it down. Neither can end the loop.
#ifndef TROUPE_ACTORS_EXCEPTION_HANDLER_H_
#define TROUPE_ACTORS_EXCEPTION_HANDLER_H_

#include <exception>
#include <functional>
#include <map>
#include <string>

#include "absl/strings/string_view.h"
#include "actors/call_handle.h"

namespace troupe {

class Loop;

struct ExceptionContext {
  std::string message = {};  // empty: `Unhandled exception in event loop`
  std::exception_ptr exception = nullptr;  // may be null
  CallHandle handle = {};                  // may be none
  std::map<std::string, std::string> details = {};

  // The message, then a line `key: value` for each other field, sorted by key;
  // the exception as `exception: what()`.
  std::string ToString() const;
};

using ExceptionHandler = std::function<void(Loop&, const ExceptionContext&)>;

// Takes one report, of one or more lines, without a newline at the end.
using LogSink = std::function<void(absl::string_view report)>;

// Calls `handler`, or the default for an empty one. If it throws, writes
// `Unhandled error in exception handler` with the context that it was given; if
// the log throws, writes to stderr. Never throws.
void HandleException(const ExceptionHandler& handler, const LogSink& log,
                     Loop& loop, const ExceptionContext& context);

// Writes the context to the log.
void LogException(const LogSink& log, const ExceptionContext& context);

void LogToStderr(absl::string_view report);

}  // namespace troupe

#endif  // TROUPE_ACTORS_EXCEPTION_HANDLER_H_
