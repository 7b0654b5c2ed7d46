// The subject `libuv`.
#include "tests/benchmarks/libuv/uv_children.h"
#include "tests/benchmarks/libuv/uv_echo.h"
#include "tests/benchmarks/libuv/uv_loop.h"
#include "tests/benchmarks/libuv/uv_spawns.h"
#include "tests/benchmarks/subject.h"
#include "tests/benchmarks/workloads/calls.h"
#include "tests/benchmarks/workloads/children.h"
#include "tests/benchmarks/workloads/echo.h"
#include "tests/benchmarks/workloads/readers.h"
#include "tests/benchmarks/workloads/signals.h"
#include "tests/benchmarks/workloads/spawns.h"
#include "tests/benchmarks/workloads/timers.h"

namespace troupe {
namespace {

int Main(int argc, char** argv) {
  return RunSubject(argc, argv,
                    {{"libuv W1", Spawns<UvSpawns>},
                     {"libuv W2", Children<SpawnsInFlight, UvChildren>},
                     {"libuv W3", Children<ExitStorms, UvChildren>},
                     {"libuv W4", Children<ExitsAmongMany, UvChildren>},
                     {"libuv W7", Echo<UvEcho>},
                     {"libuv W8", Signals<UvLoop>},
                     {"libuv W9", Timers<UvLoop>},
                     {"libuv W10", Echo<UvEcho>},
                     {"libuv W15", CallsOnLoop<UvLoop>},
                     {"libuv W16", CallsFromThread<UvLoop>},
                     {"libuv W17", Readers<UvLoop>}});
}

}  // namespace
}  // namespace troupe

int main(int argc, char** argv) { return troupe::Main(argc, argv); }
