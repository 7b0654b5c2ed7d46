// How a child ended, as a value with questions.
//
//   ExitStatus status = ExitStatus::Killed(SIGSEGV, /*core_dumped=*/true);
//   status.success()     false
//   status.ToString()    "killed by SIGSEGV (core dumped)"
//   status.ReturnCode()  -11   what asyncio's `returncode` says
//   status.ShellCode()   139   what `$?` in a shell says
//
// `Lost` means that somebody else took the status, by waitpid(-1) or by
// ignoring SIGCHLD: the child is over, how is not known. It is what a
// default-made value is. Rows RC1 to RC4 and P22 of the asyncio table.
#ifndef TROUPE_PROCESS_EXIT_STATUS_H_
#define TROUPE_PROCESS_EXIT_STATUS_H_

#include <signal.h>

#include <optional>
#include <string>

namespace troupe {

class ExitStatus {
 public:
  enum class Kind { kLost, kExited, kKilled };

  ExitStatus() = default;
  static ExitStatus Exited(int code);
  static ExitStatus Killed(int signal, bool core_dumped = false);
  static ExitStatus Lost() { return ExitStatus(); }

  // From waitid(2) with WEXITED. Lost when the siginfo tells of no end.
  static ExitStatus FromSiginfo(const siginfo_t& info);

  // From waitpid(2); nothing for a child that stopped or continued.
  static std::optional<ExitStatus> FromWaitStatus(int wait_status);

  Kind kind() const { return kind_; }
  bool exited() const { return kind_ == Kind::kExited; }
  bool killed() const { return kind_ == Kind::kKilled; }
  bool lost() const { return kind_ == Kind::kLost; }
  bool success() const { return exited() && value_ == 0; }

  int code() const { return exited() ? value_ : 0; }
  int signal() const { return killed() ? value_ : 0; }
  bool core_dumped() const { return core_dumped_; }

  // The code, or minus the signal; 255 when lost (RC4).
  int ReturnCode() const;

  // The code, or 128 plus the signal; 255 when lost.
  int ShellCode() const;

  std::string ToString() const;

  friend bool operator==(const ExitStatus&, const ExitStatus&) = default;

 private:
  ExitStatus(Kind kind, int value, bool core_dumped)
      : kind_(kind), value_(value), core_dumped_(core_dumped) {}

  Kind kind_ = Kind::kLost;
  int value_ = 0;  // the code or the signal
  bool core_dumped_ = false;
};

// asyncio's return code for any wait status; one that is no end comes back
// unchanged (RC3).
int ReturnCodeFromWaitStatus(int wait_status);

}  // namespace troupe

#endif  // TROUPE_PROCESS_EXIT_STATUS_H_
