// Whether an observer lives in this program, as it must where it is told what
// does not cross to another node without a proxy: bytes, credit, descriptors.
//
//   absl::Status local =
//       CheckLocal(request.observer, self->node(), "a process");
//   // kInvalidArgument: the observer of a process must live in this program
//
// An empty handle passes: whether there must be one is the caller's question.
#ifndef TROUPE_IO_CHECK_LOCAL_H_
#define TROUPE_IO_CHECK_LOCAL_H_

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "caf/node_id.hpp"

namespace troupe {

template <class Observer>
absl::Status CheckLocal(const Observer& observer, const caf::node_id& here,
                        absl::string_view of) {
  if (!observer || observer.address().node() == here) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("the observer of ", of, " must live in this program"));
}

}  // namespace troupe

#endif  // TROUPE_IO_CHECK_LOCAL_H_
