// Acts out the scenario on stdin (scenario.py has the language) on Troupe's
// Loop. Writes the trace to stdout, a line per event, as it happens.
#include <sys/wait.h>

#include <iostream>

#include "actors/config.h"
#include "actors/system.h"
#include "caf/actor_system.hpp"
#include "tests/oracle/operations.h"
#include "tests/oracle/stage.h"

int main() {
  troupe::Config config;
  caf::actor_system actors(config);
  auto system = troupe::System::Start(actors);
  if (!system.ok()) return 1;
  {
    troupe::Stage stage(**system, troupe::ReadScript(std::cin));
    troupe::AddCallbackOperations(stage.operations());
    troupe::AddRunningOperations(stage.operations());
    troupe::AddExceptionOperations(stage.operations());
    troupe::AddDescriptorOperations(stage.operations());
    troupe::AddSignalOperations(stage.operations());
    troupe::AddChildOperations(stage.operations());
    troupe::AddPrefixOperations(stage.operations());
    stage.Perform("main");
  }
  while (wait(nullptr) > 0) {
  }
  troupe::Trace("end");
}
