// A running pipeline, seen from its owner.
//
//   PipelineActor run = SpawnPipeline(services);
//   self->request(run, caf::infinite, StartPipeline{pipeline, observer}).then(
//       [](PipelineStarted started) {}, [](caf::error& why) {});
//
// What flows from command to command goes through the kernel; we hold none of
// its ends once both its commands run. So end of file and SIGPIPE travel as in
// a shell: a command whose reader has ended is ended by its next write, unless
// it ignores SIGPIPE.
//
// The commands are started one after the other, the first first, and each is a
// Subprocess with what that means: own groups are stopped with their group, an
// exec that hangs is killed at its deadline. A start that fails, or a stop that
// comes in the middle of it, starts none of those behind, stops and reaps those
// before, and answers with the command and why; the observer has been told
// nothing then.
//
// All of them must live at once: behind an admission (spawn_admission.h) that
// lets fewer live the first start is refused, kFailedPrecondition.
//
// The pipeline ends with its observer and with this actor: all commands are
// stopped by plan. Dropping the last handle does neither.
#ifndef TROUPE_PROCESS_PIPELINE_ACTOR_H_
#define TROUPE_PROCESS_PIPELINE_ACTOR_H_

#include "process/pipeline_messages.h"
#include "process/subprocess.h"

namespace troupe {

// Resident on `services.host`; hidden.
PipelineActor SpawnPipeline(const ProcessServices& services);

}  // namespace troupe

#endif  // TROUPE_PROCESS_PIPELINE_ACTOR_H_
