// The answer to a request that somebody waits for.
//
//   Owed<Drained> answer(self->make_response_promise<Drained>());
//   answer.Deliver(Drained{});      // or
//   answer.Refuse(why);             // or it is dropped: kCancelled
//
// CAF answers the requests that an actor has not read when it ends. One that it
// has read, and keeps a promise for, is never answered: who asked would wait
// for ever. An actor that answers later therefore keeps an Owed, in its state
// or, shared, in the handlers of a request of its own.
//
// A promise that was not answered keeps its own actor alive, one of a request
// that nobody waits for (anon_send) also afterwards. An Owed lets go of it.
//
// On the thread of the actor that owes it.
#ifndef TROUPE_IO_OWED_H_
#define TROUPE_IO_OWED_H_

#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "caf/error.hpp"
#include "caf/typed_response_promise.hpp"
#include "io/status_error.h"

namespace troupe {

template <class T>
class Owed {
 public:
  using Promise = caf::typed_response_promise<T>;

  Owed() = default;
  explicit Owed(Promise promise) : promise_(std::move(promise)) {}
  Owed(Owed&&) = default;
  Owed& operator=(Owed&& other) {
    std::swap(promise_, other.promise_);
    return *this;
  }
  ~Owed() {
    Refuse(MakeError(absl::CancelledError("who was asked has ended")));
  }

  // Once; afterwards both do nothing.
  void Deliver(T answer) {
    std::exchange(promise_, {}).deliver(std::move(answer));
  }
  void Refuse(const caf::error& why) {
    std::exchange(promise_, {}).deliver(why);
  }
  bool pending() const { return promise_.pending(); }

 private:
  Promise promise_;
};

// For handlers that are copied.
template <class T>
std::shared_ptr<Owed<T>> ShareOwed(caf::typed_response_promise<T> promise) {
  return std::make_shared<Owed<T>>(std::move(promise));
}

}  // namespace troupe

#endif  // TROUPE_IO_OWED_H_
