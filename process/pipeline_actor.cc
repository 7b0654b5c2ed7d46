#include "process/pipeline_actor.h"

#include <utility>

#include "io/answer_requests.h"
#include "io/resident.h"
#include "process/pipeline_state.h"

namespace troupe {
namespace {

PipelineInterface::behavior_type Behavior(
    StatefulResident<PipelineInterface, PipelineState>* self,
    ProcessServices services) {
  PipelineState* state = &self->state;
  state->Init(std::move(services));
  self->set_down_handler(
      [=](const caf::down_msg&) { state->OnObserverDown(); });
  auto asked = [=] { AnswerRequestsOnly(self); };
  return {
      [=](ProcessOutput& output) { state->OnOutput(output); },
      [=](Write& write) {
        asked();
        return state->WriteStdin(write);
      },
      [=](StartPipeline& request) {
        asked();
        return state->Start(request);
      },
      [=](const CloseStdin& close) { state->CloseStdin(close); },
      [=](const SendSignal& signal) { state->Signal(signal); },
      [=](const StopPipeline& stop) {
        asked();
        return state->Stop(stop);
      },
      [=](const CloseStreams& close) { state->ToAll(close); },
      [=](const CloseStreamsWhenSilent& close) { state->ToAll(close); },
      [=](const WaitForExit&) {
        asked();
        return state->WaitForExit();
      },
      [=](const WaitForEnd&) {
        asked();
        return state->WaitForEnd();
      },
      [](const ProcessStarted&) {},
      [=](const StreamClosed& closed) { state->OnStreamClosed(closed); },
      [=](const ProcessExited& exited) { state->OnExit(exited); },
      [=](const ProcessEnded&) { state->OnEnd(); },
      [=](const PauseWriting& pause) { state->Tell(pause); },
      [=](const ResumeWriting& resume) { state->Tell(resume); },
  };
}

}  // namespace

PipelineActor SpawnPipeline(const ProcessServices& services) {
  return SpawnResident<caf::hidden>(*services.host, Behavior, services);
}

}  // namespace troupe
