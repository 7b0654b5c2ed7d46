#include "process/proc_reader.h"

#include <utility>

#include "caf/actor_system.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "io/answer_requests.h"
#include "io/status_error.h"
#include "process/pipe_holders.h"
#include "process/process_tree.h"

namespace troupe {
namespace {

ProcReader::behavior_type Behavior(ProcReader::pointer self) {
  return {
      [=](const ListGroup& request) -> caf::result<GroupListed> {
        AnswerRequestsOnly(self);
        auto members = GroupMembers(request.group);
        if (!members.ok()) return MakeError(members.status());
        return GroupListed{*std::move(members)};
      },
      [=](const FindHolders& request) -> caf::result<HoldersFound> {
        AnswerRequestsOnly(self);
        auto holders = PipeHolders(request.pipes);
        if (!holders.ok()) return MakeError(holders.status());
        return HoldersFound{*std::move(holders)};
      },
  };
}

}  // namespace

ProcReader SpawnProcReader(caf::actor_system& actors) {
  return actors.spawn<caf::hidden>(Behavior);
}

}  // namespace troupe
