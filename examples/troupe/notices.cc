#include "examples/troupe/notices.h"

#include "absl/strings/str_cat.h"
#include "examples/troupe/timeout.h"

namespace troupe {
namespace {

std::string Counted(int processes) {
  return absl::StrCat(processes, processes == 1 ? " process" : " processes");
}

}  // namespace

std::string StartedNotice(absl::string_view name, pid_t pid, int restart) {
  std::string text = absl::StrCat(
      name, restart == 0 ? " started, pid " : " restarted, pid ", pid);
  if (restart > 0) absl::StrAppend(&text, " (restart ", restart, ")");
  return text;
}

std::string EndedNotice(absl::string_view name, absl::string_view how,
                        absl::Duration ran) {
  std::string time =
      ran < absl::Milliseconds(1) ? "less than 1ms" : TimeoutText(ran);
  return absl::StrCat(name, " ended after ", time, ": ", how);
}

std::string NotStartedNotice(absl::string_view name, absl::string_view why) {
  return absl::StrCat(name, " did not start: ", why);
}

std::string RestartNotice(absl::string_view name, int restart,
                          absl::Duration in) {
  return absl::StrCat(name, " restarts in ", TimeoutText(in), " (restart ",
                      restart, ")");
}

std::string StoppingNotice(int processes, absl::string_view because) {
  return absl::StrCat("stopping ", Counted(processes), ", because ", because);
}

std::string StoppingOnSignalNotice(int processes, absl::string_view signal) {
  if (processes == 0) return absl::StrCat("stopping, because of ", signal);
  return absl::StrCat("stopping ", Counted(processes), ", because of ", signal,
                      "; once more kills ", processes == 1 ? "it" : "them");
}

std::string KillingNotice(int processes, absl::string_view because) {
  return absl::StrCat("killing ", Counted(processes), ", because ", because);
}

}  // namespace troupe
