// Who waits for a transport's buffer to drain, and what they are told when it
// takes no more.
#ifndef TROUPE_IO_DRAIN_WAITERS_H_
#define TROUPE_IO_DRAIN_WAITERS_H_

#include <cstddef>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "caf/delegated.hpp"
#include "caf/mailbox_element.hpp"
#include "caf/result.hpp"
#include "caf/typed_response_promise.hpp"
#include "io/io_messages.h"
#include "io/status_error.h"

namespace troupe {

class DrainWaiters {
 public:
  using Promise = caf::typed_response_promise<Drained>;

  // For the message that `self` handles; a plain one waits for nothing.
  template <class Self>
  caf::result<Drained> Add(Self* self) {
    if (!self->current_mailbox_element()->mid.is_request()) {
      return caf::delegated<Drained>();  // no answer
    }
    waiters_.push_back(self->template make_response_promise<Drained>());
    return waiters_.back();
  }

  void Answer(size_t buffered) {
    if (!waiters_.empty()) AnswerAll(buffered);
  }

  void Fail(const absl::Status& why) {
    if (waiters_.empty()) return;
    for (Promise& waiter : std::exchange(waiters_, {})) {
      waiter.deliver(MakeError(why));
    }
  }

 private:
  void AnswerAll(size_t buffered) {
    for (Promise& waiter : std::exchange(waiters_, {})) {
      waiter.deliver(Drained{buffered});
    }
  }

  std::vector<Promise> waiters_;
};

// asyncio's words for a Write that comes after the end (row W11).
inline absl::Status WriteRefused() {
  return absl::FailedPreconditionError(
      "pipe closed by peer or os.write(pipe, data) raised exception.");
}

}  // namespace troupe

#endif  // TROUPE_IO_DRAIN_WAITERS_H_
