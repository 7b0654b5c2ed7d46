#include "examples/troupe/standard_output.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "io/os_error.h"
#include "io/write_transport.h"

namespace troupe {

absl::StatusOr<OutputStream> OpenStandardOutput(const System& system, int fd) {
  auto stream = InheritedStream::OpenOutput(system.actors(), system.io(), fd);
  std::string name = fd == STDOUT_FILENO ? "stdout" : "stderr";
  if (!stream.ok()) {
    auto failure = OsFailureOf(stream.status());
    return OsError(failure.has_value() ? failure->error_number : EIO, name);
  }
  WriteTransport transport =
      SpawnWriteTransport(stream->thread().host(), stream->thread().actor());
  return OutputStream{std::move(name), *std::move(stream),
                      std::move(transport)};
}

std::optional<std::string> LossText(const OutputStream& stream,
                                    const absl::Status& why) {
  if (why.ok()) return std::nullopt;
  auto failure = OsFailureOf(why);
  if (!failure.has_value()) {
    return absl::StrCat(
        stream.name, ": ",
        absl::string_view(why.message().data(), why.message().size()));
  }
  if (failure->error_number == EPIPE) return std::nullopt;
  return absl::StrCat(stream.name, ": ", ErrnoText(failure->error_number));
}

bool SameFile(int a, int b) {
  struct stat first, second;
  return fstat(a, &first) == 0 && fstat(b, &second) == 0 &&
         first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

}  // namespace troupe
