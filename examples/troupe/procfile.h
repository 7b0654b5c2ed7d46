// A Procfile: one process a line, as `name: command`.
//
//   # a comment; blank lines are fine too
//   web: python3 -m http.server "$PORT"
//
//   # troupe: on-exit=restart
//   job: ./nightly.sh
//
// A comment `# troupe: on-exit=stop|restart|ignore` directly above a line gives
// that process its own answer to its exit, before `up --on-exit`. It is a
// comment to every other reader of Procfiles (foreman, honcho, overmind).
//
// A name is letters, digits, `_` and `-`, from the first column on; the command
// is a line for /bin/sh, without the blanks around it. foreman passes over a
// line it does not understand; here it is a problem, and all problems are told.
#ifndef TROUPE_EXAMPLES_TROUPE_PROCFILE_H_
#define TROUPE_EXAMPLES_TROUPE_PROCFILE_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "examples/troupe/on_exit.h"
#include "examples/troupe/source_text.h"

namespace troupe {

struct ProcfileEntry {
  std::string name;
  std::string command;
  int line = 0;                   // from 1
  std::optional<OnExit> on_exit;  // nothing: what the command line says
};

struct Procfile {
  std::vector<ProcfileEntry> entries;  // the sound ones, in order
  std::vector<Problem> problems;       // by line; none in a sound Procfile
};

// A text without any process is a problem as well.
Procfile ParseProcfile(absl::string_view text);

}  // namespace troupe

#endif  // TROUPE_EXAMPLES_TROUPE_PROCFILE_H_
