#include "tests/support/seccomp_filter.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tests/support/leak_check.h"

namespace troupe {
namespace {

sock_filter Load(size_t offset) {
  return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<uint32_t>(offset));
}

// Little-endian: the low half of the first argument comes first.
void Append(const RefusedCall& call, std::vector<sock_filter>* filter) {
  const bool asks_flags = call.if_flags != 0;
  const uint8_t rest = asks_flags ? 3 : 1;
  filter->push_back(Load(offsetof(seccomp_data, nr)));
  filter->push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
                             static_cast<uint32_t>(call.number), 0, rest));
  if (asks_flags) {
    filter->push_back(Load(offsetof(seccomp_data, args)));
    filter->push_back(
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, call.if_flags, 0, 1));
  }
  const uint32_t answer =
      call.error_number == kEndsTheCaller
          ? SECCOMP_RET_KILL_PROCESS
          : SECCOMP_RET_ERRNO | static_cast<uint32_t>(call.error_number);
  filter->push_back(BPF_STMT(BPF_RET | BPF_K, answer));
}

}  // namespace

bool RefuseCalls(const std::vector<RefusedCall>& calls) {
  std::vector<sock_filter> filter;
  for (const RefusedCall& call : calls) Append(call, &filter);
  filter.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  sock_fprog program = {static_cast<unsigned short>(filter.size()),
                        filter.data()};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

namespace {

std::string Work(const std::vector<RefusedCall>& calls,
                 const std::function<std::string()>& work) {
  if (!RefuseCalls(calls)) return "no filter";
  const auto before = OpenDescriptors();
  std::string answer = work();
  if (OpenDescriptors() != before) {
    absl::StrAppend(&answer,
                    "; descriptors: ", absl::StrJoin(OpenDescriptors(), ", "));
  }
  if (!Children().empty()) {
    absl::StrAppend(&answer, "; children: ", absl::StrJoin(Children(), ", "));
  }
  return answer;
}

}  // namespace

std::string RunRefusing(const std::vector<RefusedCall>& calls,
                        const std::function<std::string()>& work) {
  int fds[2];
  if (pipe(fds) != 0) return "no pipe";
  const pid_t pid = fork();
  if (pid == 0) {
    close(fds[0]);
    const std::string answer = Work(calls, work);
    _exit(write(fds[1], answer.data(), answer.size()) < 0 ? 1 : 0);
  }
  close(fds[1]);
  std::string answer;
  char buffer[4096];
  ssize_t n = 0;
  while ((n = read(fds[0], buffer, sizeof buffer)) > 0) {
    answer.append(buffer, n);
  }
  close(fds[0]);
  int status = 0;
  waitpid(pid, &status, 0);
  if (status != 0) absl::StrAppend(&answer, "; ended with ", status);
  return answer;
}

}  // namespace troupe
