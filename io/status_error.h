// A failure on its way between actors: the one place that turns an
// absl::Status into a caf::error and back.
//
//   return MakeError(OsError(errno, "open", path));       // in a handler
//   .then(..., [](caf::error& e) { Log(StatusOf(e)); })   // at the requester
#ifndef TROUPE_IO_STATUS_ERROR_H_
#define TROUPE_IO_STATUS_ERROR_H_

#include "absl/status/status.h"
#include "caf/error.hpp"

namespace troupe {

// Keeps the code, the text and the payloads, those of OsFailure among them.
caf::error MakeError(const absl::Status& status);

// Gives back what MakeError took. CAF's own errors become a status that says
// what CAF says: UNAVAILABLE for a receiver that is down, CANCELLED for an
// actor that was told to go, UNIMPLEMENTED for a message that the receiver does
// not take, INTERNAL for the rest.
absl::Status StatusOf(const caf::error& error);

}  // namespace troupe

#endif  // TROUPE_IO_STATUS_ERROR_H_
