// A request whose answer is waited for by something else than an actor.
//
//   RequestOutcome<Drained> outcome;
//   outcome.Ask(host, transport, Write{...}, [&] { loop.Stop(); });
//   ... run the host ...
//   absl::StatusOr<Drained> answer = outcome.Take();
//
// The host's thread. An answer that comes after the outcome is gone is dropped.
#ifndef TROUPE_ACTORS_REQUEST_OUTCOME_H_
#define TROUPE_ACTORS_REQUEST_OUTCOME_H_

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "caf/error.hpp"
#include "caf/event_based_actor.hpp"
#include "io/resident.h"
#include "io/status_error.h"

namespace troupe {

template <class Answer>
class RequestOutcome {
 public:
  // Asks from an actor of its own on `host`; `done` is called once there is an
  // answer or an error.
  template <class Handle, class Request>
  void Ask(Host& host, const Handle& actor, Request request,
           std::function<void()> done) {
    std::weak_ptr<std::optional<absl::StatusOr<Answer>>> result = result_;
    auto settle = [=](absl::StatusOr<Answer> outcome) {
      auto waiting = result.lock();
      if (waiting == nullptr) return;
      *waiting = std::move(outcome);
      done();
    };
    SpawnResident<caf::hidden>(
        host, [=, request = std::move(request)](
                  Resident<caf::event_based_actor>* self) mutable {
          self->request(actor, caf::infinite, std::move(request))
              .then([=](Answer& answer) { settle(std::move(answer)); },
                    [=](const caf::error& why) { settle(StatusOf(why)); });
        });
  }

  absl::StatusOr<Answer> Take() {
    if (result_->has_value()) return **std::move(result_);
    return absl::FailedPreconditionError(
        "Event loop stopped before Future completed.");
  }

 private:
  std::shared_ptr<std::optional<absl::StatusOr<Answer>>> result_ =
      std::make_shared<std::optional<absl::StatusOr<Answer>>>();
};

}  // namespace troupe

#endif  // TROUPE_ACTORS_REQUEST_OUTCOME_H_
