// The subject `limit`.
#include "tests/benchmarks/limit/limit_children.h"
#include "tests/benchmarks/limit/limit_echo.h"
#include "tests/benchmarks/limit/limit_loop.h"
#include "tests/benchmarks/limit/limit_spawns.h"
#include "tests/benchmarks/limit/limit_tls_echo.h"
#include "tests/benchmarks/subject.h"
#include "tests/benchmarks/workloads/calls.h"
#include "tests/benchmarks/workloads/children.h"
#include "tests/benchmarks/workloads/echo.h"
#include "tests/benchmarks/workloads/readers.h"
#include "tests/benchmarks/workloads/signals.h"
#include "tests/benchmarks/workloads/spawns.h"
#include "tests/benchmarks/workloads/timers.h"
#include "tests/benchmarks/workloads/tls_echo.h"

namespace troupe {
namespace {

int Main(int argc, char** argv) {
  return RunSubject(argc, argv,
                    {{"limit W1", Spawns<LimitSpawns>},
                     {"limit W1-more", Spawns<LimitSpawns>},
                     {"limit W2", Children<SpawnsInFlight, LimitChildren>},
                     {"limit W3", Children<ExitStorms, LimitChildren>},
                     {"limit W4", Children<ExitsAmongMany, LimitChildren>},
                     {"limit W7", Echo<LimitEcho>},
                     {"limit W7-tls", TlsEcho<LimitTlsEcho>},
                     {"limit W8", Signals<LimitLoop>},
                     {"limit W9", Timers<LimitLoop>},
                     {"limit W10", Echo<LimitEcho>},
                     {"limit W15", CallsOnLoop<LimitLoop>},
                     {"limit W16", CallsFromThread<LimitLoop>},
                     {"limit W17", Readers<LimitLoop>}});
}

}  // namespace
}  // namespace troupe

int main(int argc, char** argv) { return troupe::Main(argc, argv); }
