#include "tests/process/admission_fixture.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "caf/event_based_actor.hpp"
#include "io/status_error.h"
#include "tests/support/child_program.h"

namespace troupe {

SpawnAdmissionTest::~SpawnAdmissionTest() {
  admission_ = Admission();
  scripted_ = Spawner();
}

void SpawnAdmissionTest::Limit(AdmissionLimits limits) {
  admission_ = SpawnAdmission(host(), io(), spawner_, limits);
}

void SpawnAdmissionTest::LimitScripted(
    AdmissionLimits limits,
    std::function<absl::Status(const Command&)> answer) {
  scripted_ = system_->spawn<caf::hidden>(
      [=, trace = trace_, real = spawner_,
       made_by = &made_by_](Spawner::pointer self) -> Spawner::behavior_type {
        return {[=](SpawnChild& request) -> caf::result<ChildSpawned> {
          trace->Add(absl::StrCat("try ", request.command.argv[0]));
          absl::Status status = answer(request.command);
          if (!status.ok()) return MakeError(status);
          if (*made_by != nullptr) request.attempt = *made_by;
          return self->delegate(real, std::move(request));
        }};
      });
  admission_ = SpawnAdmission(host(), io(), scripted_, limits);
}

ProcessServices SpawnAdmissionTest::limited() const {
  ProcessServices limited = services();
  limited.spawner = admission_;
  return limited;
}

StartProcess SpawnAdmissionTest::Waiting() {
  StartProcess start = Piped({ChildProgram("copy_input")});
  start.observer = NewObserver();
  return start;
}

SpawnChild SpawnAdmissionTest::Request(Command command) {
  return {std::move(command), std::make_shared<SpawnAttempt>()};
}

absl::StatusOr<ChildSpawned> SpawnAdmissionTest::MakeIdle() {
  return Make(
      {.argv = {ChildProgram("copy_input")}, .stdin_from = Stdio::Pipe()});
}

void SpawnAdmissionTest::SpawnLater(const std::string& label,
                                    SpawnChild request) {
  system_->spawn<caf::hidden>([=, trace = trace_, admission = admission_](
                                  caf::event_based_actor* self) {
    self->request(admission, caf::infinite, request)
        .then([=](const ChildSpawned&) { trace->Add(label + ": made"); },
              [=](const caf::error& why) {
                trace->Add(absl::StrCat(label, ": ",
                                        std::string(StatusOf(why).message())));
              });
  });
}

AdmissionInfo SpawnAdmissionTest::Info() {
  auto info = Ask<AdmissionInfo>(admission_, AskAdmission{});
  return info.ok() ? *info : AdmissionInfo{};
}

bool SpawnAdmissionTest::WaitForInfo(
    std::function<bool(const AdmissionInfo&)> holds) {
  for (int i = 0; i < 100000; ++i) {
    if (holds(Info())) return true;
  }
  return false;
}

bool SpawnAdmissionTest::WaitForWaiting(size_t waiting) {
  return WaitForInfo([=](const AdmissionInfo& info) {
    return info.waiting == waiting && info.starting == 0;
  });
}

}  // namespace troupe
