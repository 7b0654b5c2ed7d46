#include "tests/support/standstill.h"

#include <future>

#include "caf/event_based_actor.hpp"
#include "caf/scoped_actor.hpp"
#include "io/resident.h"

namespace troupe {
namespace {

struct Standstill {
  std::promise<void> begun;
  std::promise<void> over;
};

caf::behavior StandStill(Resident<caf::event_based_actor>*,
                         Standstill* standstill) {
  standstill->begun.set_value();
  standstill->over.get_future().wait();
  return {};
}

}  // namespace

void WhileStandingStill(IoHost& host, const std::function<void()>& body) {
  Standstill standstill;
  auto actor = SpawnResident<caf::hidden>(host, StandStill, &standstill);
  standstill.begun.get_future().wait();
  body();
  standstill.over.set_value();
  caf::scoped_actor self(host.system());
  self->wait_for(actor);
}

}  // namespace troupe
