#include "examples/troupe/standard_output.h"

#include <sys/stat.h>

#include <utility>

#include "io/write_transport.h"

namespace troupe {

absl::StatusOr<OutputStream> OpenStandardOutput(const System& system, int fd) {
  auto stream = InheritedStream::OpenOutput(system.actors(), system.io(), fd);
  if (!stream.ok()) return stream.status();
  WriteTransport transport =
      SpawnWriteTransport(stream->thread().host(), stream->thread().actor());
  return OutputStream{*std::move(stream), std::move(transport)};
}

bool SameFile(int a, int b) {
  struct stat first, second;
  return fstat(a, &first) == 0 && fstat(b, &second) == 0 &&
         first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

}  // namespace troupe
