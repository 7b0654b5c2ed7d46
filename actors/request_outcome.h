// A request whose answer is waited for by something else than an actor.
//
//   RequestOutcome<Drained> outcome;
//   outcome.Ask(host, transport, Write{...}, [&] { loop.Stop(); });
//   ... run the host ...
//   absl::StatusOr<Drained> answer = outcome.Take();
//
// An actor that ends without an answer is an error, also where CAF says
// nothing: a promise that it had given is dropped silently with it (row L23).
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
#include "absl/strings/str_cat.h"
#include "caf/actor.hpp"
#include "caf/error.hpp"
#include "caf/event_based_actor.hpp"
#include "caf/system_messages.hpp"
#include "io/resident.h"
#include "io/status_error.h"

namespace troupe {

template <class Answer>
class RequestOutcome {
 public:
  // Asks from an actor of its own on `host`; `done` is called once there is an
  // answer or an error.
  template <class Handle, class Request>
  void Ask(Host& host, const Handle& actor, const Request& request,
           std::function<void()> done) {
    std::weak_ptr<std::optional<absl::StatusOr<Answer>>> result = result_;
    auto settle = [=](absl::StatusOr<Answer> outcome) {
      auto waiting = result.lock();
      if (waiting == nullptr || waiting->has_value()) return;
      *waiting = std::move(outcome);
      done();
    };
    if (!actor) return settle(absl::InvalidArgumentError("no actor to ask"));
    asker_ = SpawnResident<caf::hidden>(
        host, [=](Resident<caf::event_based_actor>* self) {
          self->monitor(actor);
          self->set_down_handler([=](const caf::down_msg& down) {
            settle(absl::UnavailableError(absl::StrCat(
                "the actor is gone: ", caf::to_string(down.reason))));
            self->quit();
          });
          self->request(actor, caf::infinite, request)
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
  caf::actor asker_;  // a pending request alone does not keep it
  std::shared_ptr<std::optional<absl::StatusOr<Answer>>> result_ =
      std::make_shared<std::optional<absl::StatusOr<Answer>>>();
};

}  // namespace troupe

#endif  // TROUPE_ACTORS_REQUEST_OUTCOME_H_
