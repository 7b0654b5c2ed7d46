// The subjects `troupe`, `troupe-actor` and `troupe-worker`.
#include "tests/benchmarks/subject.h"
#include "tests/benchmarks/troupe/plain_spawns.h"
#include "tests/benchmarks/troupe/relayed_signals.h"
#include "tests/benchmarks/troupe/stream_echo.h"
#include "tests/benchmarks/troupe/subprocess_children.h"
#include "tests/benchmarks/troupe/subprocess_spawns.h"
#include "tests/benchmarks/troupe/tls_stream_echo.h"
#include "tests/benchmarks/troupe/troupe_loop.h"
#include "tests/benchmarks/troupe/watched_readers.h"
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
  return RunSubject(
      argc, argv,
      {{"troupe W1", Spawns<PlainSpawns>},
       {"troupe W1-more", Spawns<PlainSpawns>},
       {"troupe-actor W1", Spawns<SubprocessSpawns>},
       {"troupe-actor W1-more", Spawns<SubprocessSpawns>},
       {"troupe W2", Children<SpawnsInFlight, SubprocessChildren>},
       {"troupe W3", Children<ExitStorms, SubprocessChildren>},
       {"troupe W4", Children<ExitsAmongMany, SubprocessChildren>},
       {"troupe W7", Echo<StreamEcho>},
       {"troupe W7-tls", TlsEcho<TlsStreamEcho>},
       {"troupe W8", Signals<TroupeLoop>},
       {"troupe W9", Timers<TroupeLoop>},
       {"troupe W10", Echo<StreamEcho>},
       {"troupe W15", CallsOnLoop<TroupeLoop>},
       {"troupe W16", CallsFromThread<TroupeLoop>},
       {"troupe W17", Readers<TroupeLoop>},
       {"troupe-actor W8", Signals<SignalsToResidents>},
       {"troupe-worker W8", Signals<SignalsToWorkers>},
       {"troupe-actor W17", Readers<WatchedReaders>}});
}

}  // namespace
}  // namespace troupe

int main(int argc, char** argv) { return troupe::Main(argc, argv); }
