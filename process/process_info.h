// How a process stands, for whoever asks with GetProcessInfo, and the texts of
// asyncio's debug mode.
#ifndef TROUPE_PROCESS_PROCESS_INFO_H_
#define TROUPE_PROCESS_PROCESS_INFO_H_

#include <sys/types.h>

#include <optional>
#include <string>

#include "io/transport_info.h"
#include "process/command.h"
#include "process/exit_status.h"

namespace troupe {

struct ProcessInfo {
  enum class Phase { kNotStarted, kRunning, kExited };

  Phase phase = Phase::kNotStarted;
  pid_t pid = -1;
  ExitStatus status;   // valid in kExited
  bool ended = false;  // exited, and all its streams are closed

  // Of the streams that are pipes (row P9). After a stream's end only that it
  // is closed is known.
  std::optional<TransportInfo> in;
  std::optional<TransportInfo> out;
  std::optional<TransportInfo> err;
  bool merged = false;  // stderr leads where stdout does
};

// As asyncio writes its transports (row P25):
//   <Subprocess not started>
//   <Subprocess pid=7 running stdin=<WriteTransport …> stdout=stderr=<…>>
//   <Subprocess closed pid=7 returncode=3>
std::string ToString(const ProcessInfo& info);

// `execute program "sort" stdin=<pipe> stdout=stderr=<pipe>`: before the start
// (row P26). What is inherited is not named.
std::string ExecuteText(const Command& command);

}  // namespace troupe

#endif  // TROUPE_PROCESS_PROCESS_INFO_H_
