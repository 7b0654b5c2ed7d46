#include "process/subprocess.h"

#include <utility>

#include "io/answer_requests.h"
#include "io/resident.h"
#include "process/subprocess_state.h"

namespace troupe {
namespace {

SubprocessInterface::behavior_type Behavior(
    StatefulResident<SubprocessInterface, SubprocessState>* self,
    ProcessServices services) {
  SubprocessState* state = &self->state;
  state->Init(std::move(services));
  self->set_down_handler(
      [=](const caf::down_msg&) { state->OnObserverDown(); });
  auto asked = [=] { AnswerRequestsOnly(self); };
  return {
      [=](StartProcess& request) {
        asked();
        return state->Start(request);
      },
      [=](Write& write) {
        asked();
        return state->WriteStdin(write);
      },
      [=](const CloseStdin&) { state->CloseStdin(); },
      [=](const ResizePty& resize) {
        asked();
        return state->Resize(resize);
      },
      [=](const SendSignal& signal) {
        asked();
        return state->Signal(signal);
      },
      [=](const StopProcess& stop) {
        asked();
        return state->Stop(stop);
      },
      [=](const DetachProcess&) {
        asked();
        return state->Detach();
      },
      [=](const CloseStreams& close) { state->CloseStreams(close.only); },
      [=](const CloseStreamsWhenSilent& close) {
        state->CloseWhenSilent(close.silence);
      },
      [=](const ListHolders&) {
        asked();
        return state->ListHolders();
      },
      [=](const GetProcessInfo&) {
        asked();
        return state->Info();
      },
      [=](const WaitForExit&) {
        asked();
        return state->WaitForExit();
      },
      [=](const WaitForEnd&) {
        asked();
        return state->WaitForEnd();
      },
      [=](const ConnectionMade&) {},
      [=](DataReceived& data) { state->OnOutput(data); },
      [=](const EofReceived&) {},
      [=](const ConnectionLost& lost) { state->OnStreamLost(lost); },
      [=](const PauseWriting& pause) { state->Tell(pause); },
      [=](const ResumeWriting& resume) { state->Tell(resume); },
      [=](const ChildExited& exited) { state->OnExit(exited); },
      [=](const TimerFired& fired) { state->OnTimer(fired.timer); },
  };
}

}  // namespace

Subprocess SpawnSubprocess(const ProcessServices& services) {
  return SpawnResident<caf::hidden>(*services.host, Behavior, services);
}

}  // namespace troupe
