// troupe: runs processes and prints what they write. See options.cc for the
// command line, up.h, run.h and check.h for what each command does.
//
// Run:  ./bazelw run //examples/troupe -- up -f examples/troupe/Procfile
// See:  four processes start, their lines prefixed with time and name; one
//       fails now and then and is started again; Ctrl-C stops them all.
#include <unistd.h>

#include <cerrno>
#include <iostream>
#include <string>
#include <variant>
#include <vector>

#include "examples/troupe/check.h"
#include "examples/troupe/exit_code.h"
#include "examples/troupe/options.h"
#include "examples/troupe/run.h"
#include "examples/troupe/standard_numbers.h"
#include "examples/troupe/up.h"
#include "examples/troupe/working_folder.h"
#include "io/os_error.h"
#include "process/guard.h"

namespace {

struct Dispatch {
  int operator()(const troupe::UpOptions& options) const {
    return troupe::Up(options);
  }
  int operator()(const troupe::RunOptions& options) const {
    return troupe::Run(options);
  }
  int operator()(const troupe::CheckOptions& options) const {
    return troupe::Check(options, std::cout, std::cerr);
  }
};

int Refuse(const absl::Status& why) {
  std::cerr << "troupe: " << why.message() << '\n';
  return troupe::kUsageCode;
}

// A text that nobody got is a failure: `troupe --help > /dev/full`.
int Printed(int code) {
  errno = 0;
  if (std::cout.flush()) return code;
  std::cerr << "troupe: stdout: " << troupe::ErrnoText(errno) << '\n';
  return troupe::kOutputLostCode;
}

}  // namespace

int main(int argc, char** argv) {
  if (troupe::IsGuard(argc, argv)) return troupe::RunGuard(STDIN_FILENO);
  absl::Status taken = troupe::TakeClosedStandardNumbers();
  if (!taken.ok()) return Refuse(taken);
  absl::Status entered = troupe::EnterWorkingFolder();
  if (!entered.ok()) return Refuse(entered);
  auto parsed =
      troupe::ParseOptions(std::vector<std::string>(argv + 1, argv + argc));
  if (auto* end = std::get_if<troupe::OptionsExit>(&parsed)) {
    (end->code == 0 ? std::cout : std::cerr) << end->text;
    return Printed(end->code);
  }
  return Printed(std::visit(Dispatch(), std::get<troupe::Options>(parsed)));
}
