// troupe: runs processes and prints what they write. See options.cc for the
// command line, up.h, run.h and check.h for what each command does.
//
// Run:  ./bazelw run //examples/troupe -- up -f examples/troupe/Procfile
// See:  four processes start, their lines prefixed with time and name; one
//       fails now and then and is started again; Ctrl-C stops them all.
#include <iostream>
#include <string>
#include <variant>
#include <vector>

#include "examples/troupe/check.h"
#include "examples/troupe/exit_code.h"
#include "examples/troupe/options.h"
#include "examples/troupe/run.h"
#include "examples/troupe/up.h"
#include "examples/troupe/working_folder.h"

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

}  // namespace

int main(int argc, char** argv) {
  absl::Status entered = troupe::EnterWorkingFolder();
  if (!entered.ok()) {
    std::cerr << "troupe: " << entered.message() << '\n';
    return troupe::kUsageCode;
  }
  auto parsed =
      troupe::ParseOptions(std::vector<std::string>(argv + 1, argv + argc));
  if (auto* end = std::get_if<troupe::OptionsExit>(&parsed)) {
    (end->code == 0 ? std::cout : std::cerr) << end->text;
    return end->code;
  }
  return std::visit(Dispatch(), std::get<troupe::Options>(parsed));
}
