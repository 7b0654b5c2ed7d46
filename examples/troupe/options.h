// The command line of troupe, read and checked before anything is opened.
//
//   auto parsed = ParseOptions({"up", "-m", "web=2"});   // without argv[0]
//   std::get<UpOptions>(std::get<Options>(parsed)).counts["web"]   // 2
//
// What ends here is an OptionsExit: help and version with code 0, a mistake
// with code 2 and one line. Names are not looked up: that needs the Procfile
// (selection.h).
#ifndef TROUPE_EXAMPLES_TROUPE_OPTIONS_H_
#define TROUPE_EXAMPLES_TROUPE_OPTIONS_H_

#include <map>
#include <string>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "examples/troupe/on_exit.h"

namespace troupe {

struct UpOptions {
  std::string procfile = "Procfile";
  std::vector<std::string> only;      // empty: all
  std::map<std::string, int> counts;  // not named: 1
  bool no_color = false;
  OnExit on_exit = OnExit::kStop;  // for processes without their own setting
  absl::Duration timeout = absl::Seconds(5);  // between SIGTERM and SIGKILL
};

struct RunOptions {
  absl::Duration timeout = absl::InfiniteDuration();  // how long it may run
  bool pipe = false;
  std::vector<std::string> command;  // at least the program
};

struct CheckOptions {
  std::string procfile = "Procfile";
};

using Options = std::variant<UpOptions, RunOptions, CheckOptions>;

struct OptionsExit {
  int code = 0;      // 0: text is for stdout; 2: for stderr
  std::string text;  // ends in a line feed
};

std::variant<Options, OptionsExit> ParseOptions(
    const std::vector<std::string>& arguments);

}  // namespace troupe

#endif  // TROUPE_EXAMPLES_TROUPE_OPTIONS_H_
