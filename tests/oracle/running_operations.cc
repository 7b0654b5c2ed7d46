#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "caf/actor_system.hpp"
#include "caf/event_based_actor.hpp"
#include "caf/exit_reason.hpp"
#include "caf/response_promise.hpp"
#include "caf/send.hpp"
#include "io/status_error.h"
#include "tests/oracle/operations.h"

namespace troupe {
namespace {

using Value = absl::StatusOr<std::string>;

Value Done(const absl::Status& status) {
  if (!status.ok()) return status;
  return "done";
}

Value Silent(const absl::Status& status) {
  if (!status.ok()) return status;
  return "";
}

void AddRunning(Stage::Operations& operations) {
  operations["run"] = [](Stage& stage, const Words&) {
    return Done(stage.loop().RunForever());
  };
  operations["stop"] = [](Stage& stage, const Words&) -> Value {
    stage.loop().Stop();
    return "";
  };
  operations["close"] = [](Stage& stage, const Words&) {
    return Silent(stage.loop().Close());
  };
  operations["running"] = [](Stage& stage, const Words&) -> Value {
    return PythonBool(stage.loop().IsRunning());
  };
  operations["closed"] = [](Stage& stage, const Words&) -> Value {
    return PythonBool(stage.loop().IsClosed());
  };
  operations["repr"] = [](Stage& stage, const Words&) -> Value {
    return stage.loop().ToString();
  };
}

// -- requests -----------------------------------------------------------------

// Answers the question with what it is told, whichever comes first.
caf::behavior Answerer(caf::event_based_actor* self) {
  struct Memory {
    std::optional<caf::response_promise> asked;
    std::optional<absl::StatusOr<std::string>> told;
  };
  auto memory = std::make_shared<Memory>();
  auto settle = [memory] {
    if (!memory->asked || !memory->told) return;
    if (memory->told->ok()) {
      memory->asked->deliver(**memory->told);
    } else {
      memory->asked->deliver(MakeError(memory->told->status()));
    }
    memory->asked.reset();
    memory->told.reset();
  };
  return {[=](caf::get_atom) {
            memory->asked = self->make_response_promise();
            auto promise = *memory->asked;
            settle();
            return promise;
          },
          [=](bool answers, const std::string& text) {
            if (answers) {
              memory->told = text;
            } else {
              memory->told = absl::UnknownError(text);
            }
            settle();
          }};
}

// Made by the first request. Ended, not dropped: a promise that it still has
// holds itself.
struct Ending {
  ~Ending() {
    if (actor) caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
  }
  caf::actor actor;
};

void AddRequests(Stage::Operations& operations) {
  auto answerer = std::make_shared<Ending>();
  operations["run-until-complete"] = [=](Stage& stage, const Words&) -> Value {
    caf::actor& actor = answerer->actor;
    if (!actor) actor = stage.system().actors().spawn(Answerer);
    return stage.loop().RunUntilComplete<std::string>(actor, caf::get_atom_v);
  };
  operations["answer"] = [=](Stage&, const Words& words) -> Value {
    caf::anon_send(answerer->actor, true, JoinWords(words));
    return "";
  };
  operations["refuse"] = [=](Stage&, const Words& words) -> Value {
    caf::anon_send(answerer->actor, false, JoinWords(words));
    return "";
  };
}

}  // namespace

void AddRunningOperations(Stage::Operations& operations) {
  AddRunning(operations);
  AddRequests(operations);
}

}  // namespace troupe
