// A `.env` file: variables for the processes of a Procfile.
//
//   # a comment
//   PORT=28657                  # a comment after a blank and #
//   export NAME="two words\n"   # \n \t \r; any other \x is x
//   RAW='as $it \stands'        # nothing is special in single quotes
//   EMPTY=
//
// The file is data, not a script: `$OTHER` and backquotes are kept as they are.
// A value ends with its line. Assigned twice, a variable keeps its first place
// and its last value.
#ifndef TROUPE_EXAMPLES_TROUPE_DOTENV_H_
#define TROUPE_EXAMPLES_TROUPE_DOTENV_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "examples/troupe/source_text.h"

namespace troupe {

struct EnvVariable {
  std::string name;  // as the shell has them: [A-Za-z_][A-Za-z0-9_]*
  std::string value;

  friend bool operator==(const EnvVariable&, const EnvVariable&) = default;
};

struct Dotenv {
  std::vector<EnvVariable> variables;  // the sound ones
  std::vector<Problem> problems;       // at most one a line, by line
};

Dotenv ParseDotenv(absl::string_view text);

}  // namespace troupe

#endif  // TROUPE_EXAMPLES_TROUPE_DOTENV_H_
